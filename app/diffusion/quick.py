"""How a loaded model is made quick where it computes: decided by device, memory and the model's size."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from app.diffusion import graphs
from app.diffusion.blocks import quicken_blocks
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.packed import pack_network, usable
from app.diffusion.placement import Placement
from app.diffusion.reading import Read, as_it_is
from app.diffusion.thrift import free_memory
from app.diffusion.unet_pass import is_plain

log = logging.getLogger(__name__)

TINY = 2_000_000
"""Weights of a network that is left alone: its steps are over before anything could be saved."""
SMALL = 40_000_000
"""Weights under which a network's matrices are too small for Winograd to win."""
MOST_ALONE = 256 * 256
"""Pixels of a small network's picture up to which one thread does the work."""
MOST_EXTRA_UNET, MOST_EXTRA_VAE = 0.5, 3.0
"""Memory for Winograd, as a part of what the network's weights take. The UNet's largest pictures come first; what is
beyond half of it wins little. All of a VAE works on large pictures, and it is small."""
SMALL_FROM = 2
"""How often a UNet has halved the latents when they have few tiles: they are 8 x 8 there for a picture of 256 px."""


def load_quickened(path: Path, placement: Placement) -> ModelBundle:
    """A bundle whose networks are quick. Each layer is packed as it is read, so that there is never more than one that
    is there twice. Raises as ``load_bundle`` does."""

    def settle(part: str, network: Any, read: Read) -> None:
        _quicken_part(part, network, placement, read)

    return _arranged(load_bundle(path, placement, settle))


def quickened(bundle: ModelBundle) -> ModelBundle:
    """The bundle, its networks changed in place. What they compute is the same up to rounding (on a CPU under 1e-4 of
    stock, relative; a test holds it to that), and again the same for the same Request."""
    for part in ("unet", "vae", "text_encoder"):
        _quicken_part(part, getattr(bundle, part), bundle.placement, as_it_is)
    return _arranged(bundle)


def _arranged(bundle: ModelBundle) -> ModelBundle:
    """On a graphics card nothing else is set: attention is torch's fused one by itself, and TF32 stays off for products
    in float32, which are computed only where half precision did not hold. cuDNN is not told to try all its ways
    (``cudnn.benchmark``): it would try them again at every new size of a frame."""
    if _weights(bundle.unet) < TINY:
        return bundle
    device = bundle.placement.device.type
    if device == "cuda":
        bundle.unet.to(memory_format=torch.channels_last)
        quicken_vae(bundle.vae, bundle.placement)
    return replace(
        bundle,
        shares=is_plain(bundle.unet),
        records=device == "cuda" and graphs.asked_for(),
        alone=MOST_ALONE if device == "cpu" and _weights(bundle.unet) < SMALL else 0,
    )


def quicken_vae(vae: Any, placement: Placement) -> None:
    """On a graphics card a VAE works in the placement's precision, as it does in diffusers; what does not hold in half
    of it is found, and done again in full (``decoding``, ``start``)."""
    if placement.device.type == "cuda":
        vae.to(placement.dtype)
        vae.to(memory_format=torch.channels_last)
    else:
        quicken_network(vae, placement, MOST_EXTRA_VAE)


def _quicken_part(part: str, network: Any, placement: Placement, read: Read) -> None:
    match part:
        case "unet":
            quicken_network(network, placement, MOST_EXTRA_UNET, SMALL_FROM, read)
        case "vae":
            quicken_network(network, placement, MOST_EXTRA_VAE, read=read)
        case _:
            quicken_network(network, placement, 0.0, read=read)


def quicken_network(
    network: Any, placement: Placement, most_extra: float, small_from: int | None = None, read: Read = as_it_is
) -> None:
    """Pack a network on the processor. Where it is small, or memory is short, in the way that needs no more of it."""
    count = _weights(network)
    if not _packs(placement) or count < TINY:
        return
    extra = 0.0 if count < SMALL else most_extra
    wanted = 4 * count * extra
    unread = 0 if read is as_it_is else 4 * count * 1.3  # the smaller networks come after the UNet
    if wanted * 3 + unread > free_memory(placement.device):
        log.info("memory is short: no Winograd")
        extra = 0.0
    pack_network(network, extra, small_from, read)
    quicken_blocks(network)


def _packs(placement: Placement) -> bool:
    return placement.device.type == "cpu" and placement.dtype == torch.float32 and usable()


def _weights(network: Any) -> int:
    return sum(value.numel() for value in network.parameters())

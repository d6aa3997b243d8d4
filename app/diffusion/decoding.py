"""From the final latents to pixels, whatever it takes: in one piece, in tiles, in full precision, on the processor."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from app.core.errors import UserError, is_out_of_memory
from app.core.geometry import Size
from app.core.request import Pixels
from app.diffusion.bundle import ModelBundle
from app.diffusion.latents import decode, to_pixels
from app.diffusion.thrift import TILES, decoding_needs, free_memory, tiled

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Canvas:
    """``notes``: what had to be done otherwise."""

    pixels: Pixels
    notes: tuple[str, ...] = ()


class NotFiniteError(UserError):
    """Values that are no numbers: saved, they would be pure black without a word."""


class DecodeMemoryError(UserError):
    """No way of decoding fits into the memory."""


@dataclass(frozen=True, kw_only=True)
class _Way:
    device: torch.device
    dtype: torch.dtype
    tile: int = 0  # pixels a side, 0 for all at once
    note: str = ""


def decode_canvas(bundle: ModelBundle, x: torch.Tensor, release: Callable[[], None] = lambda: None) -> Canvas:
    """1 x C x h x w -> pixels. ``release`` frees what a failed try has left.

    Raises NotFiniteError or DecodeMemoryError when every way has been tried.
    """
    broken: set[torch.dtype] = set()
    for way in _ways(bundle, x):
        if way.dtype in broken:
            continue  # they would run over again
        try:
            with _as(bundle, way):
                decoded = decode(bundle.vae, x.to(way.device))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.info("out of memory while decoding", exc_info=True)
            decoded = None
        if decoded is None:  # outside the handler, so that the error's frames no longer hold the tensors
            release()
        elif bool(torch.isfinite(decoded).all()):
            return Canvas(to_pixels(decoded), (way.note,) if way.note else ())
        else:
            broken.add(way.dtype)
    if broken:
        raise not_finite(bundle)
    raise DecodeMemoryError(
        "There was not enough memory to turn the finished latents into a picture; they are kept.",
        "Close other programs and finish the picture then.",
    )


def not_finite(bundle: ModelBundle) -> NotFiniteError:
    return NotFiniteError(
        f"The model “{bundle.name}” computed values that are no numbers, so there is no picture.",
        "Try another sampler or more steps; if it stays so, the model’s files are damaged.",
    )


def _ways(bundle: ModelBundle, x: torch.Tensor) -> Iterator[_Way]:
    """From the quickest to the surest; the first is left out where the memory will not do."""
    device, dtype, cpu = bundle.placement.device, bundle.vae.dtype, torch.device("cpu")
    canvas = Size(x.shape[3] * bundle.factor, x.shape[2] * bundle.factor)
    tiles = [side for side in TILES if max(canvas.width, canvas.height) > side]
    if not tiles or decoding_needs(bundle.vae, canvas) < free_memory(device):
        yield _Way(device=device, dtype=dtype)
    for side in tiles:
        yield _Way(device=device, dtype=dtype, tile=side, note="Memory was short: the picture was decoded in tiles.")
    smallest = tiles[-1] if tiles else 0
    if dtype != torch.float32:
        note = "The picture was decoded in full precision: in half of it, its values ran over."
        if tiles and decoding_needs(bundle.vae, canvas) * 4 / dtype.itemsize < free_memory(device):
            yield _Way(device=device, dtype=torch.float32, note=note)
        yield _Way(device=device, dtype=torch.float32, tile=smallest, note=note)
    if device != cpu:
        note = "The picture was decoded on the processor, because the device could not do it."
        yield _Way(device=cpu, dtype=torch.float32, tile=smallest, note=note)


@contextlib.contextmanager
def _as(bundle: ModelBundle, way: _Way) -> Iterator[None]:
    """The VAE set up in that way, and afterwards as it was."""
    vae = bundle.vae
    device, dtype = vae.device, vae.dtype
    try:
        vae.to(way.device, way.dtype)
        with tiled(vae, way.tile, bundle.factor) if way.tile else contextlib.nullcontext():
            yield
    finally:
        vae.to(device, dtype)

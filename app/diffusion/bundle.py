"""A loaded model: tokenizer, text encoder, UNet, VAE and schedule config, from a folder or a single file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.errors import ModelError
from app.diffusion.folder import load_folder
from app.diffusion.kept import Kept
from app.diffusion.placement import Placement
from app.diffusion.preview import PreviewMap, preview_map_for
from app.diffusion.reading import Settle, leave
from app.diffusion.single_file import load_single_file


@dataclass(frozen=True, kw_only=True)
class ModelBundle:
    """Everything that a Request needs of a model; its parts fit together, which loading has checked.

    ``factor``: picture pixels per latent. ``channels``: of a latent. ``native_size``: pixels a side that the UNet was
    trained on. ``window``: tokens of a prompt, its start and end included. ``concat``: the UNet takes mask and masked
    image beside the latents (the fine-tuned inpainting kind). ``shares``: a pass through the UNet is done by
    ``unet_pass``; ``records``: it may be recorded too (``graphs``). ``alone``: pixels, of all pictures that are painted
    together, up to which one thread does the work. ``worn``: what was added to the networks, so that what is ``kept``
    of them is found again.
    """

    name: str
    tokenizer: Any
    text_encoder: Any
    unet: Any
    vae: Any
    scheduler_config: Mapping[str, Any]
    preview: PreviewMap
    placement: Placement
    factor: int
    channels: int
    native_size: int
    window: int
    concat: bool
    shares: bool = False
    records: bool = False
    alone: int = 0
    worn: Hashable = ()
    kept: Kept = field(default_factory=Kept)


def load_bundle(path: Path, placement: Placement, settle: Settle = leave) -> ModelBundle:
    """Load an SD v1 model, a folder in diffusers layout or a single safetensors file, from the disk only.

    ``settle`` is called with each network before all of its weights are read. Raises ModelError when a part is missing,
    cannot be read, or does not fit the others.
    """
    single = path.is_file()
    parts = (load_single_file if single else load_folder)(path, placement, settle)
    name = str(parts.told.get("name") or (path.stem if single else path.name))
    channels = int(parts.vae.config.latent_channels)
    concat = _takes_mask(name, parts.unet, channels)
    _check_widths(name, parts.unet, parts.text_encoder)
    _check_vocabulary(name, parts.tokenizer, parts.text_encoder)
    for network in (parts.unet, parts.vae, parts.text_encoder):
        network.to(placement.device).eval().requires_grad_(False)
    factor = 2 ** (len(parts.vae.config.block_out_channels) - 1)
    return ModelBundle(
        name=name,
        tokenizer=parts.tokenizer,
        text_encoder=parts.text_encoder,
        unet=parts.unet,
        vae=parts.vae,
        scheduler_config=parts.schedule,
        preview=preview_map_for(parts.vae, parts.told.get("preview")),
        placement=placement,
        factor=factor,
        channels=channels,
        native_size=_native_size(parts.unet, factor, parts.told.get("native_size")),
        window=_window(parts.tokenizer, parts.text_encoder),
        concat=concat,
    )


def _window(tokenizer: Any, text_encoder: Any) -> int:
    """Tokens that fit: what the text encoder has positions for, or fewer where the tokenizer says so (one without a
    limit of its own answers with a number beyond all bounds)."""
    return min(int(tokenizer.model_max_length), int(text_encoder.config.max_position_embeddings))


def _takes_mask(name: str, unet: Any, channels: int) -> bool:
    """True for the 9-channel kind: latents, mask and the masked image's latents."""
    taken, given = int(unet.config.in_channels), int(unet.config.out_channels)
    if given == channels and taken == channels:
        return False
    if given == channels and taken == 2 * channels + 1:
        return True
    raise ModelError(
        f"The parts of “{name}” do not fit: its UNet takes {taken} channels and gives {given}, its VAE has {channels}.",
        f"Limner paints with UNets of {channels} channels, or {2 * channels + 1} for inpainting, beside this VAE.",
    )


def _check_widths(name: str, unet: Any, text_encoder: Any) -> None:
    wanted, given = unet.config.cross_attention_dim, int(text_encoder.config.hidden_size)
    widths = set(wanted) if isinstance(wanted, list | tuple) else {wanted}
    if widths != {given}:
        raise ModelError(
            f"The parts of “{name}” do not fit: its UNet listens to texts of width "
            f"{', '.join(map(str, sorted(widths)))}, its text encoder writes {given}.",
            "Choose a model whose parts belong together (Stable Diffusion v1 uses 768).",
        )


def _check_vocabulary(name: str, tokenizer: Any, text_encoder: Any) -> None:
    words, known = len(tokenizer), int(text_encoder.config.vocab_size)
    if words > known:
        raise ModelError(
            f"The parts of “{name}” do not fit: its tokenizer has {words} words, its text encoder knows {known}.",
            "Put the tokenizer that belongs to the model beside it.",
        )


def _native_size(unet: Any, factor: int, told: object) -> int:
    """Pixels a side, as told beside the model, else the UNet's; the longer of two, 512 where none is named."""
    if isinstance(told, int) and told > 0:
        return told
    sample = unet.config.sample_size
    side = max(sample) if isinstance(sample, list | tuple) else sample
    return int(side) * factor if side else 512

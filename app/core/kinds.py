"""What a file of weights is, told from the names and shapes of its tensors before any of them is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from app.core.weights import Shape

V1 = "Stable Diffusion v1"
V2 = "Stable Diffusion 2"
XL = "Stable Diffusion XL"
REFINER = "the refiner of Stable Diffusion XL"
WIDTHS = {1024: V2, 1280: REFINER, 2048: XL}
"""Cross-attention widths that give another architecture away; v1 has 768, small models of its kind have less."""

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT = "cond_stage_model.transformer."
"""Beginnings of the names of a single file's three parts, in the layout that Stable Diffusion was published in."""
EMA = "model_ema."


class Kind(Enum):
    """What a file can be used as; the value is how a sentence calls it."""

    MODEL = "a model"
    LORA = "a LoRA"
    VAE = "a VAE"
    EMBEDDING = "an embedding"
    OTHER = "something else"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """``family``: the architecture that it belongs to, empty where the file does not tell. ``what``: all of it in
    words, for sentences such as “x is {what}”. ``channels``: inputs of a model's UNet. ``width``: numbers a token that
    a LoRA or an embedding was made for. Both are 0 where there is no such thing."""

    kind: Kind
    family: str
    what: str
    channels: int = 0
    width: int = 0


def contents_of(shapes: Mapping[str, Shape]) -> Contents:
    """The first row below whose marks are there; a file that bears none is OTHER."""
    for look in (_lora, _model, _embedding, _vae, _part):
        found = look(shapes)
        if found is not None:
            return found
    return Contents(kind=Kind.OTHER, family="", what="a file of weights that Limner does not know")


# Models


_FOREIGN_MODELS = (
    ("joint_blocks.", "Stable Diffusion 3"),
    ("double_blocks.", "Flux"),
    ("double_stream_modulation", "Flux"),
    ("adaln_single.", "PixArt"),
    ("caption_projection.", "PixArt"),
    ("clip_txt_pooled_mapper.", "Stable Cascade"),
    ("blocks.0.cross_attn.", "a video model"),
    ("input_hint_block.", "a ControlNet"),
    ("controlnet_cond_embedding.", "a ControlNet"),
    ("control_model.", "a ControlNet"),
    ("noise_refiner.", "Lumina"),
)
"""Parts of tensor names that only one other architecture has."""
_ODD_CHANNELS = {
    5: "the depth model of Stable Diffusion 2",
    7: "an upscaler of Stable Diffusion",
    8: "InstructPix2Pix, which takes 8 channels",
}


def _model(shapes: Mapping[str, Shape]) -> Contents | None:
    for mark, what in _FOREIGN_MODELS:
        if any(mark in name for name in shapes):
            return Contents(kind=Kind.OTHER, family=what, what=what)
    first = shapes.get(f"{UNET}input_blocks.0.0.weight")
    if first is None or len(first) != 4:
        return None
    family = _model_family(shapes)
    channels = first[1]
    if family == V1 and channels not in (4, 9):
        what = _ODD_CHANNELS.get(channels, f"a model that takes {channels} channels")
        return Contents(kind=Kind.OTHER, family=what, what=what, channels=channels)
    if channels == 5:
        return Contents(kind=Kind.OTHER, family=V2, what=_ODD_CHANNELS[5], channels=channels)
    inpainting = ", made for inpainting" if channels == 9 else ""
    return Contents(kind=Kind.MODEL, family=family, what=f"{family}{inpainting}", channels=channels)


def _model_family(shapes: Mapping[str, Shape]) -> str:
    if any(name.startswith("conditioner.embedders.1.") for name in shapes):
        return XL
    if any(name.startswith("conditioner.embedders.0.model.") for name in shapes):
        return REFINER
    if any(name.startswith("cond_stage_model.model.") for name in shapes):
        return V2
    return _family(_widths(shapes, f"{UNET}", ".attn2.to_k.weight"))


# Adaptations


_LORA_MARKS = (
    ".lora_down.",
    ".lora_up.",
    ".lora_A.",
    ".lora_B.",
    "_lora.down.",
    "_lora.up.",
    ".lora.down.",
    ".lora.up.",
)
_LYCORIS_MARKS = (".hada_w", ".lokr_w", ".oft_blocks", ".oft_diag", ".dyn_up")
_FOREIGN_LORAS = (
    ("lora_unet_double_blocks", "Flux"),
    ("lora_unet_joint_blocks", "Stable Diffusion 3"),
    ("transformer.single_transformer_blocks", "Flux"),
    ("transformer.transformer_blocks", "Stable Diffusion 3 or Flux"),
    ("diffusion_model.double_blocks", "Flux"),
    ("diffusion_model.blocks.", "a video model"),
    ("diffusion_model.layers.", "another architecture"),
    ("transformer.blocks.", "another architecture"),
    ("lora_te2_", XL),
    ("text_encoder_2.", XL),
    ("lora_prior_", "Stable Cascade"),
)


def _lora(shapes: Mapping[str, Shape]) -> Contents | None:
    if any(mark in name for name in shapes for mark in _LYCORIS_MARKS):
        what = "a LyCORIS file (LoHa, LoKr and the like)"
        return Contents(kind=Kind.OTHER, family="", what=what)
    if not any(mark in name for name in shapes for mark in _LORA_MARKS):
        return None
    width = _lora_width(shapes)
    family = next((label for mark, label in _FOREIGN_LORAS if any(mark in name for name in shapes)), "")
    family = family or _family([width] if width else [])
    return Contents(kind=Kind.LORA, family=family, what=f"a LoRA for {family}", width=width)


def _lora_width(shapes: Mapping[str, Shape]) -> int:
    """What its cross-attention listens to, else what its text encoder computes in; 0 if it touches neither."""
    for marks in (
        ("attn2_to_k.", "attn2.to_k.", "attn2.processor.to_k_lora."),
        ("q_proj.", "q_proj_lora.", "mlp_fc1."),
    ):
        for name, shape in shapes.items():
            down = any(part in name for part in ("lora_down.weight", "lora_A.", "lora.down.weight"))
            if (down or "_lora.down.weight" in name) and any(mark in name for mark in marks) and len(shape) >= 2:
                return shape[1]
    return 0


def _embedding(shapes: Mapping[str, Shape]) -> Contents | None:
    if {"clip_l", "clip_g"} <= shapes.keys():
        return Contents(kind=Kind.EMBEDDING, family=XL, what=f"an embedding for {XL}", width=shapes["clip_l"][-1])
    if not 1 <= len(shapes) <= 4 or not all(_is_vectors(shape) for shape in shapes.values()):
        return None
    width = next(iter(shapes.values()))[-1]
    family = _family([width])
    return Contents(kind=Kind.EMBEDDING, family=family, what=f"an embedding for {family}", width=width)


_LEAST_WIDTH = 16


def _is_vectors(shape: Shape) -> bool:
    """One vector, or a few: far fewer than the weights of any layer have."""
    return len(shape) in (1, 2) and shape[-1] >= _LEAST_WIDTH and (len(shape) == 1 or 1 <= shape[0] < shape[1])


# Parts of models


def _vae(shapes: Mapping[str, Shape]) -> Contents | None:
    prefix = next(
        (beginning for beginning in ("", VAE, "vae.") if f"{beginning}decoder.conv_in.weight" in shapes), None
    )
    if prefix is None:
        return _tiny_vae(shapes)
    shape = shapes[f"{prefix}decoder.conv_in.weight"]
    if len(shape) != 4:
        return Contents(kind=Kind.OTHER, family="", what="the VAE of a video model")
    if shape[1] != 4:
        what = f"a VAE of {shape[1]} channels, as Stable Diffusion 3 and Flux have"
        return Contents(kind=Kind.OTHER, family="Stable Diffusion 3 or Flux", what=what)
    return Contents(kind=Kind.VAE, family=V1, what="a VAE", channels=4)


def _tiny_vae(shapes: Mapping[str, Shape]) -> Contents | None:
    if "decoder.layers.0.weight" in shapes and "encoder.layers.0.weight" in shapes:
        return Contents(kind=Kind.VAE, family=V1, what="a small VAE (TAESD)", channels=4)
    return None


_PARTS = (
    ("down_blocks.0.resnets.0.conv1.weight", "the UNet of a model folder, without the rest of it"),
    ("text_model.embeddings.token_embedding.weight", "a text encoder without the rest of a model"),
    ("embeddings.token_embedding.weight", "a text encoder without the rest of a model"),
    ("RDB1.conv1.weight", "an upscaler (ESRGAN)"),
    ("adapter.body.0.", "a T2I-Adapter"),
    ("image_proj.", "an IP-Adapter"),
    (f"{EMA}diffusion_model", "the running means of a model without the model"),
)


def _part(shapes: Mapping[str, Shape]) -> Contents | None:
    for mark, what in _PARTS:
        if any(mark in name for name in shapes):
            return Contents(kind=Kind.OTHER, family="", what=what)
    return None


def _widths(shapes: Mapping[str, Shape], beginning: str, end: str) -> list[int]:
    return [shape[1] for name, shape in shapes.items() if name.startswith(beginning) and name.endswith(end)]


def _family(widths: Iterable[int]) -> str:
    return next((WIDTHS[width] for width in widths if width in WIDTHS), V1)

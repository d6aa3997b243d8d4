"""The tensors that a single file must hold: names and shapes in the layout that Stable Diffusion was published in.

Written from the shape of the networks (arXiv 2112.10752, and CLIP's text encoder, arXiv 2103.00020), with the sizes
taken from diffusers' configs, so that a lacking tensor can be named before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.kinds import TEXT, UNET, VAE
from app.core.weights import Shape

Config = Mapping[str, Any]
Entry = tuple[str, Shape]


def unet_layout(config: Config) -> dict[str, Shape]:
    """For the config of a diffusers UNet2DConditionModel. Raises KeyError, TypeError, ValueError for nonsense."""
    return {f"{UNET}{name}": shape for name, shape in _unet(config)}


def vae_layout(config: Config, beginning: str = VAE) -> dict[str, Shape]:
    """For the config of a diffusers AutoencoderKL; raises as ``unet_layout``."""
    return {f"{beginning}{name}": shape for name, shape in _vae(config)}


def text_layout(config: Config) -> dict[str, Shape]:
    """For the config of a transformers CLIPTextModel; raises as ``unet_layout``."""
    return {f"{TEXT}text_model.{name}": shape for name, shape in _text(config)}


def same_shape(one: Shape, other: Shape) -> bool:
    """Equal but for sides of 1 at the end: attention may be stored as a 1 x 1 convolution or as a matrix."""
    return _squeezed(one) == _squeezed(other)


def _squeezed(shape: Shape) -> Shape:
    sides = list(shape)
    while len(sides) > 1 and sides[-1] == 1:
        sides.pop()
    return tuple(sides)


# UNet


def _unet(config: Config) -> Iterator[Entry]:
    sides = list(config["block_out_channels"])
    layers = int(config["layers_per_block"])
    down = [kind.startswith("CrossAttn") for kind in config["down_block_types"]]
    up = [kind.startswith("CrossAttn") for kind in config["up_block_types"]]
    block = _Blocks(
        time=4 * sides[0], text=int(config["cross_attention_dim"]), linear=bool(config.get("use_linear_projection"))
    )
    yield from _linear("time_embed.0", sides[0], block.time)
    yield from _linear("time_embed.2", block.time, block.time)
    yield from _conv("input_blocks.0.0", int(config["in_channels"]), sides[0])
    number, here, kept = 0, sides[0], [sides[0]]
    for level, side in enumerate(sides):
        for _ in range(layers):
            number += 1
            yield from block.resnet(f"input_blocks.{number}.0", here, side)
            here = side
            if down[level]:
                yield from block.transformer(f"input_blocks.{number}.1", here)
            kept.append(here)
        if level < len(sides) - 1:
            number += 1
            yield from _conv(f"input_blocks.{number}.0.op", here, here)
            kept.append(here)
    yield from block.resnet("middle_block.0", here, here)
    yield from block.transformer("middle_block.1", here)
    yield from block.resnet("middle_block.2", here, here)
    number = 0
    for level, side in enumerate(reversed(sides)):
        for layer in range(layers + 1):
            yield from block.resnet(f"output_blocks.{number}.0", here + kept.pop(), side)
            here = side
            if up[level]:
                yield from block.transformer(f"output_blocks.{number}.1", here)
            if layer == layers and level < len(sides) - 1:
                yield from _conv(f"output_blocks.{number}.{2 if up[level] else 1}.conv", here, here)
            number += 1
    yield from _norm("out.0", here)
    yield from _conv("out.2", here, int(config["out_channels"]))


class _Blocks:
    """The two kinds of block that a UNet is built of; ``time`` and ``text`` are the widths of what steers them."""

    def __init__(self, *, time: int, text: int, linear: bool) -> None:
        self.time = time
        self._text = text
        self._linear = linear

    def resnet(self, name: str, given: int, made: int) -> Iterator[Entry]:
        yield from _norm(f"{name}.in_layers.0", given)
        yield from _conv(f"{name}.in_layers.2", given, made)
        yield from _linear(f"{name}.emb_layers.1", self.time, made)
        yield from _norm(f"{name}.out_layers.0", made)
        yield from _conv(f"{name}.out_layers.3", made, made)
        if given != made:
            yield from _conv(f"{name}.skip_connection", given, made, 1)

    def transformer(self, name: str, side: int) -> Iterator[Entry]:
        yield from _norm(f"{name}.norm", side)
        for end in ("proj_in", "proj_out"):
            yield from _linear(f"{name}.{end}", side, side) if self._linear else _conv(f"{name}.{end}", side, side, 1)
        inner = f"{name}.transformer_blocks.0"
        for attention, listened in (("attn1", side), ("attn2", self._text)):
            yield f"{inner}.{attention}.to_q.weight", (side, side)
            yield f"{inner}.{attention}.to_k.weight", (side, listened)
            yield f"{inner}.{attention}.to_v.weight", (side, listened)
            yield from _linear(f"{inner}.{attention}.to_out.0", side, side)
        yield from _linear(f"{inner}.ff.net.0.proj", side, 8 * side)  # GEGLU: twice 4 x
        yield from _linear(f"{inner}.ff.net.2", 4 * side, side)
        for number in (1, 2, 3):
            yield from _norm(f"{inner}.norm{number}", side)


# VAE


def _vae(config: Config) -> Iterator[Entry]:
    sides = list(config["block_out_channels"])
    layers = int(config["layers_per_block"])
    latents = int(config["latent_channels"])
    last = sides[-1]
    yield from _conv("encoder.conv_in", int(config.get("in_channels", 3)), sides[0])
    here = sides[0]
    for level, side in enumerate(sides):
        for layer in range(layers):
            yield from _vae_resnet(f"encoder.down.{level}.block.{layer}", here, side)
            here = side
        if level < len(sides) - 1:
            yield from _conv(f"encoder.down.{level}.downsample.conv", here, here)
    yield from _vae_middle("encoder", last)
    yield from _norm("encoder.norm_out", last)
    yield from _conv("encoder.conv_out", last, 2 * latents)
    yield from _conv("quant_conv", 2 * latents, 2 * latents, 1)
    yield from _conv("post_quant_conv", latents, latents, 1)
    yield from _conv("decoder.conv_in", latents, last)
    yield from _vae_middle("decoder", last)
    here = last
    for level, side in reversed(list(enumerate(sides))):
        for layer in range(layers + 1):
            yield from _vae_resnet(f"decoder.up.{level}.block.{layer}", here, side)
            here = side
        if level > 0:
            yield from _conv(f"decoder.up.{level}.upsample.conv", here, here)
    yield from _norm("decoder.norm_out", here)
    yield from _conv("decoder.conv_out", here, int(config.get("out_channels", 3)))


def _vae_middle(part: str, side: int) -> Iterator[Entry]:
    yield from _vae_resnet(f"{part}.mid.block_1", side, side)
    yield from _norm(f"{part}.mid.attn_1.norm", side)
    for name in ("q", "k", "v", "proj_out"):
        yield from _conv(f"{part}.mid.attn_1.{name}", side, side, 1)
    yield from _vae_resnet(f"{part}.mid.block_2", side, side)


def _vae_resnet(name: str, given: int, made: int) -> Iterator[Entry]:
    yield from _norm(f"{name}.norm1", given)
    yield from _conv(f"{name}.conv1", given, made)
    yield from _norm(f"{name}.norm2", made)
    yield from _conv(f"{name}.conv2", made, made)
    if given != made:
        yield from _conv(f"{name}.nin_shortcut", given, made, 1)


# Text encoder


def _text(config: Config) -> Iterator[Entry]:
    width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    yield "embeddings.token_embedding.weight", (int(config["vocab_size"]), width)
    yield "embeddings.position_embedding.weight", (int(config["max_position_embeddings"]), width)
    for number in range(int(config["num_hidden_layers"])):
        layer = f"encoder.layers.{number}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            yield from _linear(f"{layer}.self_attn.{name}", width, width)
        yield from _norm(f"{layer}.layer_norm1", width)
        yield from _linear(f"{layer}.mlp.fc1", width, inner)
        yield from _linear(f"{layer}.mlp.fc2", inner, width)
        yield from _norm(f"{layer}.layer_norm2", width)
    yield from _norm("final_layer_norm", width)


# Layers


def _linear(name: str, given: int, made: int) -> Iterator[Entry]:
    yield f"{name}.weight", (made, given)
    yield f"{name}.bias", (made,)


def _conv(name: str, given: int, made: int, side: int = 3) -> Iterator[Entry]:
    yield f"{name}.weight", (made, given, side, side)
    yield f"{name}.bias", (made,)


def _norm(name: str, width: int) -> Iterator[Entry]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)

"""One pass through the UNet, written out: what prompt and negative prompt share is computed once, so is what the layers
hear in the texts, and the deep part can be kept for the next step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import diffusers
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from diffusers.models.attention_processor import AttnProcessor2_0

DRAFT = 3
"""A draft computes the deep part at every so manieth step."""
_PLAIN = {
    "center_input_sample": False,
    "class_embed_type": None,
    "num_class_embeds": None,
    "addition_embed_type": None,
    "encoder_hid_dim": None,
    "encoder_hid_dim_type": None,
    "time_cond_proj_dim": None,
    "time_embedding_type": "positional",
    "time_embedding_act_fn": None,
    "attention_type": "default",
    "dual_cross_attention": False,
    "only_cross_attention": False,
    "mid_block_type": "UNetMidBlock2DCrossAttn",
}
"""What Stable Diffusion v1 says, and all that this pass does."""
_BLOCKS = {"CrossAttnDownBlock2D", "DownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"}


def is_plain(unet: Any) -> bool:
    """Whether the UNet is of the kind that ``SharedPass`` knows, any size of it."""
    if not isinstance(unet, diffusers.UNet2DConditionModel):
        return False  # one that works row by row, say
    config = unet.config
    blocks = {*config.down_block_types, *config.up_block_types}
    attentions = [attention for block in unet.down_blocks for attention in _attentions(block)]
    return (
        all(config.get(name, usual) == usual for name, usual in _PLAIN.items())
        and blocks <= _BLOCKS
        and bool(unet.conv_norm_out)
        and all(attention.transformer_blocks[0].norm_type == "layer_norm" for attention in attentions)
    )


class SharedPass:
    """Calls a plain UNet's layers in their order.

    It takes each candidate's latents once, however many texts speak about them: until the first text is listened to,
    all of them would have the same numbers. ``every``: the deep part of the network, all but the layers nearest to the
    latents, is computed at every so manieth step and kept in between, where it changes little (DeepCache,
    arXiv 2312.00858); 1 computes it always. Keys and values of the texts are kept as long as the same tensor of texts
    comes. Kept parts belong to one run: make a new one for the next.
    """

    def __init__(self, unet: Any, every: int = 1) -> None:
        self._unet = unet
        self.config = unet.config
        self.dtype: torch.dtype = unet.dtype
        self._every = every
        self._age = 0
        self._deep: torch.Tensor | None = None
        self._texts: torch.Tensor | None = None
        self._heard: _Heard = {}

    def predict(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """``x``: N x C x h x w; ``texts``: kN x tokens x width, those of a candidate side by side -> kN x 4 x h x w."""
        unet = self._unet
        times = unet.time_embedding(unet.time_proj(t.reshape(1)).to(x.dtype))  # one row, for all
        if not _is_same(texts, self._texts):
            self._texts, self._heard = texts, {}
        run = _Run(times=times, texts=texts, heard=self._heard)
        x = unet.conv_in(x)
        if self._deep is not None and (len(self._deep) != len(texts) or self._age >= self._every):
            self._deep = None
        self._age = 1 if self._deep is None else self._age + 1
        return self._whole(run, x) if self._deep is None else self._shallow(run, x, self._deep)

    def _whole(self, run: _Run, x: torch.Tensor) -> torch.Tensor:
        unet = self._unet
        passed = [x]
        for block in unet.down_blocks:
            for resnet, attention in _layers(block):
                x = run.layer(resnet, attention, x)
                passed.append(x)
            for downsampler in block.downsamplers or ():
                x = downsampler(x)
                passed.append(x)
        middle = unet.mid_block
        x = middle.resnets[0](x, run.times)
        for attention, resnet in zip(middle.attentions, middle.resnets[1:], strict=True):
            x = resnet(run.attend(attention, x), run.times)
        x = run.each(x)
        for block in unet.up_blocks[:-1]:
            for layer in _layers(block):
                x = run.join(layer, x, passed.pop())
            for upsampler in block.upsamplers or ():
                x = upsampler(x, passed[-1].shape[2:])
        *deep, first, second = _layers(unet.up_blocks[-1])
        for layer in deep:
            x = run.join(layer, x, passed.pop())
        if self._every > 1:
            self._deep = x
        return self._end(run, x, first, second, passed)

    def _shallow(self, run: _Run, x: torch.Tensor, deep: torch.Tensor) -> torch.Tensor:
        """Only the two layers that see the finest of what comes down, and the one that makes it."""
        resnet, attention = _layers(self._unet.down_blocks[0])[0]
        passed = [x, run.layer(resnet, attention, x)]
        *_, first, second = _layers(self._unet.up_blocks[-1])
        return self._end(run, deep, first, second, passed)

    def _end(
        self, run: _Run, x: torch.Tensor, first: _Layer, second: _Layer, passed: list[torch.Tensor]
    ) -> torch.Tensor:
        unet = self._unet
        x = run.join(first, x, passed.pop())
        x = run.join(second, x, passed.pop())
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))


_Layer = tuple[Any, Any]
"""A residual block, and the transformer after it or None."""
_Heard = dict[Any, tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of the texts, by the attention that made them: kN x heads x tokens x width of a head."""


class _Run:
    """What is the same all through one pass. ``times``: 1 x width. ``texts``: kN x tokens x width. ``heard`` is filled
    in the first pass, and serves all that have the same texts."""

    def __init__(self, *, times: torch.Tensor, texts: torch.Tensor, heard: _Heard) -> None:
        self.times, self._texts, self._heard = times, texts, heard

    def each(self, x: torch.Tensor) -> torch.Tensor:
        """A row for each text."""
        copies = len(self._texts) // len(x)
        if copies == 1:
            return x
        return torch.cat([one for one in x.split(1) for _ in range(copies)])  # cat keeps the layout

    def layer(self, resnet: Any, attention: Any, x: torch.Tensor) -> torch.Tensor:
        x = resnet(x, self.times)
        return x if attention is None else self.attend(attention, x)

    def join(self, layer: _Layer, x: torch.Tensor, passed: torch.Tensor) -> torch.Tensor:
        return self.layer(*layer, torch.cat([x, self.each(passed)], dim=1))

    def attend(self, transformer: Any, x: torch.Tensor) -> torch.Tensor:
        """A Transformer2DModel; where it is the first, what comes out has a row for each text."""
        height, width = x.shape[2:]
        linear = transformer.use_linear_projection
        h = transformer.norm(x)
        h = _to_rows(h) if linear else transformer.proj_in(h)
        h = transformer.proj_in(h) if linear else _to_rows(h)
        for block in transformer.transformer_blocks:
            h = block.attn1(block.norm1(h)).add_(h)  # into what has just been made
            h, x = self.each(h), self.each(x)
            h = self.listen(block.attn2, block.norm2(h)).add_(h)
            h = block.ff(block.norm3(h)).add_(h)
        h = transformer.proj_out(h) if linear else _to_planes(h, height, width)
        return (_to_planes(h, height, width) if linear else transformer.proj_out(h)) + x

    def listen(self, attention: Any, h: torch.Tensor) -> torch.Tensor:
        """Cross-attention to the texts."""
        if not _is_usual(attention):
            return attention(h, encoder_hidden_states=self._texts)
        if attention not in self._heard:
            keys, values = attention.to_k(self._texts), attention.to_v(self._texts)
            self._heard[attention] = _by_head(keys, attention.heads), _by_head(values, attention.heads)
        heard = F.scaled_dot_product_attention(_by_head(attention.to_q(h), attention.heads), *self._heard[attention])
        to_out, dropout = attention.to_out
        return dropout(to_out(heard.transpose(1, 2).flatten(2)))


def _is_same(one: torch.Tensor, other: torch.Tensor | None) -> bool:
    """Whether they are the same memory: while one is held, nothing else can stand there."""
    return other is not None and one.shape == other.shape and one.data_ptr() == other.data_ptr()


def _is_usual(attention: Any) -> bool:
    """Whether an attention does what ``listen`` does, and not in another way: by slices, say."""
    return (
        type(attention.processor) is AttnProcessor2_0
        and attention.residual_connection is False
        and attention.rescale_output_factor == 1
        and not attention.norm_cross
        and all(getattr(attention, name) is None for name in ("spatial_norm", "group_norm", "norm_q", "norm_k"))
    )


def _by_head(x: torch.Tensor, heads: int) -> torch.Tensor:
    """N x tokens x C -> N x heads x tokens x C/heads."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def _to_rows(x: torch.Tensor) -> torch.Tensor:
    """N x C x h x w -> N x hw x C."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _to_planes(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """N x hw x C -> N x C x h x w, channels last."""
    return x.unflatten(1, (height, width)).permute(0, 3, 1, 2)


def _attentions(block: Any) -> Iterator[Any]:
    yield from getattr(block, "attentions", ())


def _layers(block: Any) -> list[_Layer]:
    attentions = list(_attentions(block)) or [None] * len(block.resnets)
    return list(zip(block.resnets, attentions, strict=True))

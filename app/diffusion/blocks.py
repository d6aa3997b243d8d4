"""Blocks of a network for the processor: diffusers' own, computed with fewer and smaller arrays; the same up to
rounding."""

from __future__ import annotations

from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from diffusers.models.activations import GEGLU
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from app.diffusion.packed import PackedHalves


def quicken_blocks(network: nn.Module) -> None:
    """Put quick blocks into the places of the network's own, over the same layers; names and kinds stay."""
    for path, block in list(network.named_modules()):
        made = _quick(block)
        if made is not None:
            parent, _, name = path.rpartition(".")
            setattr(network.get_submodule(parent), name, made)


def _quick(block: nn.Module) -> nn.Module | None:
    if type(block) is ResnetBlock2D and _is_plain(block):
        return QuickResnet.over(block)
    return QuickGeglu.over(block) if type(block) is GEGLU and isinstance(block.proj, PackedHalves) else None


def _is_plain(resnet: Any) -> bool:
    return (
        resnet.time_embedding_norm == "default"
        and not resnet.skip_time_act
        and resnet.upsample is None
        and resnet.downsample is None
        and resnet.output_scale_factor == 1
        and isinstance(resnet.nonlinearity, nn.SiLU)
    )


class _Over(nn.Module):
    @classmethod
    def over(cls, block: Any) -> Self:
        """Of the same layers, attributes and hooks as the block."""
        made = cls.__new__(cls)
        made.__dict__ = block.__dict__
        return made


class QuickResnet(_Over, ResnetBlock2D):
    """A residual block that writes into what it has just made, in place of asking the system for memory six times: that
    takes longer than the sums."""

    norm1: Any
    norm2: Any
    conv1: Any
    conv2: Any
    dropout: Any
    time_emb_proj: Any
    conv_shortcut: Any

    def forward(self, x: torch.Tensor, temb: torch.Tensor | None, *_: Any, **__: Any) -> torch.Tensor:
        h = self.conv1(F.silu(self.norm1(x), inplace=True))
        if self.time_emb_proj is not None and temb is not None:
            h += self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h), inplace=True)))
        h += x if self.conv_shortcut is None else self.conv_shortcut(x)
        return h


class QuickGeglu(_Over, GEGLU):
    """A gated layer whose gate is taken while the products are still at hand; not where a LoRA stands before it."""

    proj: Any

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        return self.proj.gated(x) if isinstance(self.proj, PackedHalves) else super().forward(x, *args, **kwargs)

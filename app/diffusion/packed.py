"""Layers for the processor: the same numbers up to rounding, their weights laid out once for how they are read."""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Iterator
from typing import Any, Self

import torch
from diffusers.models.activations import GEGLU
from torch import nn

from app.diffusion.reading import Read, as_it_is
from app.diffusion.winograd import LARGE, SMALL, Filter, Scratch, convolved, pack, product, transformed

log = logging.getLogger(__name__)

LEAST = 32
"""Numbers a row: under it, matrices are too narrow for packing to pay."""
LEAST_WINOGRAD = 64
"""Channels: with fewer, transforming a tile costs more than the multiplications that it saves."""
_ROWS = 2048
"""Rows of an input that packing counts on; others were measured to be as fast."""
_LEVEL = re.compile(r"(?:^|\.)(?P<way>down|up)_blocks\.(?P<number>\d+)\.")


@functools.cache
def usable() -> bool:
    """Whether this build of torch has what the layers are made of, and computes right with it: these operators are
    made for its own compiler, and not promised to anybody."""
    if not torch.backends.mkldnn.is_available():
        return False
    weight, x = torch.eye(LEAST) * 2, torch.ones(2, LEAST)
    conv = torch.nn.functional.pad(weight[:, :, None, None], (1, 1, 1, 1))
    plane, sides = x.T.reshape(1, LEAST, 1, 2).contiguous(memory_format=torch.channels_last), ([1, 1], [1, 1], [1, 1])
    try:
        matrix = pack(weight, 2)
        rows = product(x, matrix, None)
        gates = torch.ops.mkldnn._linear_pointwise(x, matrix, None, "gelu", [], "none")
        gated = torch.ops.mkldnn._linear_pointwise.binary(x, rows, matrix, None, "mul")
        packed = torch.ops.mkldnn._reorder_convolution_weight(conv, *sides, 1, [1, LEAST, 1, 2])
        planes = torch.ops.mkldnn._convolution_pointwise(plane, packed, None, *sides, 1, "none", [], "")
    except (AttributeError, RuntimeError, TypeError, NotImplementedError) as error:
        log.info("layers stay as they are: %s", error)
        return False
    right = torch.allclose(gates, torch.nn.functional.gelu(rows), atol=1e-5)
    return bool(right and (rows == 2).all() and (gated == 4).all() and (planes == 2).all())


def pack_network(network: nn.Module, most_extra: float, small_from: int | None = None, read: Read = as_it_is) -> None:
    """Put packed layers into the places of the network's own.

    Every layer keeps its name, its kind (a PackedLinear is an nn.Linear), its bias and its shape, so that LoRAs and
    hooks find it; its plain weights are let go. ``most_extra``: bytes of memory that Winograd's larger weights may take
    beyond the plain ones, as a part of the network's own; 0 is the way that takes no more memory than stock. The layers
    with the largest pictures come first: they win most for their price. ``small_from``: the level from which pictures
    have few tiles. ``read`` gives a layer's weights, one after another, so that no two plain ones are held. What is
    packed and how depends on the model alone, so that the same Request gives the same picture again, whatever was
    painted before.
    """
    began = time.perf_counter()
    left = most_extra * sum(value.numel() * value.element_size() for value in network.parameters())
    scratch = Scratch()
    count = 0
    for path, layer in sorted(_layers(network), key=lambda one: (_level(one[0], network), one[0])):
        made: nn.Module | None = None
        if isinstance(layer, nn.Linear):
            if min(layer.in_features, layer.out_features) >= LEAST:
                gate = type(network.get_submodule(path.rpartition(".")[0])) is GEGLU
                made = (PackedHalves if gate else PackedLinear)(_with_weights(path, layer, read))
        elif _suits_winograd(layer) and (price := _winograd(path, network, small_from).price(layer)) <= left:
            left -= price
            made = _winograd(path, network, small_from).of(_with_weights(path, layer, read), scratch)
        elif min(layer.in_channels, layer.out_channels) >= LEAST and layer.groups == 1:
            made = (PointConv if _is_point(layer) else PackedConv).of(_with_weights(path, layer, read), scratch)
        if made is not None:
            parent, _, name = path.rpartition(".")
            setattr(network.get_submodule(parent), name, made)
            count += 1
    scratch.clear()
    log.info("%d layers packed in %.1f s", count, time.perf_counter() - began)


def _layers(network: nn.Module) -> Iterator[tuple[str, Any]]:
    for path, layer in network.named_modules():
        if type(layer) in (nn.Linear, nn.Conv2d) and layer.weight.dtype == torch.float32:
            yield path, layer


def _with_weights(path: str, layer: Any, read: Read) -> Any:
    layer.weight.data = read(f"{path}.weight", layer.weight)
    return layer


def _is_point(layer: Any) -> bool:
    return layer.kernel_size == (1, 1) and layer.stride == (1, 1) and layer.padding == (0, 0)


def _suits_winograd(layer: Any) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.stride == (1, 1)
        and layer.padding == (1, 1)
        and layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.padding_mode == "zeros"
        and min(layer.in_channels, layer.out_channels) >= LEAST_WINOGRAD
    )


def _level(path: str, network: Any) -> int:
    """How often the picture was halved where the layer works."""
    levels = len(getattr(getattr(network, "config", None), "block_out_channels", ())) or 1
    match = _LEVEL.search(path)
    if match is None:
        return levels - 1 if "mid_block" in path else 0
    number = int(match["number"])
    return number if match["way"] == "down" else max(0, levels - 1 - number - ("upsamplers" in path))


def _shape_alone(weight: torch.Tensor) -> nn.Parameter:
    """What stands for plain weights that were let go: of their shape, without memory; NaN, so that nobody computes
    with it unnoticed."""
    return nn.Parameter(torch.full((1,), torch.nan).expand(weight.shape), requires_grad=False)


class PackedLinear(nn.Linear):
    """A linear layer whose matrix stands in oneDNN's blocks."""

    def __init__(self, layer: nn.Linear) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self._packed = self._laid_out(layer.weight.detach())
        self.weight, self.bias = _shape_alone(layer.weight), layer.bias
        layer.weight = self.weight  # the plain weights go, even while somebody still holds the layer

    def _laid_out(self, weight: torch.Tensor) -> Any:
        return pack(weight, _ROWS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return product(x, self._packed, self.bias)


class PackedHalves(PackedLinear):
    """One that gives values and their gate side by side: each half has a matrix of its own."""

    def _laid_out(self, weight: torch.Tensor) -> Any:
        return [pack(half.contiguous(), _ROWS) for half in weight.chunk(2)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([product(x, *half) for half in self._halves()], dim=-1)

    def gated(self, x: torch.Tensor) -> torch.Tensor:
        """The values times the GELU of their gate."""
        (values, of_values), (gate, of_gate) = self._halves()
        opened = torch.ops.mkldnn._linear_pointwise(x, gate, of_gate, "gelu", [], "none")
        return torch.ops.mkldnn._linear_pointwise.binary(x, opened, values, of_values, "mul")

    def _halves(self) -> Iterator[tuple[Any, Any]]:
        biases = (None, None) if self.bias is None else self.bias.chunk(2)
        return zip(self._packed, biases, strict=True)


class PackedConv(nn.Conv2d):
    """A convolution whose weights stand in oneDNN's blocks; stock torch orders them at every call.

    One that is made by its constructor, as peft makes a LoRA's from the kind of the layer it is for, is a plain one.
    """

    _packed: Any = None
    _sides: Any = None
    _scratch: Any = None

    @classmethod
    def of(cls, layer: nn.Conv2d, scratch: Scratch) -> Self:
        made = cls.__new__(cls)
        nn.Module.__init__(made)
        for name in _SHAPE:
            setattr(made, name, getattr(layer, name))
        made._sides = list(made.padding), list(made.stride), list(made.dilation)
        made._scratch = scratch
        made._packed = made._laid_out(layer.weight.detach())
        made.weight, made.bias = _shape_alone(layer.weight), layer.bias
        layer.weight = made.weight
        return made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) if self._packed is None else self._convolved(x)

    def _laid_out(self, weight: torch.Tensor) -> Any:
        # oneDNN takes them channels last; torch would make them so in fresh memory, which takes as long as the rest
        outputs, inputs, height, width = weight.shape
        last = self._scratch.take("last", outputs, height, width, inputs)
        last.copy_(weight.permute(0, 2, 3, 1))
        usual = [2, self.in_channels, 16, 16]
        return torch.ops.mkldnn._reorder_convolution_weight(last.permute(0, 3, 1, 2), *self._sides, 1, usual)

    def _convolved(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        return torch.ops.mkldnn._convolution_pointwise(x, self._packed, self.bias, *self._sides, 1, "none", [], "")


class PointConv(PackedConv):
    """A 1 x 1 convolution as the product of matrices that it is: in a profile of a step at 256 px, five packed
    convolutions of this kind, on pictures of 4 x 4, took a sixth of the time, and next to nothing as products."""

    def _laid_out(self, weight: torch.Tensor) -> Any:
        return pack(weight.flatten(1), _ROWS)

    def _convolved(self, x: torch.Tensor) -> torch.Tensor:
        return product(x.permute(0, 2, 3, 1).contiguous(), self._packed, self.bias).permute(0, 3, 1, 2)


class WinogradConv(PackedConv):
    """A 3 x 3 convolution by Winograd; its weights take four times the memory."""

    by: Filter = LARGE

    @classmethod
    def price(cls, layer: nn.Conv2d) -> float:
        """Bytes that its weights take beyond the plain ones."""
        return layer.weight.numel() * layer.weight.element_size() * (cls.by.side**2 / 9 - 1)

    def _laid_out(self, weight: torch.Tensor) -> Any:
        return [pack(matrix, _ROWS) for matrix in transformed(weight, self.by, self._scratch)]

    def _convolved(self, x: torch.Tensor) -> torch.Tensor:
        return convolved(x, self._packed, self.out_channels, self.bias, self.by, self._scratch)


class SmallWinogradConv(WinogradConv):
    """The same for pictures of few tiles; its weights take 1.8 times the memory."""

    by = SMALL


def _winograd(path: str, network: nn.Module, small_from: int | None) -> type[WinogradConv]:
    return WinogradConv if small_from is None or _level(path, network) < small_from else SmallWinogradConv


_SHAPE = (
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "transposed", "output_padding",
    "groups", "padding_mode", "_reversed_padding_repeated_twice",
)  # fmt: skip
"""What makes up a convolution beside its weights."""

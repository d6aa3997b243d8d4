"""3 x 3 convolutions by Winograd's minimal filtering F(4 x 4, 3 x 3): a quarter of the multiplications (Lavin and Gray,
Fast Algorithms for Convolutional Neural Networks, arXiv 1509.09308)."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

TILE = 4
"""Pixels a side of what one tile gives; it takes two more."""
_SIDE = TILE + 2
_POINTS = _SIDE * _SIDE
STRIP = 64 << 20
"""Bytes that a strip of tiles may take: of 6, 16 and 64 MB the most was best."""

# the matrices B^T, G and A^T of the paper, section 4.3
_INPUT = torch.tensor(
    [
        [4.0, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_WEIGHT = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
_OUTPUT = torch.tensor([[1.0, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
# both directions of a tile in one matrix product
_INPUT_2D, _OUTPUT_2D, _WEIGHT_2D = (torch.kron(one, one).contiguous() for one in (_INPUT, _OUTPUT, _WEIGHT))


class Scratch:
    """Memory that the strips of all layers share: to ask the system for it anew costs more than to work in it."""

    def __init__(self) -> None:
        self._held: dict[str, torch.Tensor] = {}

    def take(self, name: str, *shape: int) -> torch.Tensor:
        count = 1
        for side in shape:
            count *= side
        held = self._held.get(name)
        if held is None or held.numel() < count:
            held = self._held[name] = torch.empty(count)
        return held[:count].view(shape)

    def clear(self) -> None:
        self._held.clear()


def transformed(weight: torch.Tensor, scratch: Scratch) -> torch.Tensor:
    """O x C x 3 x 3 -> 36 x O x C in the domain in which convolving is a product of matrices; in ``scratch``."""
    outputs, channels = weight.shape[:2]
    made = scratch.take("weight", _POINTS, outputs * channels)
    torch.mm(_WEIGHT_2D, weight.flatten(2).flatten(0, 1).T, out=made)
    return made.view(_POINTS, outputs, channels)


def pack(matrix: torch.Tensor, rows: int) -> torch.Tensor:
    """O x C -> the same in the blocks that oneDNN multiplies fastest, for inputs of about so many rows."""
    return torch.ops.mkldnn._reorder_linear_weight(matrix, rows)


def product(x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """... x C -> ... x O with a packed matrix."""
    return torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def convolved(
    x: torch.Tensor, packed: list[torch.Tensor], outputs: int, bias: torch.Tensor | None, scratch: Scratch
) -> torch.Tensor:
    """B x C x H x W -> B x O x H x W, channels last, with a border of zeros. ``packed``: each of the 36 transformed
    matrices."""
    count, channels, height, width = x.shape
    down, across = -(-height // TILE), -(-width // TILE)
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, across * TILE + 1 - width, 1, down * TILE + 1 - height))
    padded = padded.contiguous()  # B x H' x W' x C
    out = torch.empty(count, down * TILE, across * TILE, outputs)
    of_row = 4 * _POINTS * across * (2 * channels + outputs)
    rows = max(1, min(down, STRIP // of_row))
    at_once = max(1, min(count, STRIP // (of_row * down))) if rows == down else 1
    for first in range(0, count, at_once):
        some = padded[first : first + at_once]
        for top in range(0, down, rows):
            bottom = min(down, top + rows)
            _strip(
                some[:, top * TILE : bottom * TILE + 2],
                packed,
                bias,
                out[first : first + at_once, top * TILE : bottom * TILE],
                scratch,
            )
    return out.permute(0, 3, 1, 2)[:, :, :height, :width]


def _strip(
    x: torch.Tensor, packed: list[torch.Tensor], bias: torch.Tensor | None, out: torch.Tensor, scratch: Scratch
) -> None:
    """B x 4r + 2 x 4t + 2 x C -> into ``out``, B x 4r x 4t x O."""
    count, height, width, outputs = out.shape
    channels = x.shape[3]
    down, across = height // TILE, width // TILE
    tiles = count * down * across
    of_picture, of_row, of_pixel, _ = x.stride()
    windows = x.as_strided(
        (_SIDE, _SIDE, count, down, across, channels),
        (of_row, of_pixel, of_picture, TILE * of_row, TILE * of_pixel, 1),
    )
    cut = scratch.take("cut", _SIDE, _SIDE, count, down, across, channels)
    cut.copy_(windows)
    inputs = scratch.take("inputs", _POINTS, tiles * channels)
    torch.mm(_INPUT_2D, cut.view(_POINTS, -1), out=inputs)
    products = scratch.take("products", _POINTS, tiles, outputs)
    for point, matrix in enumerate(packed):
        products[point].copy_(product(inputs[point].view(tiles, channels), matrix, None))
    made = scratch.take("cut", TILE * TILE, tiles * outputs)
    torch.mm(_OUTPUT_2D, products.view(_POINTS, -1), out=made)
    target = out.view(count, down, TILE, across, TILE, outputs).permute(2, 4, 0, 1, 3, 5)
    made = made.view(TILE, TILE, count, down, across, outputs)
    if bias is None:
        target.copy_(made)
    else:
        torch.add(made, bias, out=target)

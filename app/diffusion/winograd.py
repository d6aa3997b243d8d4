"""3 x 3 convolutions by Winograd's minimal filtering: a quarter of the multiplications, or four ninths (Lavin and Gray,
Fast Algorithms for Convolutional Neural Networks, arXiv 1509.09308)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

STRIP = 64 << 20
"""Bytes that a strip of tiles may take: of 16, 32 and 64 MB the most was best, its products are the largest."""
_CHUNK = 1 << 15
"""Numbers of one point that are transformed at a time, so that they stay in the cache from one sum to the next."""

Rows = Sequence[torch.Tensor]
"""One tensor for each row of a small matrix that is multiplied from the left."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """F(``tile`` x ``tile``, 3 x 3). ``weight``: the paper's G. ``spread`` and ``gather`` are its B^T and A^T, written
    as sums of whole arrays: both are short, and as matrix products they took as long as the products proper."""

    tile: int
    weight: torch.Tensor
    spread: Callable[[Rows, Rows, torch.Tensor, torch.Tensor], None]
    gather: Callable[[Rows, Rows, torch.Tensor], None]

    @property
    def side(self) -> int:
        """Pixels a side of what a tile takes."""
        return self.tile + 2


def _spread_4(d: Rows, v: Rows, one: torch.Tensor, two: torch.Tensor) -> None:
    """4 0 -5 0 1 0 | 0 -4 -4 1 1 0 | 0 4 -4 -1 1 0 | 0 -2 -1 2 1 0 | 0 2 -1 -2 1 0 | 0 4 0 -5 0 1"""
    torch.add(d[4], d[2], alpha=-4, out=one)
    torch.add(d[3], d[1], alpha=-4, out=two)
    torch.add(one, two, out=v[1])
    torch.sub(one, two, out=v[2])
    torch.sub(d[4], d[2], out=one)
    torch.sub(d[3], d[1], out=two)
    torch.add(one, two, alpha=2, out=v[3])
    torch.add(one, two, alpha=-2, out=v[4])
    torch.sub(d[0], d[2], out=v[0])
    torch.add(one, v[0], alpha=4, out=v[0])
    torch.sub(d[5], d[3], out=v[5])
    torch.add(v[5], two, alpha=-4, out=v[5])


def _gather_4(m: Rows, y: Rows, one: torch.Tensor) -> None:
    """1 1 1 1 1 0 | 0 1 -1 2 -2 0 | 0 1 1 4 4 0 | 0 1 -1 8 -8 1"""
    torch.add(m[1], m[2], out=y[0])
    torch.add(m[3], m[4], out=one)
    torch.add(y[0], one, alpha=4, out=y[2])
    torch.add(y[0], one, out=y[0])
    torch.add(y[0], m[0], out=y[0])
    torch.sub(m[1], m[2], out=y[1])
    torch.sub(m[3], m[4], out=one)
    torch.add(y[1], one, alpha=8, out=y[3])
    torch.add(y[3], m[5], out=y[3])
    torch.add(y[1], one, alpha=2, out=y[1])


def _spread_2(d: Rows, v: Rows, one: torch.Tensor, two: torch.Tensor) -> None:
    """1 0 -1 0 | 0 1 1 0 | 0 -1 1 0 | 0 1 0 -1"""
    torch.sub(d[0], d[2], out=v[0])
    torch.add(d[1], d[2], out=v[1])
    torch.sub(d[2], d[1], out=v[2])
    torch.sub(d[1], d[3], out=v[3])


def _gather_2(m: Rows, y: Rows, one: torch.Tensor) -> None:
    """1 1 1 0 | 0 1 -1 -1"""
    torch.add(m[0], m[1], out=y[0])
    torch.add(y[0], m[2], out=y[0])
    torch.sub(m[1], m[2], out=y[1])
    torch.sub(y[1], m[3], out=y[1])


_G4 = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
_G2 = [[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]
LARGE = Filter(tile=4, weight=torch.tensor(_G4) / 24, spread=_spread_4, gather=_gather_4)
"""A quarter of the multiplications for four times the weights."""
SMALL = Filter(tile=2, weight=torch.tensor(_G2) / 2, spread=_spread_2, gather=_gather_2)
"""Four ninths of the multiplications for 1.8 times the weights: for pictures of few tiles, where weights that are read
once for a handful of rows take longer than the multiplications."""


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


def transformed(weight: torch.Tensor, by: Filter, scratch: Scratch) -> torch.Tensor:
    """O x C x 3 x 3 -> points x O x C in the domain in which convolving is a product of matrices; in ``scratch``."""
    outputs, channels = weight.shape[:2]
    points = by.side * by.side
    made = scratch.take("weight", points, outputs * channels)
    torch.mm(torch.kron(by.weight, by.weight), weight.flatten(2).flatten(0, 1).T, out=made)
    return made.view(points, outputs, channels)


def pack(matrix: torch.Tensor, rows: int) -> torch.Tensor:
    """O x C -> the same in the blocks that oneDNN multiplies fastest, for inputs of about so many rows."""
    return torch.ops.mkldnn._reorder_linear_weight(matrix, rows)


def product(x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """... x C -> ... x O with a packed matrix."""
    return torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def convolved(
    x: torch.Tensor,
    packed: list[torch.Tensor],
    outputs: int,
    bias: torch.Tensor | None,
    by: Filter,
    scratch: Scratch,
) -> torch.Tensor:
    """B x C x H x W -> B x O x H x W, channels last, with a border of zeros. ``packed``: the transformed matrix of each
    point."""
    count, channels, height, width = x.shape
    down, across = -(-height // by.tile), -(-width // by.tile)
    out = torch.empty(count, down * by.tile, across * by.tile, outputs)
    of_row = 4 * by.side**2 * across * (2 * channels + outputs)
    for some, rows in _parts(count, down, of_row, STRIP):
        points = _spread(x[some].permute(0, 2, 3, 1), rows, across, by, scratch)
        products = [
            product(matrix, weights, bias if point == by.side + 1 else None)  # gathered into every pixel, once
            for point, (matrix, weights) in enumerate(zip(points, packed, strict=True))
        ]
        _gather(products, out[some, rows.start * by.tile : rows.stop * by.tile], by, scratch)
    return out.permute(0, 3, 1, 2)[:, :, :height, :width]


def _parts(count: int, rows: int, of_row: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Pictures and rows that are worked on at a time: several pictures, or some rows of one."""
    if rows * of_row <= most:
        at_once = most // (rows * of_row)
        for first in range(0, count, at_once):
            yield slice(first, min(count, first + at_once)), slice(0, rows)
        return
    step = max(1, most // of_row)
    for one in range(count):
        for top in range(0, rows, step):
            yield slice(one, one + 1), slice(top, min(rows, top + step))


def _spread(x: torch.Tensor, rows: slice, across: int, by: Filter, scratch: Scratch) -> Rows:
    """B x H x W x C -> for each point, tiles x C: those of some rows of tiles."""
    count, channels, side = len(x), x.shape[3], by.side
    of_row = across * channels
    points = scratch.take("points", side, side, count, rows.stop - rows.start, of_row)
    for some, part in _parts(count, rows.stop - rows.start, of_row, _CHUNK):
        number, high = some.stop - some.start, part.stop - part.start
        padded = _padded(x[some], rows.start + part.start, high, across, by, scratch)
        lines = padded.shape[1]  # a tile in high, and two more
        columns = scratch.take("columns", side, number, lines, of_row)
        spare = scratch.take("spare", 2, side * number * lines * of_row)
        windows = padded.as_strided(
            (side, number, lines, across, channels),
            (channels, padded.stride(0), padded.stride(1), by.tile * channels, 1),
        )
        by.spread(windows.unbind(), columns.view(windows.shape).unbind(), *_spare(spare, windows[0]))
        windows = columns.as_strided(
            (side, side, number, high, of_row),
            (of_row, columns.stride(0), columns.stride(1), by.tile * of_row, 1),
        )
        by.spread(windows.unbind(), points[:, :, some, part].unbind(), *_spare(spare, windows[0]))
    return points.view(side * side, -1, channels).unbind()


def _padded(x: torch.Tensor, first: int, high: int, across: int, by: Filter, scratch: Scratch) -> torch.Tensor:
    """Rows of tiles, with what the tiles overlap and the border of zeros: B x lines x columns x C."""
    count, height, width, channels = x.shape
    lines = high * by.tile + 2
    padded = scratch.take("padded", count, lines, across * by.tile + 2, channels)
    top = first * by.tile - 1  # of the padded lines, in the picture
    above, end = max(0, -top), min(lines, height - top)
    padded[:, :above].zero_()
    padded[:, end:].zero_()
    padded[:, above:end, 0].zero_()
    padded[:, above:end, width + 1 :].zero_()
    padded[:, above:end, 1 : width + 1].copy_(x[:, top + above : top + end])
    return padded


def _gather(products: list[torch.Tensor], out: torch.Tensor, by: Filter, scratch: Scratch) -> None:
    """For each point, tiles x O -> into ``out``, B x H x W x O."""
    tile, side = by.tile, by.side
    tiles, outputs = products[0].shape
    across = out.shape[2] // tile
    lines = scratch.take("points", tile, side, tiles, outputs)
    spare = scratch.take("spare", tiles * outputs)
    for column in range(side):
        by.gather(products[column::side], lines[:, column].unbind(), spare.view(tiles, outputs))
    target = out.view(-1, tile, across, tile, outputs)
    spare = spare.view(-1, across, outputs)
    for number, line in enumerate(lines.view(tile, side, -1, across, outputs)):
        by.gather(line.unbind(), target[:, number].unbind(2), spare)


def _spare(held: torch.Tensor, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return held[0, : like.numel()].view(like.shape), held[1, : like.numel()].view(like.shape)

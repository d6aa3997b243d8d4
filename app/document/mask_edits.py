"""Edits of the mask as a whole: grow, shrink, feather, smooth, fill holes. Tile by tile, and only where it changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from app.document import images
from app.document.areas import blurred
from app.document.flood import touching_edge
from app.document.tiles import TILE, TileEdit, cut, tiles, within

Values = NDArray[np.uint8]
_ROOM = 4  # a block's side in reaches: larger ones leave the processor's cache, smaller ones do most of it twice
_LEVELS = (255, 192, 128, 64, 1)  # how strongly a wall must be painted to close a hole, and how strongly that is filled


def grown(mask: QImage, radius: int) -> Iterator[TileEdit]:
    """Each pixel becomes the strongest within ``radius`` pixels of it (a grey dilation by a disc)."""
    return _tilewise(mask, radius, lambda values: _spread(values, radius, np.maximum))


def shrunk(mask: QImage, radius: int) -> Iterator[TileEdit]:
    """Each pixel becomes the weakest within ``radius``. At the picture's edge nothing is lost: the mask goes on."""
    return _tilewise(mask, radius, lambda values: _spread(values, radius, np.minimum))


def feathered(mask: QImage, radius: int) -> Iterator[TileEdit]:
    """Edges fall off over about ``radius`` pixels to each side."""
    return _tilewise(mask, 2 * radius + 4, lambda values: blurred(values, radius))


def smoothed(mask: QImage, radius: int) -> Iterator[TileEdit]:
    """What is thinner than twice ``radius`` goes, specks and spurs first, then gaps and notches (an opening, then a
    closing); strengths stay."""

    def change(values: Values) -> Values:
        opened = _spread(_spread(values, radius, np.minimum), radius, np.maximum)
        return _spread(_spread(opened, radius, np.maximum), radius, np.minimum)

    return _tilewise(mask, 4 * radius, change)


def holes_filled(mask: QImage) -> Iterator[TileEdit]:
    """What the mask goes around becomes as strong as the wall around it, in a few levels."""
    values = images.to_mask(mask)
    filled = values.copy()
    for level in _LEVELS:
        weaker = values < level
        holes = weaker & ~touching_edge(weaker)
        np.maximum(filled, np.uint8(level), out=filled, where=holes)
    return replaced(mask, filled)


def all_marked(mask: QImage) -> Iterator[TileEdit]:
    """Everything is repainted fully."""
    full = np.full((mask.height(), mask.width()), 255, np.uint8)
    return replaced(mask, full)


def replaced(mask: QImage, values: Values) -> Iterator[TileEdit]:
    """Another mask (H x W) takes the place of this one."""
    return _changed(mask, ((box, values[within(box, mask.rect())]) for box in cut(mask.rect())))


def _tilewise(mask: QImage, reach: int, change: Callable[[Values], Values]) -> Iterator[TileEdit]:
    """Apply ``change``, which looks ``reach`` pixels far and leaves even surfaces as they are. The further it looks,
    the more tiles are done at once: what lies around them is worked out for all of them together."""
    for block in _blocks(mask.rect(), TILE * max(1, -(-_ROOM * reach // TILE))):
        around = block.adjusted(-reach, -reach, reach, reach).intersected(mask.rect())
        values = images.mask_part(mask, around)
        if values.min() != values.max():
            done = change(values)
            yield from _changed(mask, ((box, done[within(box, around)]) for box in tiles(block, mask.rect())))


def _blocks(whole: QRect, side: int) -> Iterator[QRect]:
    for y in range(0, whole.height(), side):
        for x in range(0, whole.width(), side):
            yield QRect(x, y, side, side).intersected(whole)


def _changed(mask: QImage, parts: Iterable[tuple[QRect, Values]]) -> Iterator[TileEdit]:
    for box, values in parts:
        before, after = images.mask_part(mask, box), values.copy()
        if not np.array_equal(before, after):
            before.flags.writeable = after.flags.writeable = False
            yield TileEdit(box, before, after)


def _spread(values: Values, radius: int, pick: Callable[..., Values]) -> Values:
    """The most (or the least, by ``pick``) within a disc around each pixel; beyond the array there is nothing to pick.

    Row by row of the disc, from its narrow ends to its middle: the row's own span grows step by step, so that each
    step is a few operations on the whole array, however wide the span.
    """
    result, span, half = values.copy(), values, 0
    for dy in range(radius, -1, -1):
        # half a pixel more than the radius makes small discs round
        width = math.isqrt(max(0, int((radius + 0.5) ** 2) - dy * dy))
        while half < width:
            step = min(width - half, 2 * half + 1)
            span = _widened(span, step, pick)
            half += step
        if dy < len(values):
            pick(result[dy:], span[: len(span) - dy], out=result[dy:])
            pick(result[: len(result) - dy], span[dy:], out=result[: len(result) - dy])
    return result


def _widened(values: Values, step: int, pick: Callable[..., Values]) -> Values:
    result = values.copy()
    if step < values.shape[1]:
        pick(result[:, step:], values[:, :-step], out=result[:, step:])
        pick(result[:, :-step], values[:, step:], out=result[:, :-step])
    return result

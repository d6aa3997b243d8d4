"""The grid of tiles in which strokes are drawn and edits are kept: only what is touched costs anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QRegion

TILE = 256  # pixels a side


@dataclass(frozen=True, eq=False)
class TileEdit:
    """A tile before and after an edit: two read-only arrays as large as ``box``, H x W (mask) or H x W x 4 (layer)."""

    box: QRect
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]


def tiles(box: QRect, whole: QRect) -> Iterator[QRect]:
    """The tiles that ``box`` touches, cut off at the edge of ``whole``. The grid starts at pixel 0, 0."""
    box = box.intersected(whole)
    for y in range(box.top() // TILE * TILE, box.bottom() + 1, TILE):
        for x in range(box.left() // TILE * TILE, box.right() + 1, TILE):
            yield QRect(x, y, TILE, TILE).intersected(whole)


def corner(part: QRect) -> tuple[int, int]:
    """The top left corner of the tile that ``part``, a piece of one tile, lies in."""
    return part.x() // TILE * TILE, part.y() // TILE * TILE


def cut(box: QRect) -> Iterator[QRect]:
    """The box cut along the grid."""
    yield from tiles(box, box)


def rects(region: QRegion) -> list[QRect]:
    """The boxes that a region consists of."""
    return list(cast(Iterable[QRect], region))  # its type stubs do not know that it can be walked through


def within(box: QRect, outer: QRect) -> tuple[slice, slice]:
    """Where ``box`` lies in the H x W array that holds ``outer``'s pixels."""
    y, x = box.top() - outer.top(), box.left() - outer.left()
    return slice(y, y + box.height()), slice(x, x + box.width())

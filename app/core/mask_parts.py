"""The parts of a mask that lie far from each other: pure arithmetic on arrays."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from app.core.geometry import Rect, Size
from app.core.request import Mask

GRIDS = (128, 64, 32, 16, 8)
"""Cells a side of the grids on which parts are told apart: what is nearer than one is one part."""
MOST_PARTS = 32
"""A mask of more parts, sprinkled dust say, is looked at on a coarser grid."""


def mask_parts(mask: Mask) -> list[Rect]:
    """The bounds of what hangs together, to a cell of the first grid on which there are not too many."""
    boxes: list[Rect] = []
    for grid in GRIDS:
        boxes = _parts_on(mask, max(1, -(-max(mask.shape) // grid)))
        if len(boxes) <= MOST_PARTS:
            break
    return boxes


def _parts_on(mask: Mask, side: int) -> list[Rect]:
    """Cells are ``side`` pixels wide and high."""
    height, width = mask.shape
    rows = np.maximum.reduceat(mask, np.arange(0, height, side), axis=0)
    cells = np.maximum.reduceat(rows, np.arange(0, width, side), axis=1) > 0
    boxes = []
    while cells.any():
        x, y, right, bottom = _take_part(cells)
        boxes.append(Rect(x * side, y * side, (right - x) * side, (bottom - y) * side).clamped(Size(width, height)))
    return boxes


def _take_part(cells: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Clear one part from the cells, corners joined too; its left, top, right and bottom."""
    first = tuple(int(at) for at in np.argwhere(cells)[0])
    cells[first] = False
    waiting, rows, columns = deque([first]), [], []
    while waiting:
        row, column = waiting.popleft()
        rows.append(row)
        columns.append(column)
        top, left = max(0, row - 1), max(0, column - 1)
        for y, x in np.argwhere(cells[top : row + 2, left : column + 2]):
            near = (top + int(y), left + int(x))
            cells[near] = False
            waiting.append(near)
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1

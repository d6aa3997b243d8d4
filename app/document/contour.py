"""Contours: where an array of values crosses a level, as line pieces (marching squares, Lorensen and Cline 1987)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Lines = NDArray[np.float64]  # N x 4: x1, y1, x2, y2

# Which two sides of a square (0 top, 1 right, 2 bottom, 3 left) a line joins, by which corners lie above the level
# (1 top left, 2 top right, 4 bottom right, 8 bottom left). Opposite corners make two lines.
_JOINS: dict[int, tuple[tuple[int, int], ...]] = {
    **dict.fromkeys((1, 14), ((3, 0),)), **dict.fromkeys((2, 13), ((0, 1),)), **dict.fromkeys((4, 11), ((1, 2),)),
    **dict.fromkeys((8, 7), ((2, 3),)), **dict.fromkeys((3, 12), ((3, 1),)), **dict.fromkeys((6, 9), ((0, 2),)),
    5: ((3, 0), (1, 2)), 10: ((0, 1), (2, 3)),
}  # fmt: skip


def contour(values: NDArray[np.uint8], level: float) -> Lines:
    """The pieces of the line at ``level``, in pixels of the array; a pixel's value stands in its middle. What is
    beyond the array is like what is at its edge."""
    z = np.pad(values, 1, mode="edge").astype(np.float64) - level
    z[z == 0.0] = 1e-6  # never quite on the line
    corners = (z[:-1, :-1], z[:-1, 1:], z[1:, 1:], z[1:, :-1])
    case = np.zeros(corners[0].shape, np.uint8)
    for bit, corner in enumerate(corners):
        case |= (corner > 0).astype(np.uint8) << bit
    found = []
    for number, joins in _JOINS.items():
        rows, columns = np.nonzero(case == number)
        if not len(rows):
            continue
        a, b, c, d = (corner[rows, columns] for corner in corners)
        # from the middle of the pad's first pixel: half a pixel before the array begins
        x, y = columns - 0.5, rows - 0.5
        with np.errstate(divide="ignore", invalid="ignore"):  # sides that no line crosses are not used
            sides = ((x + a / (a - b), y), (x + 1.0, y + b / (b - c)), (x + d / (d - c), y + 1.0), (x, y + a / (a - d)))
        for start, end in joins:
            found.append(np.stack([*sides[start], *sides[end]], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 4))

"""Tiles cover what they should once, on one grid."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QRegion

from app.document.tiles import TILE, corner, cut, rects, tiles, within

WHOLE = QRect(0, 0, 2 * TILE + 77, TILE + 1)
BOXES = [WHOLE, QRect(0, 0, 1, 1), QRect(TILE - 1, TILE - 1, 2, 2), QRect(TILE, 3, TILE, 5), QRect(500, 200, 89, 57)]


@pytest.mark.parametrize("box", BOXES)
def test_cut_covers_the_box_once(box: QRect) -> None:
    times = np.zeros((WHOLE.height(), WHOLE.width()), int)
    for part in cut(box):
        times[within(part, WHOLE)] += 1
        assert part.width() <= TILE
        assert part.height() <= TILE
        assert corner(part) == (part.x() // TILE * TILE, part.y() // TILE * TILE)
    expected = np.zeros_like(times)
    expected[within(box, WHOLE)] = 1
    assert np.array_equal(times, expected)


@pytest.mark.parametrize("box", BOXES)
def test_tiles_are_whole_up_to_the_edge(box: QRect) -> None:
    parts, places = list(cut(box)), list(tiles(box, WHOLE))
    assert [corner(part) for part in parts] == [(place.x(), place.y()) for place in places]
    for part, place in zip(parts, places, strict=True):
        assert place.contains(part)
        assert place.right() in (place.left() + TILE - 1, WHOLE.right())


@pytest.mark.parametrize("box", [QRect(), QRect(-50, 0, 50, 10), QRect(0, TILE + 1, 9, 9)])
def test_outside_there_are_none(box: QRect) -> None:
    assert not list(tiles(box, WHOLE))


def test_a_region_falls_into_boxes() -> None:
    region = QRegion(QRect(0, 0, 5, 5)) + QRect(20, 20, 3, 3)
    assert rects(region) == [QRect(0, 0, 5, 5), QRect(20, 20, 3, 3)]
    assert rects(QRegion()) == []

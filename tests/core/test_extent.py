"""The arithmetic of growing and cropping."""

from __future__ import annotations

import pytest

from app.core.errors import RequestError
from app.core.extent import anchored, around, carried, check_extent, overlap
from app.core.geometry import Rect, Size

PICTURE = Size(640, 480)


@pytest.mark.parametrize(
    ("size", "anchor", "expected"),
    [
        (Size(800, 480), (0.0, 0.0), Rect(0, 0, 800, 480)),
        (Size(800, 480), (1.0, 0.5), Rect(-160, 0, 800, 480)),
        (Size(800, 600), (0.5, 0.5), Rect(-80, -60, 800, 600)),
        (Size(320, 240), (0.5, 1.0), Rect(160, 240, 320, 240)),
    ],
)
def test_the_anchor_keeps_its_place(size: Size, anchor: tuple[float, float], expected: Rect) -> None:
    assert anchored(PICTURE, size, anchor) == expected


@pytest.mark.parametrize(
    ("area", "words"),
    [
        (Rect(640, 0, 100, 100), "Nothing of the picture"),
        (Rect(0, 0, 0, 100), "Nothing of the picture"),
        (Rect(0, 0, 16385, 100), "16385"),
        (Rect(-3000, 0, 12000, 12000), "12000 x 12000"),
    ],
)
def test_areas_that_cannot_be_are_refused(area: Rect, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        check_extent(area, PICTURE)


def test_the_largest_area_is_taken() -> None:
    check_extent(Rect(-100, -100, 12000, 10000), PICTURE)


@pytest.mark.parametrize(
    "inner", [Rect(0, 0, 10, 8), Rect(2, 3, 4, 5), Rect(0, 3, 10, 5), Rect(2, 0, 8, 8), Rect(9, 7, 1, 1)]
)
def test_what_lies_around_a_box_covers_the_rest_once(inner: Rect) -> None:
    outer = Rect(0, 0, 10, 8)
    counts = {(x, y): 0 for x in range(10) for y in range(8)}
    for box in (inner, *around(inner, outer)):
        for x in range(box.x, box.right):
            for y in range(box.y, box.bottom):
                counts[x, y] += 1
    assert set(counts.values()) == {1}


def test_boxes_are_carried_and_met() -> None:
    assert carried(Rect(10, 20, 30, 40), Rect(-5, 8, 100, 100)) == Rect(15, 12, 30, 40)
    assert overlap(Rect(0, 0, 10, 10), Rect(4, -3, 10, 10)) == Rect(4, 0, 6, 7)
    assert overlap(Rect(0, 0, 10, 10), Rect(20, 0, 5, 5)).size.area == 0

"""Areas on their way into the mask: shapes, feather, strength, and what looks alike."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QPainterPath

from app.document import images
from app.document.alike import alike, enclosed
from app.document.areas import Area, edits, feathered, inside_of

WHOLE = QRect(0, 0, 600, 300)


def _box(x: float, y: float, width: float, height: float) -> QPainterPath:
    path = QPainterPath()
    path.addRect(QRectF(x, y, width, height))
    return path


def _laid(area: Area, start: int = 0, opacity: float = 1.0, erase: bool = False) -> np.ndarray:
    mask = images.to_qimage(np.full((WHOLE.height(), WHOLE.width()), start, np.uint8))
    for edit in edits(area, mask, opacity=opacity, erase=erase):
        images.write_mask(mask, edit.box, edit.after)
    return images.to_mask(mask)


def test_a_box_covers_its_pixels_and_no_others() -> None:
    laid = _laid(inside_of(_box(250, 250, 20, 30), WHOLE))
    assert (laid[250:280, 250:270] == 255).all()
    assert np.count_nonzero(laid) == 20 * 30


def test_half_a_pixel_is_half_covered() -> None:
    assert inside_of(_box(10, 10, 5.5, 4), WHOLE).cover[0, -1] == pytest.approx(128, abs=2)


@pytest.mark.parametrize("path", [_box(-50, -50, 20, 20), QPainterPath(), _box(10, 10, 0, 30)])
def test_nothing_on_the_picture_is_no_edit(path: QPainterPath) -> None:
    area = inside_of(path, WHOLE)
    assert area.empty
    assert not _laid(area).any()


@pytest.mark.parametrize(
    ("start", "opacity", "erase", "expected"),
    [(0, 0.5, False, 128), (128, 0.5, False, 192), (255, 1.0, True, 0), (200, 0.5, True, 100)],
)
def test_strength_adds_up_and_takes_away(start: int, opacity: float, erase: bool, expected: int) -> None:
    laid = _laid(inside_of(_box(0, 0, 30, 30), WHOLE), start, opacity, erase)
    assert laid[10, 10] == pytest.approx(expected, abs=1)
    assert laid[50, 50] == start


def test_only_tiles_that_change_are_edited() -> None:
    mask = images.blank_mask(600, 300)
    assert [edit.box.x() for edit in edits(inside_of(_box(300, 10, 9, 9), WHOLE), mask, opacity=1, erase=False)] == [
        300
    ]
    assert list(edits(inside_of(_box(300, 10, 9, 9), WHOLE), mask, opacity=1, erase=True)) == []


def test_feather_falls_off_evenly_to_both_sides_of_the_edge() -> None:
    row = _laid(feathered(inside_of(_box(200, 0, 200, 300), WHOLE), 20, WHOLE))[150].astype(int)
    assert row[200] == pytest.approx(128, abs=8)
    assert row[178] == pytest.approx(0, abs=8)
    assert row[222] == pytest.approx(255, abs=8)
    assert (np.diff(row[150:250]) >= 0).all()


def test_feather_leaves_the_picture_s_own_edge_full() -> None:
    laid = _laid(feathered(inside_of(_box(0, 0, 200, 300), WHOLE), 20, WHOLE))
    assert (laid[:, 0] == 255).all()
    assert (laid[0, :100] == 255).all()


def _patches() -> np.ndarray:
    pixels = np.full((300, 600, 3), 100, np.uint8)
    pixels[50:100, 50:100] = (110, 95, 100)
    pixels[50:100, 300:350] = (110, 95, 100)
    pixels[60:70, 60:70] = (200, 95, 100)
    return pixels


@pytest.mark.parametrize(
    ("tolerance", "contiguous", "count"),
    [(0, True, 2400), (0, False, 4900), (10, True, 179900), (9, True, 2400), (255, True, 180000)],
)
def test_alike(tolerance: int, contiguous: bool, count: int) -> None:
    area = alike(images.to_qimage(_patches()), QPoint(50, 50), tolerance, contiguous=contiguous)
    assert np.count_nonzero(area.cover) == count
    assert WHOLE.contains(area.box)
    assert area.cover[50 - area.box.top(), 50 - area.box.left()] == 255


def test_the_inside_of_an_outline() -> None:
    mask = np.zeros((300, 600), np.uint8)
    mask[100:200, 100:200] = 255
    mask[110:190, 110:190] = 0
    mask[150, 100] = 130  # a thin place of the wall still holds
    inside = enclosed(images.to_qimage(mask), QPoint(150, 150))
    assert inside.box == QRect(110, 110, 80, 80)
    assert (inside.cover == 255).all()
    mask[150, 100:110] = 0
    assert np.count_nonzero(enclosed(images.to_qimage(mask), QPoint(150, 150)).cover) == 300 * 600 - np.count_nonzero(
        mask
    )

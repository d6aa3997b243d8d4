"""What a stroke covers: radius, falloff, the cap of its opacity, unbroken lines, edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage

from app.document import images
from app.document.strokes import Brush, Stroke
from app.document.tiles import within


def _drawn(brush: Brush, *points: tuple[float, float], side: int = 64, start: int = 0) -> np.ndarray:
    mask = images.to_qimage(np.full((side, side), start, np.uint8))
    stroke = Stroke(brush, mask)
    for point in points:
        stroke.line_to(QPointF(*point))
    return stroke.preview(QRect(0, 0, side, side))


@pytest.mark.parametrize("size", [1, 2, 3, 8, 21, 40])
def test_a_hard_dab_has_its_area(size: float) -> None:
    drawn = _drawn(Brush(size=size, hardness=1.0), (32.5, 32.5))
    area = drawn.sum() / 255
    assert area == pytest.approx(math.pi * (size / 2) ** 2, rel=0.06, abs=0.5)


def test_one_pixel() -> None:
    drawn = _drawn(Brush(size=1, hardness=1.0), (10.5, 20.5))
    assert drawn[20, 10] == 255
    assert np.count_nonzero(drawn) == 1


def test_hardness_is_the_radius_of_the_core() -> None:
    row = _drawn(Brush(size=40, hardness=0.5), (32.5, 32.5))[32]
    assert (row[32 - 9 : 32 + 10] == 255).all()  # radius 10 of 20
    assert row[32 + 15] == pytest.approx(128, abs=2)  # halfway from the core to the rim
    assert row[32 + 20] == 0
    assert (np.diff(row[32:].astype(int)) <= 0).all()


def test_soft_edges_have_no_step() -> None:
    row = _drawn(Brush(size=60, hardness=0.0), (32.5, 32.5))[32].astype(int)
    assert np.abs(np.diff(row)).max() < 20


def test_opacity_is_a_cap_within_a_stroke() -> None:
    crossing = _drawn(Brush(size=20, hardness=0.5, opacity=0.5), (5, 5), (60, 60), (5, 60), (60, 5), (5, 5))
    assert crossing.max() == 128


def test_a_second_stroke_adds_up() -> None:
    assert _drawn(Brush(size=20, opacity=0.5), (32, 32), start=128)[32, 32] == 192


@pytest.mark.parametrize(("opacity", "left"), [(1.0, 0), (0.5, 127), (0.25, 191)])
def test_erasing_takes_away(opacity: float, left: int) -> None:
    drawn = _drawn(Brush(size=20, opacity=opacity, erase=True), (32, 32), start=255)
    assert drawn[32, 32] == left
    assert drawn[2, 2] == 255


@pytest.mark.parametrize("end", [(60.0, 32.0), (60.0, 60.0), (33.0, 60.0), (4.0, 10.0)])
@pytest.mark.parametrize("size", [1.5, 8.0])
def test_a_fast_line_has_no_gaps(end: tuple[float, float], size: float) -> None:
    drawn = _drawn(Brush(size=size, hardness=1.0), (8.0, 8.0), end)
    for t in np.linspace(0, 1, 200):
        x, y = 8 + (end[0] - 8) * t, 8 + (end[1] - 8) * t
        assert drawn[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2].max() > 120


def test_a_line_is_the_same_however_often_the_pointer_is_reported() -> None:
    brush = Brush(size=12, hardness=0.3)
    once = _drawn(brush, (10, 10), (50, 40))
    often = _drawn(brush, *((10 + 40 * t, 10 + 30 * t) for t in np.linspace(0, 1, 41)))
    assert np.abs(once.astype(int) - often.astype(int)).max() <= 1


def test_a_long_line_is_cut_without_seams() -> None:
    drawn = _drawn(Brush(size=6, hardness=1.0), (10, 100.5), (240, 100.5), side=256)
    assert (drawn[100, 10:240] == 255).all()
    assert (drawn[:, 30:220] == drawn[:, 30:31]).all()


@pytest.mark.parametrize("point", [(0.0, 0.0), (64.0, 30.0), (-3.0, 70.0)])
def test_edges_clip(point: tuple[float, float]) -> None:
    mask = images.blank_mask(64, 64)
    stroke = Stroke(Brush(size=30, hardness=1.0), mask)
    assert mask.rect().contains(stroke.line_to(QPointF(*point)))
    assert mask.rect().contains(stroke.box)


def test_far_outside_touches_nothing() -> None:
    stroke = Stroke(Brush(size=30), images.blank_mask(64, 64))
    assert stroke.line_to(QPointF(-500, 20)).isEmpty()
    assert stroke.box.isEmpty()


def test_pressure_scales_the_size() -> None:
    mask = images.blank_mask(64, 64)
    stroke = Stroke(Brush(size=40, hardness=1.0), mask)
    stroke.line_to(QPointF(10, 32), 0.2)
    stroke.line_to(QPointF(54, 32), 1.0)
    widths = (stroke.preview(mask.rect()) > 127).sum(axis=0)
    assert widths[10] == pytest.approx(8, abs=2)
    assert widths[54] == pytest.approx(40, abs=2)
    assert (np.diff(widths[10:54].astype(int)) >= -1).all()


def _line(brush: Brush, start: float, end: float) -> np.ndarray:
    mask = images.blank_mask(64, 64)
    stroke = Stroke(brush, mask)
    stroke.line_to(QPointF(10, 32), start)
    stroke.line_to(QPointF(54, 32), end)
    return stroke.preview(mask.rect())


def test_pressure_scales_the_opacity_where_the_brush_says_so() -> None:
    drawn = _line(Brush(size=20, hardness=1.0, pen_size=False, pen_opacity=True), 0.2, 1.0)
    assert int(drawn[32, 10]) == pytest.approx(51, abs=3)
    assert int(drawn[32, 32]) == pytest.approx(153, abs=3)
    assert drawn[32, 54] == 255
    widths = (drawn > 0).sum(axis=0)
    assert widths[12] == widths[52] == 20


def test_a_brush_can_ignore_the_pressure() -> None:
    brush = Brush(size=20, pen_size=False)
    assert np.array_equal(_line(brush, 0.1, 0.4), _line(brush, 1.0, 1.0))


@pytest.mark.parametrize(("curve", "width"), [(0.5, 20), (1.0, 10), (2.0, 5)])
def test_the_curve_says_how_firm_a_hand_it_takes(curve: float, width: int) -> None:
    drawn = _line(Brush(size=40, hardness=1.0, pen_curve=curve), 0.25, 0.25)
    assert (drawn[:, 32] > 127).sum() == pytest.approx(width, abs=1)


def test_the_mask_is_untouched_and_the_box_tells_what_changed() -> None:
    mask = images.to_qimage(np.full((64, 64), 9, np.uint8))
    stroke = Stroke(Brush(size=10), mask)
    dirty = stroke.line_to(QPointF(20, 20)).united(stroke.line_to(QPointF(40, 30)))
    assert (images.to_mask(mask) == 9).all()
    seen = stroke.preview(mask.rect())
    (edit,) = stroke.finished()
    assert edit.box == mask.rect()
    assert (edit.before == 9).all()
    assert np.array_equal(edit.after, seen)
    assert (images.to_mask(mask) == 9).all()
    changed = QRect(stroke.box)
    assert dirty == changed
    outside = stroke.preview(mask.rect())
    outside[changed.top() : changed.bottom() + 1, changed.left() : changed.right() + 1] = 9
    assert (outside == 9).all()


def _noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def _over_borders(mask: QImage, *, erase: bool) -> Stroke:
    stroke = Stroke(Brush(size=90, hardness=0.4, opacity=0.7, erase=erase), mask)
    for x, y, pressure in ((200, 230, 1.0), (700, 270, 0.3), (510, 600, 0.9), (512, -80, 1.0), (900, 300, 0.5)):
        stroke.line_to(QPointF(x, y), pressure)
    return stroke


@pytest.mark.parametrize("erase", [False, True])
def test_tiles_make_up_what_the_stroke_shows(erase: bool) -> None:
    mask = images.to_qimage(_noise(520, 800))
    stroke = _over_borders(mask, erase=erase)
    seen, written = stroke.preview(mask.rect()), images.to_mask(mask).copy()
    edits = stroke.finished()
    assert len(edits) > 4
    for edit in edits:
        assert np.array_equal(written[within(edit.box, mask.rect())], edit.before)
        written[within(edit.box, mask.rect())] = edit.after
    assert np.array_equal(written, seen)


def test_tiles_show_no_border() -> None:
    """A stroke over the corner of four tiles is the one in the middle of one, moved."""
    shown = []
    for x, y in ((256, 256), (100, 128)):
        stroke = Stroke(Brush(size=80, hardness=0.3), images.blank_mask(512, 512))
        for point in (QPointF(x - 30.25, y - 20.5), QPointF(x + 30.5, y + 25.25)):
            stroke.line_to(point)
        shown.append(stroke.preview(QRect(x - 90, y - 90, 180, 180)))
    assert np.abs(shown[0].astype(int) - shown[1].astype(int)).max() <= 1


def test_a_preview_of_a_part_is_a_part_of_the_preview() -> None:
    mask = images.to_qimage(_noise(520, 800))
    stroke = _over_borders(mask, erase=False)
    whole = stroke.preview(mask.rect())
    for box in (QRect(255, 255, 2, 2), QRect(300, 100, 400, 300), QRect(0, 500, 10, 10), QRect(511, 0, 1, 520)):
        assert np.array_equal(stroke.preview(box), whole[within(box, mask.rect())])


def test_a_mask_that_is_written_in_mid_stroke_is_followed() -> None:
    mask, other = images.to_qimage(_noise(520, 800)), _noise(520, 800, seed=2)
    stroke = _over_borders(mask, erase=False)
    stroke.preview(mask.rect())
    images.write_mask(mask, mask.rect(), other)
    expected = _over_borders(images.to_qimage(other), erase=False).preview(mask.rect())
    assert np.array_equal(stroke.preview(mask.rect()), expected)
    images.write_mask(mask, mask.rect(), 255 - other)
    for edit in stroke.finished():
        assert np.array_equal(edit.before, (255 - other)[within(edit.box, mask.rect())])


def test_only_tiles_that_change_are_handed_over() -> None:
    full = np.zeros((520, 800), np.uint8)
    full[:, 256:] = 255
    stroke = Stroke(Brush(size=40), images.to_qimage(full))
    stroke.line_to(QPointF(200, 100))
    stroke.line_to(QPointF(700, 100))
    assert [edit.box for edit in stroke.finished()] == [QRect(0, 0, 256, 256)]


def test_brush_values_are_brought_into_range() -> None:
    brush = Brush(size=0.1, hardness=2.0, opacity=-1.0)
    assert (brush.size, brush.hardness, brush.opacity) == (1.0, 1.0, 0.0)

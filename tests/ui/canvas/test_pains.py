"""What people who mask pictures in other programs complain about most, each ruled out on the real window."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QWidget

from app.core.geometry import Size
from app.core.params import Intent
from app.document import images
from app.document.commands import OpenPicture
from app.document.strokes import Brush
from app.document.undo import LEAST_BUDGET
from app.ui.canvas.mask_look import MaskLook, MaskStyle
from app.ui.canvas.overlay import TINTS
from tests.fakes import FakeBackend
from tests.ui.canvas.gestures import drag, key, move, pen, press, release
from tests.ui.canvas.test_view import _seen
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    studio.store.update(intent=Intent.INPAINT, steps=2)
    return studio


def _paint_over(studio: Studio) -> None:
    steps = studio.document.undo.count()
    studio.window.painting.submit()
    studio.wait(lambda: studio.document.undo.count() > steps)
    studio.wait_idle()


def _alone(studio: Studio) -> np.ndarray:
    """The view without its pointer."""
    studio.window.canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    seen: np.ndarray = _seen(studio.window.canvas).astype(int)
    return seen


def test_pixels_outside_the_mask_do_not_change(opened: Studio) -> None:
    before = opened.document.pixels()
    opened.drag(QPoint(200, 200), QPoint(400, 260))
    kept = opened.document.mask_pixels() == 0
    _paint_over(opened)
    after = opened.document.pixels()
    assert np.array_equal(after[kept], before[kept])
    assert (after[~kept] != before[~kept]).any()
    assert opened.find("outsideLabel").text() == "0 px changed outside the mask"


def test_there_is_an_eraser_and_it_keeps_the_picture(opened: Studio) -> None:
    before = opened.document.pixels()
    opened.drag(QPoint(200, 200), QPoint(400, 200))
    opened.window.canvas.setFocus()
    opened.key(Qt.Key.Key_E)
    opened.drag(QPoint(300, 200), QPoint(400, 200))
    mask = opened.document.mask_pixels()
    assert mask[200, 210] == 255
    assert mask[200, 350] == 0
    assert np.array_equal(opened.document.pixels(), before)


def test_undo_takes_back_one_stroke_each_however_quickly_they_are_drawn(opened: Studio) -> None:
    looks = [opened.document.mask_pixels()]
    for number in range(30):
        opened.drag(QPoint(20 + 20 * number, 100), QPoint(30 + 20 * number, 300))
        looks.append(opened.document.mask_pixels())
    for look in reversed(looks[:-1]):
        opened.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert np.array_equal(opened.document.mask_pixels(), look)
    for look in looks[1:]:
        opened.document.undo.redo()
        assert np.array_equal(opened.document.mask_pixels(), look)


def test_undo_forgets_by_bytes_the_oldest_first_and_says_so(opened: Studio) -> None:
    undo = opened.document.undo
    spin = opened.find("undoBudgetSpin")
    spin.setValue(spin.minimum())
    assert undo.budget == LEAST_BUDGET
    for number in range(4):  # pictures of 36 MB each
        opened.document.undo.push(OpenPicture(opened.document, np.full((3000, 3000, 3), number, np.uint8)))
    assert undo.floor > 0
    assert "can no longer be undone" in opened.find("hintLabel").toolTip()
    assert undo.canUndo()  # the newest is always kept
    undo.undo()
    assert opened.document.pixels()[0, 0, 0] == 2


def test_the_mask_stays_when_it_is_painted_and_is_what_is_sent(opened: Studio, backend: FakeBackend) -> None:
    opened.drag(QPoint(200, 200), QPoint(400, 260))
    mask = opened.document.mask_pixels()
    _paint_over(opened)
    assert np.array_equal(opened.document.mask_pixels(), mask)
    assert np.array_equal(backend.requests[0].task.mask, mask)
    shown = images.to_mask(opened.window.canvas._scene.mask.level(0))
    assert np.array_equal(shown, mask)


def test_a_hidden_mask_that_counts_leaves_its_outline(opened: Studio, backend: FakeBackend) -> None:
    plain = _alone(opened)
    opened.drag(QPoint(200, 200), QPoint(400, 260))
    opened.window.canvas.setFocus()
    opened.key(Qt.Key.Key_M)
    assert not opened.window.canvas.mask_visible
    changed = (_alone(opened) != plain).any(axis=2)
    at = opened.window.canvas.to_view(QPointF(300, 230)).toPoint()
    assert changed.sum() > 200  # a line around it
    assert not changed[at.y(), at.x()]  # and nothing inside
    _paint_over(opened)
    assert backend.requests[0].task.mask.any()


@pytest.mark.parametrize("colour", [*TINTS, (0, 0, 0), (255, 255, 255), (128, 128, 128)])
@pytest.mark.parametrize("style", [MaskStyle.COLOUR, MaskStyle.HATCH])
def test_the_mask_can_be_read_on_a_picture_of_any_colour(
    studio: Studio, colour: tuple[int, int, int], style: MaskStyle
) -> None:
    pixels = np.empty((480, 640, 3), np.uint8)
    pixels[:] = colour
    studio.document.undo.push(OpenPicture(studio.document, pixels))
    canvas = studio.window.canvas
    canvas.set_mask_look(MaskLook(style=style, opacity=0.5))
    canvas.set_brush(Brush(size=120, hardness=1.0))
    before = _alone(studio)
    studio.drag(QPoint(200, 240), QPoint(440, 240))
    at = canvas.to_view(QPointF(320, 240)).toPoint()
    part = np.s_[at.y() - 20 : at.y() + 20, at.x() - 20 : at.x() + 20]
    difference = np.abs(_alone(studio)[part] - before[part]).sum(axis=2)
    assert difference.max() >= 100


def test_the_brush_is_soft_when_it_is_set_so_and_pressure_counts(opened: Studio) -> None:
    canvas = opened.window.canvas
    canvas.set_brush(Brush(size=100, hardness=0.0, opacity=0.6))
    opened.drag(QPoint(320, 120), QPoint(322, 120))
    column = opened.document.mask_pixels()[70:121, 321].astype(int)
    assert (np.diff(column) >= 0).all()
    assert len(np.unique(column)) > 20  # from nothing to the middle without a step
    assert column.max() == pytest.approx(0.6 * 255, abs=2)
    canvas.set_brush(Brush(size=60, hardness=1.0, pen_size=True))
    widths = []
    for y, pressure in ((260, 0.3), (380, 1.0)):
        for kind, x in (
            (QEvent.Type.TabletPress, 100),
            (QEvent.Type.TabletMove, 300),
            (QEvent.Type.TabletRelease, 300),
        ):
            pen(canvas, kind, canvas.to_view(QPointF(x, y)), pressure)
        widths.append(int(np.count_nonzero(opened.document.mask_pixels()[y - 50 : y + 50, 200])))
    assert widths[0] < 0.7 * widths[1]


def test_brush_and_eraser_do_not_fight_over_one_size(opened: Studio) -> None:
    canvas = opened.window.canvas
    canvas.set_tool("brush")
    canvas.set_brush(replace(canvas.brush, size=20.0))
    canvas.set_tool("eraser")
    canvas.set_brush(replace(canvas.brush, size=90.0))
    canvas.set_tool("brush")
    assert canvas.brush.size == 20.0
    canvas.setFocus()
    opened.key(Qt.Key.Key_X)
    assert canvas.brush.size == 90.0


def test_what_the_model_sees_is_drawn_before_it_paints(opened: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    make_picture(tmp_path / "large.png", 2000, 1500)
    opened.open(tmp_path / "large.png")
    opened.drag(QPoint(300, 300), QPoint(420, 300))
    canvas = opened.window.canvas
    canvas.setFocus()
    opened.key(Qt.Key.Key_Q)
    opened.wait(lambda: bool(canvas._xray.outlooks))
    outlook = canvas._xray.outlooks[0]
    assert "pasted back at" in outlook.sentence
    assert outlook.reach is not None
    assert outlook.zones is not None
    assert not backend.requests


def test_the_brush_does_not_slow_down_with_the_size_of_the_picture(studio: Studio) -> None:
    canvas = studio.window.canvas

    def stroke(side: int) -> float:
        """Processor time of a stroke at 100 %, in seconds: the least of three."""
        pixels = np.zeros((side, side, 3), np.uint8)
        studio.document.undo.push(OpenPicture(studio.document, pixels))
        canvas.zoom_to(1.0)
        canvas.set_brush(Brush(size=80, hardness=0.5))
        times = []
        for y in (120, 200, 280):
            press(canvas, QPointF(60, y))
            studio.qtbot.wait(1)
            began = time.thread_time()
            for x in range(60, 460, 4):
                move(canvas, QPointF(x, y))
                canvas.repaint()
            times.append(time.thread_time() - began)
            release(canvas, QPointF(460, y))
        return min(times)

    small, large = stroke(1024), stroke(4096)  # sixteen times as many pixels
    assert large < 3 * small + 0.05


def test_there_is_a_preview_at_every_step_inside_the_frame_and_it_can_be_turned_off(
    opened: Studio, backend: FakeBackend
) -> None:
    opened.drag(QPoint(200, 200), QPoint(400, 260))
    canvas = opened.window.canvas
    shown: list[bool] = []
    opened.queue.previewed.connect(lambda *_: shown.append(not canvas._scene.forming.box.isEmpty()))
    opened.store.update(steps=4)
    backend.gated = True
    for wanted in (True, False):
        shown.clear()
        opened.window.painting.submit()
        for number in range(1, 5):
            backend.release()
            opened.wait(lambda number=number: len(shown) >= number)
        opened.wait_idle()
        assert shown == [wanted] * 4
        opened.window.actions_by_id["preview"].trigger()


def test_a_dropped_picture_is_never_stretched(studio: Studio, tmp_path: Path) -> None:
    for size in ((321, 97), (50, 400)):
        make_picture(tmp_path / "odd.png", *size)
        studio.open(tmp_path / "odd.png")
        assert studio.document.size == Size(*size)
        scale = studio.window.canvas.viewport.transform
        assert scale.m11() == pytest.approx(scale.m22())


def test_a_mask_of_other_proportions_is_refused_and_not_stretched(opened: Studio, tmp_path: Path) -> None:
    opened.drag(QPoint(200, 200), QPoint(400, 260))
    before = opened.document.mask_pixels()
    Image.fromarray(np.full((100, 100), 255, np.uint8)).save(tmp_path / "square.png")
    opened.window.mask_files.load(tmp_path / "square.png")
    opened.wait(lambda: bool(opened.titles))
    assert "100 × 100" in opened.titles[0]
    assert np.array_equal(opened.document.mask_pixels(), before)


def test_a_stroke_that_is_cancelled_leaves_no_trace(opened: Studio) -> None:
    canvas, steps = opened.window.canvas, opened.document.undo.count()
    before = _alone(opened)
    press(canvas, QPointF(200, 200))
    move(canvas, QPointF(300, 260))
    assert key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Escape)
    release(canvas, QPointF(300, 260))
    assert opened.document.undo.count() == steps
    assert opened.document.mask_empty
    assert np.array_equal(_alone(opened), before)


def test_every_control_has_a_name_for_screen_readers_and_for_us(opened: Studio) -> None:
    kinds = (QAbstractButton, QAbstractSpinBox, QAbstractSlider, QComboBox)
    nameless = []
    for kind in kinds:
        for widget in opened.window.findChildren(kind):
            inner = isinstance(widget.parent(), QAbstractSpinBox | QComboBox | QLineEdit) or _is_qt_s(widget)
            if not inner and not (widget.objectName() and (widget.accessibleName() or _speaks(widget))):
                nameless.append((type(widget).__name__, widget.objectName()))
    assert nameless == []
    drag(opened.window.canvas, QPointF(100, 100), QPointF(110, 100))  # the canvas is a control as well
    assert opened.window.canvas.accessibleName() == "Canvas"
    assert opened.window.canvas.accessibleDescription()


def _is_qt_s(widget: QWidget) -> bool:
    """Qt's own parts: scroll bars, a splitter's handle, a menu bar's and a line edit's buttons."""
    return widget.objectName().startswith("qt_") or type(widget).__name__ in ("QScrollBar", "QSplitterHandle")


def _speaks(widget: QWidget) -> bool:
    return isinstance(widget, QAbstractButton) and bool(widget.text())

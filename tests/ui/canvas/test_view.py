"""The canvas in the hand: painting, panning, zooming, keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.core.geometry import Rect, Size
from app.core.job import Preview
from app.core.request import Request
from app.document import images
from app.document.commands import InsertResult, OpenPicture
from app.document.document import Document
from app.document.strokes import Brush
from app.ui.canvas.mask_look import MaskLook
from app.ui.canvas.tools import TOOLS
from app.ui.canvas.view import CanvasView
from tests.fakes import result_of
from tests.ui.canvas.gestures import MIDDLE, SHIFT, drag, key, move, pen, press, release, wheel

DOWN, UP = QEvent.Type.KeyPress, QEvent.Type.KeyRelease


def _gradient(width: int, height: int) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width)[None, :] % 256
    pixels[..., 1] = np.arange(height)[:, None] % 256
    return pixels


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    document = Document(Size(64, 64))
    document.undo.push(OpenPicture(document, _gradient(200, 150)))
    view = CanvasView(document)
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    view.set_brush(Brush(size=20, hardness=1.0))
    return view


def _at(canvas: CanvasView, x: float, y: float) -> QPointF:
    return canvas.to_view(QPointF(x, y))


def _seen(canvas: CanvasView) -> np.ndarray:
    return images.to_pixels(canvas.grab().toImage())


def _same_point(a: QPointF, b: QPointF, within: float) -> bool:
    return max(abs(a.x() - b.x()), abs(a.y() - b.y())) <= within


def test_a_stroke_is_one_step_and_hits_what_it_was_drawn_on(canvas: CanvasView) -> None:
    document = canvas.document
    steps = document.undo.count()
    drag(canvas, _at(canvas, 50, 60), _at(canvas, 80, 60), _at(canvas, 80, 90))
    assert document.undo.count() == steps + 1
    mask = document.mask_pixels()
    assert mask[60, 65] == mask[75, 80] == 255
    assert mask[60, 35] == mask[75, 65] == 0
    document.undo.undo()
    assert document.mask_empty


def test_the_stroke_is_seen_before_it_is_in_the_document(canvas: CanvasView) -> None:
    before = _seen(canvas)
    press(canvas, _at(canvas, 50, 60))
    move(canvas, _at(canvas, 120, 60))
    at = _at(canvas, 70, 60).toPoint()
    drafted = _seen(canvas)
    assert canvas.document.mask_empty
    assert not np.array_equal(drafted[at.y(), at.x()], before[at.y(), at.x()])
    release(canvas, _at(canvas, 120, 60))
    assert np.array_equal(_seen(canvas)[at.y(), at.x()], drafted[at.y(), at.x()])


def test_escape_drops_the_stroke_and_only_that(canvas: CanvasView) -> None:
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before, steps = _seen(canvas), canvas.document.undo.count()
    assert not key(canvas, DOWN, Qt.Key.Key_Escape)  # nothing to drop: the window may have it
    press(canvas, _at(canvas, 50, 60))
    move(canvas, _at(canvas, 90, 60))
    assert key(canvas, QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape)
    assert key(canvas, DOWN, Qt.Key.Key_Escape)
    move(canvas, _at(canvas, 120, 100))
    release(canvas, _at(canvas, 120, 100))
    assert canvas.document.undo.count() == steps
    assert canvas.document.mask_empty
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    assert np.array_equal(_seen(canvas), before)
    assert not canvas.cancel_stroke()


def test_erasing_after_painting(canvas: CanvasView) -> None:
    drag(canvas, _at(canvas, 50, 60), _at(canvas, 80, 60))
    canvas.set_tool("eraser")
    drag(canvas, _at(canvas, 50, 60), _at(canvas, 80, 60))
    assert canvas.document.mask_pixels()[60, 60] == 0


def test_shift_joins_the_last_point(canvas: CanvasView) -> None:
    drag(canvas, _at(canvas, 30, 30))
    drag(canvas, _at(canvas, 130, 130), modifiers=SHIFT)
    assert canvas.document.mask_pixels()[80, 80] == 255


def test_opening_a_picture_in_mid_stroke_drops_it(canvas: CanvasView) -> None:
    press(canvas, _at(canvas, 50, 60))
    canvas.document.undo.push(OpenPicture(canvas.document, _gradient(30, 30)))
    release(canvas, QPointF(300, 200))
    assert canvas.document.mask_empty
    assert canvas.document.size == Size(30, 30)


def test_a_result_in_mid_stroke_leaves_the_stroke(canvas: CanvasView) -> None:
    press(canvas, _at(canvas, 50, 60))
    request = Request(prompt="", model="m", size=canvas.document.size)
    canvas.document.undo.push(InsertResult(canvas.document, result_of(request)))
    move(canvas, _at(canvas, 90, 60))
    release(canvas, _at(canvas, 90, 60))
    mask = canvas.document.mask_pixels()
    assert mask[60, 50] == mask[60, 85] == 255
    canvas.document.undo.undo()
    assert canvas.document.mask_empty


def test_undo_in_mid_stroke_leaves_the_stroke_right(canvas: CanvasView) -> None:
    drag(canvas, _at(canvas, 50, 60), _at(canvas, 80, 60))
    press(canvas, _at(canvas, 50, 100))
    canvas.document.undo.undo()
    release(canvas, _at(canvas, 50, 100))
    mask = canvas.document.mask_pixels()
    assert mask[100, 50] == 255
    assert mask[60, 60] == 0


def test_what_is_shown_is_the_mask_after_every_step(canvas: CanvasView) -> None:
    document = canvas.document
    document.undo.push(OpenPicture(document, _gradient(700, 530)))

    def shown() -> np.ndarray:
        return images.to_mask(canvas._scene.mask.level(0))

    drag(canvas, _at(canvas, 100, 100), _at(canvas, 400, 300), _at(canvas, 900, 200), _at(canvas, 256, 520))
    assert np.array_equal(shown(), document.mask_pixels())
    canvas.set_tool("eraser")
    drag(canvas, _at(canvas, 250, 10), _at(canvas, 260, 520))
    assert np.array_equal(shown(), document.mask_pixels())
    press(canvas, _at(canvas, 300, 100))
    move(canvas, _at(canvas, 420, 400))
    document.undo.undo()
    release(canvas, _at(canvas, 420, 400))
    assert np.array_equal(shown(), document.mask_pixels())
    for step in (document.undo.undo, document.undo.undo, document.undo.redo, document.undo.redo):
        step()
        assert np.array_equal(shown(), document.mask_pixels())


def test_a_stroke_that_changes_nothing_is_no_step(canvas: CanvasView) -> None:
    drag(canvas, _at(canvas, 50, 60))
    steps = canvas.document.undo.count()
    canvas.set_brush(Brush(size=5, hardness=1.0))
    drag(canvas, _at(canvas, 50, 60))  # on what is painted fully
    drag(canvas, _at(canvas, -90, -90))
    assert canvas.document.undo.count() == steps
    canvas.document.undo.undo()
    assert canvas.document.mask_empty
    assert not images.to_mask(canvas._scene.mask.level(0)).any()


def test_wheel_zooms_at_the_pointer(canvas: CanvasView, qtbot: QtBot) -> None:
    at = QPointF(200, 170)
    point, zoom = canvas.to_picture(at), canvas.zoom
    with qtbot.waitSignal(canvas.zoom_changed):
        wheel(canvas, at, 120)
    assert canvas.zoom == pytest.approx(zoom * 1.25)
    assert _same_point(canvas.to_picture(at), point, 1.01 / canvas.zoom)
    for _ in range(8):
        wheel(canvas, at, -15)
    assert canvas.zoom == pytest.approx(zoom)


@pytest.mark.parametrize("hold", ["space", "middle", "tool"])
def test_panning_moves_and_does_not_paint(canvas: CanvasView, hold: str) -> None:
    canvas.zoom_to(4.0)
    point = canvas.to_picture(QPointF(200, 200))
    if hold == "space":
        assert key(canvas, DOWN, Qt.Key.Key_Space)
        assert key(canvas, DOWN, Qt.Key.Key_Space, again=True)
    if hold == "tool":
        canvas.set_tool("pan")
    button = {"button": MIDDLE} if hold == "middle" else {}
    drag(canvas, QPointF(200, 200), QPointF(230, 190), QPointF(260, 180), **button)
    assert _same_point(canvas.to_picture(QPointF(260, 180)), point, 1.01 / canvas.zoom)
    assert canvas.document.mask_empty


def test_space_gives_the_tool_back(canvas: CanvasView) -> None:
    key(canvas, DOWN, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
    key(canvas, UP, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.BlankCursor
    assert canvas.tool == "brush"
    drag(canvas, _at(canvas, 50, 60))
    assert not canvas.document.mask_empty


def test_keys_change_the_brush(canvas: CanvasView) -> None:
    key(canvas, DOWN, Qt.Key.Key_BracketRight, "]")
    assert canvas.brush.size == 25
    key(canvas, DOWN, Qt.Key.Key_BracketLeft, "[")
    key(canvas, DOWN, Qt.Key.Key_BracketLeft, "[")
    assert canvas.brush.size == 18
    key(canvas, DOWN, Qt.Key.Key_BraceLeft, "{")
    assert canvas.brush.hardness == 0.9
    key(canvas, DOWN, Qt.Key.Key_BraceRight, "}")
    assert canvas.brush.hardness == 1.0


def test_each_tool_keeps_its_own_brush(canvas: CanvasView, qtbot: QtBot) -> None:
    key(canvas, DOWN, Qt.Key.Key_X)
    assert canvas.tool == "eraser"
    canvas.set_brush(Brush(size=7, hardness=0.2, opacity=0.4))
    assert canvas.brush.erase
    key(canvas, DOWN, Qt.Key.Key_X)
    assert (canvas.tool, canvas.brush.size, canvas.brush.erase) == ("brush", 20, False)
    kept = canvas.brushes()
    other = CanvasView(Document(Size(8, 8)))
    qtbot.addWidget(other)
    other.restore_brushes(kept)
    assert other.brushes() == kept


@pytest.mark.parametrize("junk", [{}, {"brush": 3}, {"brush": {"size": "x", "hardness": None}}, {"zap": {"size": 1}}])
def test_damaged_settings_are_passed_over(canvas: CanvasView, junk: dict[str, object]) -> None:
    kept = canvas.brushes()
    canvas.restore_brushes(junk)
    assert canvas.brushes() == kept


def test_tools_are_told(canvas: CanvasView, qtbot: QtBot) -> None:
    for id, row in TOOLS.items():
        assert row.id == id
        if id != canvas.tool:
            with qtbot.waitSignals([canvas.tool_changed, canvas.hint_changed]):
                canvas.set_tool(id)
    with pytest.raises(KeyError):
        canvas.set_tool("zap")


def test_pen_pressure_and_eraser_end(canvas: CanvasView) -> None:
    kinds = QEvent.Type
    for kind in (kinds.TabletPress, kinds.TabletMove, kinds.TabletRelease):
        pen(canvas, kind, _at(canvas, 50, 60), 0.5)
    mask = canvas.document.mask_pixels()
    assert mask[60, 53] == 255
    assert mask[60, 58] == 0  # half the pressure, half the radius
    for kind in (kinds.TabletPress, kinds.TabletRelease):
        pen(canvas, kind, _at(canvas, 50, 60), 1.0, eraser=True)
    assert not canvas.document.mask_pixels().any()


def test_smoothing_steadies_the_line_and_reaches_its_end(canvas: CanvasView) -> None:
    def shaken(smoothing: float) -> np.ndarray:
        canvas.set_brush(Brush(size=4, hardness=1.0, smoothing=smoothing))
        drag(canvas, *(_at(canvas, x, 60 + 4 * (x % 2)) for x in range(40, 161)))
        mask = canvas.document.mask_pixels()
        canvas.document.undo.undo()
        return mask

    rough, steady = shaken(0.0), shaken(0.5)
    high = [np.ptp(np.flatnonzero(mask[:, 80:140].any(axis=1))) for mask in (rough, steady)]
    assert high[1] < high[0]
    assert steady[60:66, 158:162].any()  # where the pointer was let go
    assert steady[60, 41] == 255  # and where it began


def test_each_tool_keeps_how_it_feels_the_pen(canvas: CanvasView, qtbot: QtBot) -> None:
    canvas.set_brush(Brush(pen_size=False, pen_opacity=True, pen_curve=2.0, smoothing=0.3))
    other = CanvasView(Document(Size(8, 8)))
    qtbot.addWidget(other)
    other.restore_brushes(canvas.brushes() | {"eraser": {"pen_size": 1, "pen_curve": True}})
    assert other.brush == canvas.brush
    other.set_tool("eraser")
    assert (other.brush.pen_size, other.brush.pen_curve) == (True, 1.0)


def test_the_pointer_is_told_in_picture_pixels(canvas: CanvasView) -> None:
    said: list[QPoint | None] = []
    canvas.pointer_moved.connect(said.append)
    move(canvas, _at(canvas, 10.9, 20.1))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    assert said == [QPoint(10, 20), None]


def test_fit_holds_until_one_zooms(canvas: CanvasView) -> None:
    canvas.resize(320, 240)
    small = canvas.zoom
    canvas.resize(640, 480)
    assert canvas.zoom > small
    canvas.zoom_to(0.7)
    canvas.resize(320, 240)
    assert canvas.zoom == 0.7
    canvas.actual_size()
    assert canvas.zoom == 1.0
    canvas.fit()
    assert canvas.zoom == small


def test_another_picture_is_fitted_but_a_result_is_not(canvas: CanvasView) -> None:
    canvas.zoom_to(3.3)
    request = Request(prompt="", model="m", size=canvas.document.size)
    canvas.document.undo.push(InsertResult(canvas.document, result_of(request)))
    assert canvas.zoom == 3.3
    canvas.document.undo.push(OpenPicture(canvas.document, _gradient(900, 900)))
    assert canvas.zoom < 1.0


def test_preview_comes_and_goes(canvas: CanvasView) -> None:
    before, picture = _seen(canvas), canvas.document.pixels()
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 2:] = 255  # opaque blue
    canvas.show_preview(Preview(pixels, Rect(50, 40, 80, 80)), 0.5)
    seen, at = _seen(canvas), _at(canvas, 90, 80).toPoint()
    assert seen[at.y(), at.x()].tolist() == [0, 0, 255]
    outside = _at(canvas, 150, 80).toPoint()
    assert np.array_equal(seen[outside.y(), outside.x()], before[outside.y(), outside.x()])
    assert np.array_equal(canvas.document.pixels(), picture)
    canvas.show_preview(None)
    assert np.array_equal(_seen(canvas), before)


def test_preview_does_not_disturb_a_stroke(canvas: CanvasView) -> None:
    press(canvas, _at(canvas, 20, 20))
    canvas.show_preview(Preview(np.full((4, 4, 4), 255, np.uint8), Rect(0, 0, 200, 150)), 0.5)
    move(canvas, _at(canvas, 60, 20))
    canvas.show_preview(None)
    release(canvas, _at(canvas, 60, 20))
    assert canvas.document.mask_pixels()[20, 40] == 255


def test_the_mask_can_be_hidden_but_stays(canvas: CanvasView) -> None:
    before = _seen(canvas)
    drag(canvas, _at(canvas, 50, 60), _at(canvas, 80, 60))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    canvas.set_mask_visible(False)
    assert not canvas.mask_visible
    at = _at(canvas, 65, 60).toPoint()
    assert np.array_equal(_seen(canvas)[at.y(), at.x()], before[at.y(), at.x()])
    canvas.set_mask_visible(True)
    canvas.set_mask_look(MaskLook(opacity=1.0))
    assert not np.array_equal(_seen(canvas)[at.y(), at.x()], before[at.y(), at.x()])
    assert not canvas.document.mask_empty


def test_the_mask_rests_over_a_new_picture_until_the_pointer_moves(canvas: CanvasView, qtbot: QtBot) -> None:
    before = _seen(canvas)
    drag(canvas, _at(canvas, 50, 60), _at(canvas, 80, 60))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    at = _at(canvas, 65, 60).toPoint()
    canvas.rest_mask()
    assert canvas.mask_visible
    assert np.array_equal(_seen(canvas)[at.y(), at.x()], before[at.y(), at.x()])
    qtbot.mouseMove(canvas, _at(canvas, 20, 20).toPoint())
    assert not np.array_equal(_seen(canvas)[at.y(), at.x()], before[at.y(), at.x()])
    canvas.rest_mask()
    canvas.document.undo.undo()
    canvas.document.undo.redo()
    assert not np.array_equal(_seen(canvas)[at.y(), at.x()], before[at.y(), at.x()]), "a changed mask is shown"


@pytest.mark.parametrize("zoom", [0.2, 0.37, 0.6, 1.0, 1.5, 4.0])
def test_painting_in_pieces_looks_like_painting_at_once(canvas: CanvasView, zoom: float) -> None:
    """Dirty boxes, halvings and margins leave no seam: the screen after a stroke is what a fresh view draws."""
    canvas.document.undo.push(OpenPicture(canvas.document, _gradient(1031, 777)))
    canvas.zoom_to(zoom)
    shown = QImage(canvas.size(), QImage.Format.Format_RGB32)
    canvas.render(shown)
    press(canvas, QPointF(100, 100))
    for x in range(110, 500, 30):
        move(canvas, QPointF(x, 100 + x / 3))
        canvas.grab()
    release(canvas, QPointF(500, 260))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    worked = _seen(canvas)
    tint = canvas._scene.mask._tint  # it may depend on what was there before; here only the pixels count
    canvas._scene.reset()
    canvas._scene.mask._tint = tint
    assert np.abs(worked.astype(int) - _seen(canvas).astype(int)).max() <= 1


def test_it_is_named(canvas: CanvasView) -> None:
    assert canvas.objectName() == "canvas"
    assert canvas.accessibleName()
    assert canvas.accessibleDescription()

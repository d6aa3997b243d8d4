"""The tools that mark a whole area, and what all tools share: strength by digits, the peek, the right drag."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from pytestqt.qtbot import QtBot

from app.core.geometry import Size
from app.document.commands import OpenPicture
from app.document.document import Document
from app.document.strokes import Brush
from app.jobs.background import Background
from app.ui.canvas.area import AreaSettings
from app.ui.canvas.tools import TOOLS
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import CTRL, MIDDLE, RIGHT, SHIFT, drag, key, mouse, move, pen, press, release
from tests.ui.canvas.test_view import _at, _gradient, _seen

DOWN, UP = QEvent.Type.KeyPress, QEvent.Type.KeyRelease


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    document = Document(Size(64, 64))
    document.undo.push(OpenPicture(document, _gradient(200, 150)))
    view = CanvasView(document)
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    return view


def _click(canvas: CanvasView, x: float, y: float) -> None:
    drag(canvas, _at(canvas, x, y))


def test_a_rectangle_is_whole_pixels_and_one_step(canvas: CanvasView) -> None:
    canvas.set_tool("rectangle")
    steps = canvas.document.undo.count()
    drag(canvas, _at(canvas, 120.3, 90.2), _at(canvas, 80, 80), _at(canvas, 49.8, 40.4))
    mask = canvas.document.mask_pixels()
    assert (mask[40:90, 50:120] == 255).all()
    assert np.count_nonzero(mask) == 50 * 70
    assert canvas.document.undo.count() == steps + 1
    assert canvas.document.undo.undoText() == "Mark rectangle"
    canvas.document.undo.undo()
    assert canvas.document.mask_empty


@pytest.mark.parametrize(("tool", "part"), [("rectangle", 1.0), ("ellipse", np.pi / 4)])
def test_shift_makes_squares_and_circles(canvas: CanvasView, tool: str, part: float) -> None:
    canvas.set_tool(tool)
    press(canvas, _at(canvas, 50, 40))
    mouse(canvas, QEvent.Type.MouseMove, _at(canvas, 110, 60), modifiers=SHIFT)
    release(canvas, _at(canvas, 110, 60))
    mask = canvas.document.mask_pixels()
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert np.ptp(rows) == np.ptp(columns) == 59
    assert mask.sum() / 255 == pytest.approx(60 * 60 * part, rel=0.01)


def test_the_lasso_closes_itself(canvas: CanvasView) -> None:
    canvas.set_tool("lasso")
    drag(canvas, *(_at(canvas, x, y) for x, y in ((40, 40), (120, 40), (120, 100), (40, 100))))
    mask = canvas.document.mask_pixels()
    assert mask[70, 80] == mask[42, 42] == 255
    assert mask.sum() / 255 == pytest.approx(80 * 60, rel=0.02)


@pytest.mark.parametrize("end", ["first corner", "double click", "enter"])
def test_a_polygon_goes_from_click_to_click(canvas: CanvasView, end: str) -> None:
    canvas.set_tool("polygon")
    steps = canvas.document.undo.count()
    for x, y in ((40, 40), (120, 40), (120, 100)):
        _click(canvas, x, y)
    assert canvas.document.undo.count() == steps
    move(canvas, _at(canvas, 60, 90), button=Qt.MouseButton.NoButton)
    match end:
        case "first corner":
            _click(canvas, 41, 41)
        case "double click":
            _click(canvas, 120, 100)
        case "enter":
            assert key(canvas, DOWN, Qt.Key.Key_Return)
    assert canvas.document.undo.count() == steps + 1
    assert canvas.document.mask_pixels().sum() / 255 == pytest.approx(80 * 60 / 2, rel=0.03)
    assert not key(canvas, DOWN, Qt.Key.Key_Return)  # nothing waits any more


def test_a_corner_is_taken_back_and_escape_drops_them_all(canvas: CanvasView) -> None:
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    canvas.set_tool("polygon")
    for x, y in ((40, 40), (120, 40), (10, 140), (120, 100)):
        _click(canvas, x, y)
        if (x, y) == (10, 140):
            assert key(canvas, DOWN, Qt.Key.Key_Backspace)
    key(canvas, DOWN, Qt.Key.Key_Return)
    assert canvas.document.mask_pixels().sum() / 255 == pytest.approx(80 * 60 / 2, rel=0.03)
    canvas.document.undo.undo()
    _click(canvas, 40, 40)
    _click(canvas, 120, 40)
    assert key(canvas, DOWN, Qt.Key.Key_Escape)
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    assert np.array_equal(_seen(canvas), before)
    assert not canvas.cancel_stroke()


def test_the_view_can_be_moved_between_two_corners(canvas: CanvasView) -> None:
    canvas.set_tool("polygon")
    canvas.zoom_to(2.0)
    _click(canvas, 60, 40)
    _click(canvas, 120, 40)
    drag(canvas, QPointF(200, 200), QPointF(230, 220), button=MIDDLE)
    _click(canvas, 120, 100)
    key(canvas, DOWN, Qt.Key.Key_Return)
    assert canvas.document.mask_pixels()[45, 110] == 255


def test_another_tool_drops_an_open_polygon(canvas: CanvasView) -> None:
    canvas.set_tool("polygon")
    _click(canvas, 60, 40)
    _click(canvas, 120, 40)
    canvas.set_tool("rectangle")
    assert not canvas.cancel_stroke()
    assert canvas.document.mask_empty


def test_the_wand_takes_what_looks_alike(canvas: CanvasView) -> None:
    pixels = np.full((150, 200, 3), 90, np.uint8)
    pixels[20:60, 30:80] = pixels[100:120, 150:180] = (200, 60, 40)
    canvas.document.undo.push(OpenPicture(canvas.document, pixels))
    canvas.set_tool("wand")
    _click(canvas, 40, 30)
    assert np.count_nonzero(canvas.document.mask_pixels()) == 40 * 50
    canvas.toolbox.set_area(AreaSettings(contiguous=False))
    _click(canvas, 40, 30)
    assert np.count_nonzero(canvas.document.mask_pixels()) == 40 * 50 + 20 * 30
    _click(canvas, -20, 30)  # beside the picture
    drag(canvas, _at(canvas, 40, 30), modifiers=CTRL)
    assert canvas.document.mask_empty


def test_the_bucket_fills_an_outline(canvas: CanvasView) -> None:
    canvas.set_brush(Brush(size=6, hardness=1.0))
    corners = ((40, 40), (120, 40), (120, 100), (40, 100), (40, 40))
    drag(canvas, *(_at(canvas, x, y) for x, y in corners))
    canvas.set_tool("bucket")
    _click(canvas, 80, 70)
    mask = canvas.document.mask_pixels()
    assert (mask[44:97, 44:117] == 255).all()
    assert mask[20, 20] == 0


@pytest.mark.parametrize("how", ["ctrl", "x", "pen"])
def test_areas_are_taken_away(canvas: CanvasView, how: str) -> None:
    canvas.set_tool("rectangle")
    drag(canvas, _at(canvas, 20, 20), _at(canvas, 180, 130))
    match how:
        case "ctrl":
            drag(canvas, _at(canvas, 50, 50), _at(canvas, 100, 100), modifiers=CTRL)
        case "x":
            key(canvas, DOWN, Qt.Key.Key_X)
            assert canvas.toolbox.area.erase
            assert canvas.tool == "rectangle"
            drag(canvas, _at(canvas, 50, 50), _at(canvas, 100, 100))
        case "pen":
            kinds = QEvent.Type
            ends = ((50, 50), (100, 100), (100, 100))
            for kind, (x, y) in zip((kinds.TabletPress, kinds.TabletMove, kinds.TabletRelease), ends, strict=True):
                pen(canvas, kind, _at(canvas, x, y), 1.0, eraser=True)
    mask = canvas.document.mask_pixels()
    assert mask[75, 75] == 0
    assert mask[30, 30] == 255


def test_escape_drops_a_shape(canvas: CanvasView) -> None:
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    canvas.set_tool("ellipse")
    press(canvas, _at(canvas, 20, 20))
    move(canvas, _at(canvas, 100, 100))
    assert not np.array_equal(_seen(canvas), before)
    key(canvas, DOWN, Qt.Key.Key_Escape)
    release(canvas, _at(canvas, 100, 100))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    assert np.array_equal(_seen(canvas), before)
    assert canvas.document.mask_empty


def test_each_area_tool_keeps_its_own_settings(canvas: CanvasView, qtbot: QtBot) -> None:
    canvas.set_tool("wand")
    canvas.toolbox.set_area(AreaSettings(tolerance=77, contiguous=False, opacity=0.5, erase=True))
    canvas.set_tool("lasso")
    canvas.toolbox.set_area(AreaSettings(feather=12))
    kept = canvas.toolbox.areas()
    other = CanvasView(Document(Size(8, 8)))
    qtbot.addWidget(other)
    other.toolbox.restore_areas(kept | {"ellipse": {"feather": "x", "contiguous": 3, "opacity": True}, "zap": 1})
    assert other.toolbox.areas() == kept
    other.set_tool("wand")
    assert other.toolbox.area == AreaSettings(tolerance=77, contiguous=False, opacity=0.5)  # it adds again


@pytest.mark.parametrize(("digit", "opacity"), [("3", 0.3), ("9", 0.9), ("0", 1.0)])
@pytest.mark.parametrize("tool", [id for id, row in TOOLS.items() if row.paints or row.marks])
def test_a_digit_sets_the_opacity_of_the_tool_in_hand(
    canvas: CanvasView, tool: str, digit: str, opacity: float
) -> None:
    canvas.set_tool(tool)
    canvas.toolbox.set_opacity(0.55)
    assert key(canvas, DOWN, Qt.Key(ord(digit)), digit)
    settings = canvas.toolbox.brush if TOOLS[tool].paints else canvas.toolbox.area
    assert settings.opacity == opacity


def test_holding_a_key_shows_the_picture_without_its_mask(canvas: CanvasView) -> None:
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    canvas.set_tool("rectangle")
    drag(canvas, _at(canvas, 20, 20), _at(canvas, 100, 100))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    masked = _seen(canvas)
    key(canvas, DOWN, Qt.Key.Key_V)
    key(canvas, DOWN, Qt.Key.Key_V, again=True)
    assert np.array_equal(_seen(canvas), before)
    key(canvas, UP, Qt.Key.Key_V)
    assert np.array_equal(_seen(canvas), masked)


def test_a_right_drag_changes_size_and_hardness_and_paints_nothing(canvas: CanvasView) -> None:
    canvas.set_brush(Brush(size=20, hardness=0.5))
    at = QPointF(300, 200)
    drag(canvas, at, at + QPointF(60, 0), at + QPointF(120, 0), button=RIGHT)
    assert (canvas.brush.size, canvas.brush.hardness) == (40, 0.5)
    drag(canvas, at, at + QPointF(0, 500), button=RIGHT)
    assert canvas.brush.hardness == 1.0
    press(canvas, at, button=RIGHT)
    move(canvas, at - QPointF(100, 0), button=RIGHT)
    assert canvas.brush.size < 40
    assert key(canvas, DOWN, Qt.Key.Key_Escape)
    assert canvas.brush.size == 40
    assert canvas.document.mask_empty


# Large pictures


@pytest.fixture
def large(canvas: CanvasView, qtbot: QtBot) -> Iterator[CanvasView]:
    """One in which areas are looked for beside the window."""
    pixels = np.full((1000, 1200, 3), 90, np.uint8)
    pixels[100:400, 100:400] = (200, 60, 40)
    pixels[600:900, 700:1100] = (20, 60, 200)
    canvas.document.undo.push(OpenPicture(canvas.document, pixels))
    background = Background()
    canvas.work_in(background)
    yield canvas
    background.stop()


def _searched(canvas: CanvasView, qtbot: QtBot) -> None:
    background = canvas._proxy.background
    assert background is not None
    assert background.busy
    qtbot.waitUntil(lambda: not background.busy, timeout=10_000)


def test_the_window_goes_on_while_an_area_is_looked_for(large: CanvasView, qtbot: QtBot) -> None:
    document = large.document
    large.set_tool("wand")
    _click(large, 200, 200)
    assert document.mask_empty  # it is being looked for
    _click(large, 800, 700)  # another one meanwhile is not lost
    _searched(large, qtbot)
    mask = document.mask_pixels()
    assert (mask[100:400, 100:400] == 255).all()
    assert (mask[600:900, 700:1100] == 255).all()
    assert np.count_nonzero(mask) == 300 * 300 + 300 * 400
    document.undo.undo()
    document.undo.undo()
    assert document.mask_empty
    large.set_tool("bucket")
    _click(large, 500, 500)
    _searched(large, qtbot)
    assert (document.mask_pixels() == 255).all()


def test_fills_follow_each_other_onto_one_layer(large: CanvasView, qtbot: QtBot) -> None:
    document = large.document
    large.set_tool("fill")
    large.toolbox.colours.choose((9, 200, 9))
    _click(large, 200, 200)
    _click(large, 800, 700)
    _searched(large, qtbot)
    assert [layer.name for layer in document.layers] == ["Picture", "Paint 1"]
    pixels = document.pixels()
    assert (pixels[100:400, 100:400] == (9, 200, 9)).all()
    assert (pixels[600:900, 700:1100] == (9, 200, 9)).all()
    assert (pixels[500, 500] == 90).all()


def test_what_was_looked_for_in_another_picture_is_dropped(large: CanvasView, qtbot: QtBot) -> None:
    large.set_tool("wand")
    _click(large, 200, 200)
    large.document.undo.push(OpenPicture(large.document, _gradient(1200, 1000)))
    _searched(large, qtbot)
    assert large.document.mask_empty
    assert large.document.undo.undoText() == "Open picture"

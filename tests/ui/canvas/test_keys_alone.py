"""What can be done without a pointer: an area made, moved and resized; the line between before and after."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.geometry import Rect, Size, plan_box
from app.document import images
from app.document.commands import OpenPicture, SetFrame
from app.document.document import Document
from app.document.outlook import Outlook
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import CTRL, PLAIN, SHIFT, drag
from tests.ui.canvas.test_view import _gradient

LEFT, RIGHT, UP, DOWN = Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down
ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    view = CanvasView(Document(Size(64, 64)))
    qtbot.addWidget(view)
    view.resize(660, 460)
    view.show()
    view.document.undo.push(OpenPicture(view.document, _gradient(600, 400)))
    view.set_tool("rectangle")
    return view


def _key(canvas: CanvasView, code: Qt.Key, held: Qt.KeyboardModifier = PLAIN, times: int = 1) -> bool:
    """As the window sends it: first asked whether it is wanted, then pressed. True when the canvas took it."""
    taken = False
    for _ in range(times):
        asked = QKeyEvent(QEvent.Type.ShortcutOverride, code, held)
        asked.ignore()
        QApplication.sendEvent(canvas, asked)
        pressed = QKeyEvent(QEvent.Type.KeyPress, code, held)
        QApplication.sendEvent(canvas, pressed)
        taken = asked.isAccepted() and pressed.isAccepted()
    return taken


def _marked(canvas: CanvasView) -> Rect | None:
    return images.bounds(canvas.document.mask)


def test_a_rectangle_is_made_moved_and_grown(canvas: CanvasView) -> None:
    assert _key(canvas, ENTER)
    assert canvas.document.mask_empty  # it is a draft
    assert _key(canvas, ENTER)
    first = _marked(canvas)
    assert first is not None
    assert canvas.document.undo.undoText() == "Mark rectangle"
    assert (first.x + first.width / 2, first.y + first.height / 2) == pytest.approx((300, 200), abs=2)
    canvas.document.undo.undo()
    _key(canvas, ENTER)
    _key(canvas, RIGHT, times=3)
    _key(canvas, UP, CTRL)
    _key(canvas, RIGHT, SHIFT, times=2)
    _key(canvas, DOWN, SHIFT | CTRL, times=5)
    _key(canvas, ENTER)
    assert _marked(canvas) == Rect(first.x + 24, first.y - 1, first.width + 16, first.height + 5)
    mask = canvas.document.mask_pixels()
    assert (mask[_marked(canvas).slices] == 255).all()


def test_it_stays_on_the_picture_and_has_a_pixel_at_least(canvas: CanvasView) -> None:
    _key(canvas, ENTER)
    _key(canvas, LEFT, times=100)
    _key(canvas, UP, times=100)
    _key(canvas, LEFT, SHIFT, times=100)
    _key(canvas, UP, SHIFT, times=100)
    _key(canvas, ENTER)
    assert _marked(canvas) == Rect(0, 0, 1, 1)
    _key(canvas, ENTER)
    _key(canvas, RIGHT, SHIFT, times=200)
    _key(canvas, ENTER)
    assert _marked(canvas).right == 600


def test_escape_drops_it_and_arrows_are_left_to_others_then(canvas: CanvasView) -> None:
    _key(canvas, ENTER)
    assert _key(canvas, ESCAPE)
    assert canvas.document.mask_empty
    assert not canvas._marked.box.isValid() or canvas._marked.box.isEmpty()
    assert not _key(canvas, RIGHT)


def test_an_ellipse_too_and_x_takes_away(canvas: CanvasView) -> None:
    _key(canvas, ENTER)
    _key(canvas, ENTER)
    full = int(np.count_nonzero(canvas.document.mask_pixels()))
    canvas.set_tool("ellipse")
    _key(canvas, Qt.Key.Key_X)
    _key(canvas, ENTER)
    _key(canvas, ENTER)
    assert canvas.document.undo.undoText() == "Erase ellipse"
    left = int(np.count_nonzero(canvas.document.mask_pixels()))
    assert left / full == pytest.approx(1 - np.pi / 4, abs=0.02)


def test_a_tool_that_needs_a_pointer_leaves_enter_alone(canvas: CanvasView) -> None:
    canvas.set_tool("brush")
    assert not _key(canvas, ENTER)


def test_arrows_move_the_line_between_before_and_after(canvas: CanvasView) -> None:
    canvas.comparison.remember(Rect(0, 0, 600, 400), canvas.document.picture.copy(canvas.document.box))
    canvas.comparison.set_wiping(True)
    view = canvas.viewport.camera.view
    before = canvas.comparison.place(view)
    assert _key(canvas, RIGHT, times=3)
    assert canvas.comparison.place(view) == pytest.approx(before + 0.06 * view.width())
    assert canvas.comparison.grips(QPointF(before + 0.06 * view.width(), 10), view)


@pytest.fixture
def framing(canvas: CanvasView) -> CanvasView:
    canvas.set_tool("frame")
    return canvas


def test_a_frame_is_moved_resized_and_set(framing: CanvasView) -> None:
    said: list[str] = []
    framing.said.connect(said.append)
    assert _key(framing, ENTER)
    first = framing._xray.draft
    assert first is not None
    assert first.inside(framing.document.size)
    assert framing.document.frame is None  # it is a draft
    _key(framing, RIGHT, times=2)
    _key(framing, UP)
    _key(framing, RIGHT, SHIFT, times=3)
    _key(framing, UP, SHIFT)
    expected = Rect(first.x + 16, first.y - 8, first.width + 24, first.height - 8)
    assert framing._xray.draft == expected
    assert said[-1] == f"{expected.width} × {expected.height} at {expected.x}, {expected.y}"
    assert _key(framing, ENTER)
    assert framing.document.frame == expected
    assert framing.document.undo.undoText() == "Set the frame"
    assert "is set" in said[-1]
    framing.document.undo.undo()
    assert framing.document.frame is None


def test_an_arrow_begins_with_the_frame_and_escape_drops_it(framing: CanvasView) -> None:
    framing.document.undo.push(SetFrame(framing.document, Rect(8, 8, 128, 128)))
    framing._xray.draft = None
    framing.show_outlooks((Outlook(plan=plan_box(Rect(8, 8, 128, 128), 512)),))
    assert _key(framing, DOWN, times=2)
    assert framing._xray.draft == Rect(8, 24, 128, 128)
    said: list[str] = []
    framing.said.connect(said.append)
    assert _key(framing, ESCAPE)
    assert said == ["The frame is as it was."]
    assert framing._xray.draft is None
    assert framing.document.frame == Rect(8, 8, 128, 128)
    framing.set_tool("brush")
    assert not _key(framing, DOWN)


def test_a_frame_stops_at_the_edge_and_with_ctrl_the_picture_grows(framing: CanvasView) -> None:
    framing.show_outlooks((Outlook(plan=plan_box(Rect(472, 8, 128, 128), 512)),))
    _key(framing, RIGHT, times=3)
    assert framing._xray.draft == Rect(472, 8, 128, 128)
    _key(framing, RIGHT, CTRL, times=4)
    _key(framing, DOWN)
    assert framing._xray.draft == Rect(504, 16, 128, 128)
    _key(framing, ENTER)
    assert framing.document.size == Size(632, 400)
    assert framing.document.frame == Rect(504, 16, 128, 128)
    assert framing.document.undo.undoText() == "Extend picture"


def test_the_pointer_takes_over_from_the_keys(framing: CanvasView) -> None:
    _key(framing, ENTER)
    drag(framing, framing.to_view(QPointF(8, 8)), framing.to_view(QPointF(104, 104)))
    assert framing.document.frame == Rect(8, 8, 96, 96)
    assert not _key(framing, ESCAPE)


def test_without_a_picture_it_says_why_nothing_happens(qtbot: QtBot) -> None:
    view = CanvasView(Document(Size(64, 64)))
    qtbot.addWidget(view)
    said: list[str] = []
    view.said.connect(said.append)
    view.set_tool("frame")
    _key(view, ENTER)
    assert "no picture" in said[0]
    assert not _key(view, ESCAPE)

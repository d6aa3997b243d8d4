"""What can be done without a pointer: an area made, moved and resized; the line between before and after."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.geometry import Rect, Size
from app.document import images
from app.document.commands import OpenPicture
from app.document.document import Document
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import CTRL, PLAIN, SHIFT
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

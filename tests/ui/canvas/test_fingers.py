"""The view moved by fingers, trackpads, wheels and pens, and how far it zooms."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from app.core.geometry import Size
from app.document.commands import OpenPicture
from app.document.document import Document
from app.document.strokes import Brush
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import CTRL, MIDDLE, Fingers, key, pen, wheel
from tests.ui.canvas.test_view import _gradient

SCROLL = Qt.ScrollPhase.ScrollUpdate


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    view = CanvasView(Document(Size(64, 64)))
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    view.document.undo.push(OpenPicture(view.document, _gradient(2000, 1500)))
    view.set_brush(Brush(size=12, hardness=1.0))
    view.zoom_to(1.0)
    return view


def _near(one: QPointF, other: QPointF, within: float = 1.5) -> bool:
    return math.hypot(one.x() - other.x(), one.y() - other.y()) <= within


def test_two_fingers_on_a_trackpad_move_the_view(canvas: CanvasView) -> None:
    point, zoom = canvas.to_picture(QPointF(300, 200)), canvas.zoom
    wheel(canvas, QPointF(300, 200), -45, pixels=QPoint(-30, -18), phase=SCROLL)
    assert _near(canvas.to_picture(QPointF(270, 182)), point)
    assert canvas.zoom == zoom


def test_a_trackpad_that_tells_no_pixels_moves_the_view_as_well(canvas: CanvasView) -> None:
    point, zoom = canvas.to_picture(QPointF(300, 200)), canvas.zoom
    wheel(canvas, QPointF(300, 200), -120, phase=SCROLL)
    assert _near(canvas.to_picture(QPointF(300, 160)), point)
    assert canvas.zoom == zoom


def test_with_ctrl_two_fingers_zoom_at_the_pointer(canvas: CanvasView) -> None:
    at = QPointF(200, 170)
    point, zoom = canvas.to_picture(at), canvas.zoom
    wheel(canvas, at, 0, pixels=QPoint(0, 60), phase=SCROLL, modifiers=CTRL)
    assert canvas.zoom > zoom * 1.1
    assert _near(canvas.to_picture(at), point)


def test_one_finger_paints(canvas: CanvasView) -> None:
    first, last = canvas.to_view(QPointF(900, 700)), canvas.to_view(QPointF(960, 700))
    fingers = Fingers(canvas)
    fingers.put(0, first).tell()
    fingers.move(0, last).tell()
    fingers.lift(0, last).tell()
    mask = canvas.document.mask_pixels()
    assert mask[700, 930] == 255
    assert canvas.document.undo.undoText() == "Paint mask"


def test_two_fingers_move_and_zoom_and_leave_no_stroke(canvas: CanvasView) -> None:
    steps = canvas.document.undo.count()
    left, right = QPointF(250, 240), QPointF(350, 240)
    middle = canvas.to_picture(QPointF(300, 240))
    fingers = Fingers(canvas)
    fingers.put(0, left).tell()
    fingers.move(0, left).put(1, right).tell()
    for part in (0.5, 1.0):
        way, spread = QPointF(60, 30) * part, QPointF(50, 0) * part
        fingers.move(0, left + way - spread).move(1, right + way + spread).tell()
    assert canvas.zoom == pytest.approx(2.0, rel=0.01)
    assert _near(canvas.to_picture(QPointF(360, 270)), middle)
    assert canvas.viewport.camera.angle == 0.0
    fingers.lift(0, QPointF(260, 270)).lift(1, QPointF(460, 270)).tell()
    assert canvas.document.undo.count() == steps
    assert canvas.document.mask_empty


def test_two_fingers_that_twist_turn_the_view(canvas: CanvasView) -> None:
    middle, reach = QPointF(320, 240), 100.0

    def ends(degrees: float) -> tuple[QPointF, QPointF]:
        way = QPointF(math.cos(math.radians(degrees)), math.sin(math.radians(degrees))) * reach
        return middle - way, middle + way

    first, second = ends(0)
    fingers = Fingers(canvas)
    fingers.put(0, first).put(1, second).tell()
    for degrees in range(0, 46, 5):
        first, second = ends(degrees)
        fingers.move(0, first).move(1, second).tell()
    fingers.lift(0, first).lift(1, second).tell()
    assert 25.0 < canvas.viewport.camera.angle < 46.0


def test_a_second_finger_does_not_take_a_long_stroke_away(canvas: CanvasView) -> None:
    start, palm = canvas.to_view(QPointF(900, 700)), QPointF(50, 50)
    fingers = Fingers(canvas)
    fingers.put(0, start).tell()
    for step in range(1, 9):
        fingers.move(0, start + QPointF(10 * step, 0)).tell()
    zoom = canvas.zoom
    fingers.move(0, start + QPointF(80, 0)).put(1, palm).tell()
    fingers.move(0, start + QPointF(80, 0)).move(1, palm + QPointF(4, 0)).tell()
    fingers.lift(0, start + QPointF(80, 0)).lift(1, palm).tell()
    assert canvas.zoom == zoom
    assert canvas.document.mask_pixels()[700, 940] == 255


@pytest.mark.parametrize("how", ["space", "button"])
def test_a_pen_moves_the_view(canvas: CanvasView, how: str) -> None:
    point = canvas.to_picture(QPointF(300, 200))
    button = {"button": MIDDLE} if how == "button" else {}
    if how == "space":
        key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Space)
    for kind, at in (
        (QEvent.Type.TabletPress, QPointF(300, 200)),
        (QEvent.Type.TabletMove, QPointF(340, 230)),
        (QEvent.Type.TabletRelease, QPointF(340, 230)),
    ):
        pen(canvas, kind, at, 0.5, **button)
    assert _near(canvas.to_picture(QPointF(340, 230)), point)
    assert canvas.document.mask_empty


def test_the_wheel_zooms_from_one_percent_to_6400_and_no_further(canvas: CanvasView) -> None:
    at = QPointF(320, 240)
    for _ in range(60):
        wheel(canvas, at, 120)
    assert canvas.zoom == 64.0
    for _ in range(80):
        wheel(canvas, at, -120)
    assert canvas.zoom == 0.01
    canvas.grab()
    for _ in range(40):
        canvas.zoom_in()
    assert canvas.zoom == 64.0
    canvas.grab()

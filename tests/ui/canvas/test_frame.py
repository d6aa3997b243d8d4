"""The frame in the hand, and the X-ray: what the model sees is drawn before anything is painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt

from app.core.geometry import Rect, Size
from app.core.params import Intent
from app.core.request import FrameChoice
from app.core.seam import Seam
from app.document.strokes import Brush
from app.ui.canvas.frame import drawn, moved, resized
from tests.fakes import FakeBackend
from tests.ui.canvas.gestures import drag, key, move, press, release
from tests.ui.canvas.test_view import _seen
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture

PICTURE = Size(640, 480)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((10, 10), (203, 131), Rect(8, 8, 192, 120)),
        ((203, 131), (10, 10), Rect(8, 8, 192, 120)),
        ((-50, -50), (900, 900), Rect(0, 0, 640, 480)),
        ((630, 470), (640, 480), Rect(576, 416, 64, 64)),
        ((100, 100), (101, 101), Rect(104, 104, 64, 64)),
    ],
)
def test_drawing(start: tuple[int, int], end: tuple[int, int], expected: Rect) -> None:
    assert drawn(QPointF(*start), QPointF(*end), PICTURE) == expected


@pytest.mark.parametrize(
    ("way", "expected"),
    [((11, -5), (112, 96)), ((-500, 0), (0, 104)), ((1000, 1000), (440, 280)), ((3, 3), (104, 104))],
)
def test_moving(way: tuple[int, int], expected: tuple[int, int]) -> None:
    box = moved(Rect(104, 104, 200, 200), QPointF(*way), PICTURE)
    assert (box.x, box.y, box.width, box.height) == (*expected, 200, 200)


@pytest.mark.parametrize(
    ("grip", "way", "expected"),
    [
        ((1, 1), (11, -13), Rect(104, 104, 208, 184)),
        ((-1, 0), (-500, 77), Rect(0, 104, 304, 200)),
        ((0, -1), (9, 1000), Rect(104, 240, 200, 64)),
        ((1, 0), (1000, 0), Rect(104, 104, 536, 200)),
    ],
)
def test_resizing(grip: tuple[int, int], way: tuple[int, int], expected: Rect) -> None:
    assert resized(Rect(104, 104, 200, 200), grip, QPointF(*way), PICTURE) == expected


def test_a_frame_smaller_than_the_least_can_be_made_larger() -> None:
    assert resized(Rect(0, 0, 40, 30), (1, 1), QPointF(8, 8), Size(40, 300)) == Rect(0, 0, 40, 40)


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    return studio


def _to_view(studio: Studio, x: float, y: float) -> QPointF:
    return studio.window.canvas.to_view(QPointF(x, y))


def test_a_frame_is_drawn_moved_resized_and_given_back(opened: Studio, backend: FakeBackend) -> None:
    canvas, document = opened.window.canvas, opened.document
    opened.drag(QPoint(200, 200), QPoint(220, 200))
    canvas.set_tool("frame")
    opened.wait(lambda: canvas._xray.box is not None)
    before = canvas._xray.box
    drag(canvas, _to_view(opened, before.x + 60, before.y + 60), _to_view(opened, before.x + 60, before.y + 101))
    moved_to = document.frame
    assert moved_to is not None
    assert moved_to.size == before.size
    assert moved_to.x % 8 == moved_to.y % 8 == 0
    assert (moved_to.x, moved_to.y) == pytest.approx((before.x, before.y + 41), abs=4)
    opened.wait(lambda: canvas._xray.box == moved_to)
    corner = (moved_to.right, moved_to.bottom)
    drag(canvas, _to_view(opened, *corner), _to_view(opened, corner[0] + 24, corner[1] + 16))
    grown = document.frame
    assert grown is not None
    assert (grown.x, grown.y) == (moved_to.x, moved_to.y)
    assert (grown.right, grown.bottom) == pytest.approx((corner[0] + 24, corner[1] + 16), abs=4)
    assert grown.right % 8 == grown.bottom % 8 == 0
    opened.click("generateButton")
    opened.wait(lambda: len(backend.requests) == 1)
    assert backend.requests[0].frame == document.frame
    opened.wait_idle()
    canvas.setFocus()
    assert key(canvas, QEvent.Type.ShortcutOverride, Qt.Key.Key_Backspace)
    key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Backspace)
    assert document.frame is None
    opened.click("generateButton")
    opened.wait(lambda: len(backend.requests) == 2)
    assert backend.requests[1].frame is FrameChoice.AUTO
    opened.wait_idle()


def test_a_new_frame_is_drawn_where_there_is_none(opened: Studio) -> None:
    canvas = opened.window.canvas
    canvas.set_tool("frame")
    opened.store.update(intent=Intent.GENERATE)
    opened.wait(lambda: canvas._xray.box is None)
    drag(canvas, _to_view(opened, 100, 100), _to_view(opened, 300, 260), _to_view(opened, 420, 300))
    assert opened.document.frame == Rect(104, 104, 320, 200)
    assert opened.document.undo.undoText() == "Set the frame"
    assert "320 × 200" in opened.find("frameLine").text()
    opened.click("frameFollow")
    assert opened.document.frame is None


def test_escape_leaves_the_frame_as_it_was(opened: Studio) -> None:
    canvas, steps = opened.window.canvas, opened.document.undo.count()
    canvas.set_tool("frame")
    press(canvas, _to_view(opened, 100, 100))
    move(canvas, _to_view(opened, 300, 300))
    assert key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Escape)
    release(canvas, _to_view(opened, 300, 300))
    assert opened.document.undo.count() == steps
    assert canvas._xray.draft is None


def test_what_the_model_does_not_see_lies_in_shade(opened: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "large.png", 2000, 1500)
    opened.open(tmp_path / "large.png")
    opened.drag(QPoint(300, 300), QPoint(320, 300))
    canvas = opened.window.canvas
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas).astype(int)
    opened.window.canvas.setFocus()
    opened.key(Qt.Key.Key_Q)
    opened.wait(lambda: canvas._xray.box is not None)
    box = canvas._xray.box
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    after = _seen(canvas).astype(int)
    inside, outside = (
        _to_view(opened, box.right - 20, box.bottom - 20).toPoint(),
        _to_view(opened, 1900, 1400).toPoint(),
    )
    assert np.array_equal(after[inside.y(), inside.x()], before[inside.y(), inside.x()])
    assert after[outside.y(), outside.x()].sum() < 0.7 * before[outside.y(), outside.x()].sum()
    opened.drag(QPoint(1500, 1200), QPoint(1520, 1200))  # the frame follows the mask
    opened.wait(lambda: canvas._xray.box.right > 1500)
    opened.window.canvas.setFocus()
    opened.key(Qt.Key.Key_Q)
    assert not canvas.xray_shown


def test_where_the_model_paints_beyond_the_mask_and_where_it_mixes_is_drawn(opened: Studio) -> None:
    canvas = opened.window.canvas
    canvas.set_brush(Brush(size=120, hardness=1.0))
    opened.drag(QPoint(300, 240), QPoint(310, 240))
    canvas.set_mask_visible(False)
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas).astype(int)
    opened.store.update(seam=Seam(grow=10, feather=30, ring=20))
    canvas.set_xray(True)
    opened.wait(lambda: bool(canvas._xray.outlooks))
    after = _seen(canvas).astype(int)

    def change(x: float) -> list[int]:
        at = _to_view(opened, x, 240).toPoint()
        return list(after[at.y(), at.x()] - before[at.y(), at.x()])

    edge = 310 + 60
    assert change(edge + 6)[2] > 40  # blue beyond the mask
    ring = after[_to_view(opened, edge - 10, 240).toPoint().y(), _to_view(opened, edge - 10, 240).toPoint().x()]
    assert min(ring[0], ring[1]) > ring[2] + 60  # yellow within its edge
    assert change(300) == change(edge + 60) == [0, 0, 0]


def test_far_parts_of_the_mask_have_a_frame_each(opened: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "large.png", 2000, 1500)
    opened.open(tmp_path / "large.png")
    canvas = opened.window.canvas
    opened.drag(QPoint(200, 200), QPoint(230, 200))
    opened.drag(QPoint(1700, 1300), QPoint(1720, 1300))
    opened.store.update(frame=FrameChoice.PARTS)
    canvas.set_xray(True)
    opened.wait(lambda: len(canvas._xray.boxes) == 2)
    first, second = canvas._xray.boxes
    assert first.x <= 200 < first.right
    assert second.x <= 1700 < second.right
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    at = _to_view(opened, second.x + 30, second.bottom - 30).toPoint()
    lit = _seen(canvas)[at.y(), at.x()].tolist()
    canvas.set_xray(False)
    assert _seen(canvas)[at.y(), at.x()].tolist() == lit

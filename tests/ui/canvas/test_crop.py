"""Crop and extend: the picture's edge in the hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtWidgets import QWidget

from app.core.geometry import Rect, Size
from app.core.params import Intent
from app.core.request import Inpaint
from app.document.commands import ClearMask
from app.document.extent import ChangeExtent
from app.document.strokes import Brush
from app.ui.canvas.crop import pulled
from tests.fakes import FakeBackend
from tests.ui.canvas.gestures import CTRL, drag, key, mouse, move, press, release
from tests.ui.canvas.test_view import _seen
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture
from tests.ui.test_journal import crash, restore
from tests.ui.test_projects import save_as

WHOLE = Rect(0, 0, 640, 480)


@pytest.mark.parametrize(
    ("grip", "way", "expected"),
    [
        ((1, 0), (130, 50), Rect(0, 0, 768, 480)),
        ((-1, 0), (-130, 0), Rect(-128, 0, 768, 480)),
        ((0, -1), (0, -61), Rect(0, -64, 640, 544)),
        ((1, 1), (-100, -40), Rect(0, 0, 544, 440)),
        ((-1, -1), (9000, 9000), Rect(632, 472, 8, 8)),
        ((1, 0), (100_000, 0), Rect(0, 0, 16384, 480)),
        ((1, 0), (2, 0), WHOLE),
    ],
)
def test_pulling(grip: tuple[int, int], way: tuple[int, int], expected: Rect) -> None:
    assert pulled(WHOLE, grip, QPointF(*way)) == expected


def test_a_side_that_is_not_pulled_keeps_its_odd_length() -> None:
    assert pulled(Rect(0, 0, 333, 251), (1, 0), QPointF(20, 0)) == Rect(0, 0, 352, 251)


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    studio.window.canvas.set_tool("crop")
    return studio


def _at(studio: Studio, x: float, y: float) -> QPointF:
    return studio.window.canvas.to_view(QPointF(x, y))


def test_an_edge_pulled_out_is_painted_beyond(opened: Studio, backend: FakeBackend) -> None:
    document, canvas = opened.document, opened.window.canvas
    old = document.pixels()
    drag(canvas, _at(opened, 640, 240), _at(opened, 700, 240), _at(opened, 768, 250))
    assert document.size == Size(768, 480)
    assert document.undo.undoText() == "Extend picture"
    assert np.array_equal(document.pixels()[:, :640], old)
    assert (document.mask_pixels()[:, 640:] == 255).all()
    assert not document.mask_pixels()[:, :640].any()
    assert opened.store.params.intent is Intent.INPAINT
    opened.click("generateButton")
    opened.wait_idle()
    task = backend.requests[0].task
    assert isinstance(task, Inpaint)
    assert task.image[:, 640:].mean() < 250  # colours drawn on, not the white of an empty canvas
    assert np.array_equal(document.pixels()[:, :640], old)
    assert (document.pixels()[:, 640:] == (200, 60, 40)).all()
    for _ in range(2):
        document.undo.undo()
    assert document.size == Size(640, 480)
    assert np.array_equal(document.pixels(), old)


def test_there_is_room_around_the_picture_to_pull_into(opened: Studio) -> None:
    canvas = opened.window.canvas
    origin, corner = _at(opened, 0, 0), _at(opened, 640, 480)
    assert canvas.width() - corner.x() > 100
    assert canvas.height() - corner.y() > 80
    canvas.set_tool("brush")
    assert _at(opened, 640, 480).y() - _at(opened, 0, 0).y() > 1.2 * (corner.y() - origin.y())


def test_the_edge_is_seen_before_it_is_let_go_and_escape_leaves_it(opened: Studio) -> None:
    canvas, steps = opened.window.canvas, opened.document.undo.count()
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas).astype(int)
    press(canvas, _at(opened, 0, 240))
    move(canvas, _at(opened, -100, 240))
    beyond, inside = _at(opened, -50, 240).toPoint(), _at(opened, 300, 300).toPoint()
    after = _seen(canvas).astype(int)
    assert abs(after[beyond.y(), beyond.x()] - before[beyond.y(), beyond.x()]).max() > 8
    assert np.array_equal(after[inside.y(), inside.x()], before[inside.y(), inside.x()])
    move(canvas, _at(opened, 100, 240))
    cut = _at(opened, 50, 100).toPoint()
    assert _seen(canvas).astype(int)[cut.y(), cut.x()].sum() < 0.6 * before[cut.y(), cut.x()].sum()
    assert key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Escape)
    release(canvas, _at(opened, 100, 240))
    assert opened.document.undo.count() == steps
    assert opened.document.size == Size(640, 480)


def test_a_drawn_box_waits_is_adjusted_and_crops_on_enter(opened: Studio) -> None:
    canvas, document = opened.window.canvas, opened.document
    old = document.pixels()
    drag(canvas, _at(opened, 105, 105), _at(opened, 303, 262))
    assert document.size == Size(640, 480)
    drag(canvas, _at(opened, 304, 264), _at(opened, 402, 305))  # its corner
    drag(canvas, _at(opened, 200, 180), _at(opened, 216, 180))  # moved
    assert key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Return)
    assert document.size == Size(296, 200)
    assert np.array_equal(document.pixels(), old[104:304, 120:416])
    assert document.undo.undoText() == "Crop picture"
    assert document.mask_empty


def test_a_double_click_in_the_box_crops(opened: Studio) -> None:
    canvas, document = opened.window.canvas, opened.document
    drag(canvas, _at(opened, 105, 105), _at(opened, 303, 262))
    for _ in range(2):
        press(canvas, _at(opened, 200, 200))
        release(canvas, _at(opened, 200, 200))
    assert document.size == Size(200, 160)


def test_a_click_and_escape_leave_no_trace(opened: Studio) -> None:
    canvas, steps = opened.window.canvas, opened.document.undo.count()
    press(canvas, _at(opened, 200, 200))
    release(canvas, _at(opened, 200, 200))
    drag(canvas, _at(opened, 105, 105), _at(opened, 303, 262))
    assert key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Escape)
    assert not key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Return)
    assert opened.document.undo.count() == steps


def test_nothing_to_crop_on_a_blank_canvas(studio: Studio) -> None:
    canvas = studio.window.canvas
    canvas.set_tool("crop")
    drag(canvas, QPointF(200, 200), QPointF(300, 300))
    assert studio.document.undo.count() == 0
    assert not studio.find("cropToMask").isEnabled()


def test_buttons_crop_to_frame_and_mask(opened: Studio) -> None:
    document, canvas = opened.document, opened.window.canvas
    assert not opened.find("cropToFrame").isEnabled()
    canvas.set_tool("rectangle")
    drag(canvas, _at(opened, 50, 60), _at(opened, 251, 162))
    canvas.set_tool("crop")
    opened.click("cropToMask")
    assert document.undo.undoText() == "Crop to the mask"
    assert (document.size.width, document.size.height) == pytest.approx((201, 102), abs=2)
    assert (document.mask_pixels() == 255).all()
    assert opened.find("cropLine").text().startswith(f"{document.size.width} × ")
    document.undo.undo()
    canvas.set_tool("frame")
    drag(canvas, _at(opened, 400, 104), _at(opened, 560, 264))
    frame = document.frame
    assert frame is not None
    canvas.set_tool("crop")
    opened.click("cropToFrame")
    assert document.size == frame.size
    assert document.frame == Rect.whole(frame.size)


def test_with_ctrl_the_frame_pulls_the_picture_along(opened: Studio) -> None:
    document, canvas = opened.document, opened.window.canvas
    canvas.set_tool("frame")
    drag(canvas, _at(opened, 320, 100), _at(opened, 560, 340))
    assert document.frame == Rect(320, 104, 240, 240)
    opened.wait(lambda: canvas._xray.box == document.frame)
    drag(canvas, _at(opened, 560, 224), _at(opened, 640, 224), _at(opened, 704, 224))
    assert document.frame == Rect(320, 104, 320, 240)  # without it, the picture's edge holds
    opened.wait(lambda: canvas._xray.box == document.frame)
    start, end = _at(opened, 640, 224), _at(opened, 736, 224)
    press(canvas, start, modifiers=CTRL)
    _ctrl_move(canvas, end)
    release(canvas, end)
    assert document.size == Size(736, 480)
    assert document.frame == Rect(320, 104, 416, 240)
    assert (document.mask_pixels()[:, 640:] == 255).all()
    document.undo.undo()
    assert document.size == Size(640, 480)
    assert document.frame == Rect(320, 104, 320, 240)


def _ctrl_move(canvas: QWidget, at: QPointF) -> None:
    mouse(canvas, QEvent.Type.MouseMove, at, modifiers=CTRL)


# What lies beyond the old edge


def _beyond(studio: Studio) -> np.ndarray:
    """What one sees of the new part, without the mask."""
    studio.window.canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    corner, end = _at(studio, 660, 20).toPoint(), _at(studio, 750, 460).toPoint()
    return _seen(studio.window.canvas)[corner.y() : end.y(), corner.x() : end.x()]


def _is_chequered(part: np.ndarray) -> bool:
    """Two neutral greys, about as much of either, and no white."""
    shades = np.unique(part.reshape(-1, 3), axis=0)
    halves = [int((part == shade).all(axis=2).sum()) / part[..., 0].size for shade in shades]
    return len(shades) == 2 and np.ptp(shades, axis=1).max() <= 2 and min(halves) > 0.4


def test_what_is_new_is_chequered_until_something_is_there(opened: Studio, backend: FakeBackend) -> None:
    document, canvas = opened.document, opened.window.canvas
    canvas.set_mask_visible(False)
    drag(canvas, _at(opened, 640, 240), _at(opened, 768, 240))
    canvas.set_tool("brush")
    document.undo.push(ClearMask(document))
    assert _is_chequered(_beyond(opened))
    assert (document.pixels()[:, 640:] == 255).all()  # where somebody needs pixels without an alpha
    canvas.zoom_to(1.5)
    canvas.viewport.centre_on(QPointF(700, 240))
    assert _is_chequered(_seen(canvas)[200:260, canvas.width() // 2 : canvas.width() // 2 + 60])
    canvas.fit()
    document.undo.undo()
    opened.click("generateButton")
    opened.wait_idle()
    document.undo.push(ClearMask(document))
    assert (_beyond(opened) == (200, 60, 40)).all()
    assert (document.pixels()[:, 640:] == (200, 60, 40)).all()
    document.undo.undo()
    document.undo.undo()
    document.undo.push(ClearMask(document))
    assert _is_chequered(_beyond(opened))


def test_it_is_chequered_again_out_of_a_project_and_after_a_crash(
    open_studio: Open, tmp_path: Path, backend: FakeBackend
) -> None:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio = open_studio()
    studio.open(tmp_path / "photo.png")
    document = studio.document
    document.undo.push(ChangeExtent(document, Rect(0, 0, 768, 480), "Extend picture", mark=False))
    save_as(studio, tmp_path / "desk.ora")
    crash(studio)
    again = open_studio()
    restore(again)
    other = open_studio()
    other.open(tmp_path / "desk.ora")
    for each in (again, other):
        each.window.canvas.fit()
        assert _is_chequered(_beyond(each))
        assert not each.document.picture.opaque


def test_colour_painted_beyond_the_edge_lies_on_nothing_else(opened: Studio) -> None:
    """Half a colour shows the chequers under it, while it is painted as when it is done."""
    document, canvas = opened.document, opened.window.canvas
    document.undo.push(ChangeExtent(document, Rect(0, 0, 768, 480), "Extend picture", mark=False))
    canvas.set_tool("paint")
    bare = _beyond(opened)[180:220, 30:60].astype(int)
    canvas.set_brush(Brush(size=400, hardness=1.0, opacity=0.5))
    canvas.toolbox.colours.choose((255, 0, 0))
    press(canvas, _at(opened, 704, 240))
    move(canvas, _at(opened, 704, 242))
    meanwhile = _beyond(opened)[180:220, 30:60].astype(int)
    release(canvas, _at(opened, 704, 242))
    done = _beyond(opened)[180:220, 30:60].astype(int)
    assert np.abs(meanwhile - done).max() <= 2
    assert len(np.unique(done[..., 1])) == 2
    assert np.abs(done[..., 1] - bare[..., 1] / 2).max() <= 1
    assert np.abs(done[..., 0] - (bare[..., 0] + 255) / 2).max() <= 1

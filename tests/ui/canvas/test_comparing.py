"""Before and after: a line between them, a key that shows the one from before, and what counts as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt

from app.core.params import Intent
from tests.fakes import FakeBackend, painted, result_of
from tests.ui.canvas.gestures import drag, key, move
from tests.ui.canvas.test_view import _seen
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture

DOWN, UP = QEvent.Type.KeyPress, QEvent.Type.KeyRelease
NEW = (200, 60, 40)


@pytest.fixture
def refined(studio: Studio, backend: FakeBackend, tmp_path: Path) -> Studio:
    """A picture, and one of even colour that has taken its place."""
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    backend.make_result = lambda request: result_of(request, painted(request, NEW))
    studio.store.update(intent=Intent.REFINE, steps=1)
    steps = studio.document.undo.count()
    studio.window.painting.submit()
    studio.wait(lambda: studio.document.undo.count() > steps)
    return studio


def _colour(studio: Studio, x: int, y: int = 240) -> list[int]:
    """What is seen at a pixel of the picture."""
    canvas = studio.window.canvas
    at = canvas.to_view(QPointF(x + 0.5, y + 0.5)).toPoint()
    colour: list[int] = _seen(canvas)[at.y(), at.x()].tolist()
    return colour


def _new(studio: Studio, x: int, y: int = 240) -> list[int]:
    """What the result has there."""
    colour: list[int] = studio.document.pixels()[y, x].tolist()
    return colour


def _alike(one: list[int], other: list[int]) -> bool:
    """As far as enlarging and smoothing let it be."""
    return bool(np.abs(np.subtract(one, other)).max() <= 12)


def _old(x: int, y: int = 240) -> list[int]:
    return [x * 255 // 640, y * 255 // 480, (x + y) % 256]


def test_a_line_parts_before_and_after_and_is_dragged(refined: Studio) -> None:
    canvas = refined.window.canvas
    assert refined.window.actions_by_id["wipe"].isEnabled()
    canvas.setFocus()
    refined.key(Qt.Key.Key_Y)
    assert canvas.comparison.wiping
    assert _alike(_colour(refined, 60), _old(60))
    assert _alike(_colour(refined, 600), _new(refined, 600))
    steps = refined.document.undo.count()
    start = QPointF(canvas.width() / 2, 100)
    drag(canvas, start, QPointF(200, 130), QPointF(canvas.to_view(QPointF(20, 0)).x(), 130))
    assert _alike(_colour(refined, 60), _new(refined, 60))
    assert refined.document.undo.count() == steps  # no tool has worked
    assert refined.document.mask_empty
    refined.key(Qt.Key.Key_Escape)
    assert not canvas.comparison.wiping
    assert not refined.window.actions_by_id["wipe"].isChecked()


def test_the_line_has_its_cursor_and_beside_it_tools_work(refined: Studio) -> None:
    canvas = refined.window.canvas
    refined.window.actions_by_id["wipe"].trigger()
    move(canvas, QPointF(canvas.width() / 2 + 3, 90))
    assert canvas.cursor().shape() is Qt.CursorShape.SplitHCursor
    move(canvas, QPointF(canvas.width() / 2 + 60, 90))
    assert canvas.cursor().shape() is Qt.CursorShape.BlankCursor
    refined.drag(QPoint(500, 200), QPoint(560, 200))
    assert not refined.document.mask_empty


def test_a_key_shows_the_picture_from_before_for_as_long_as_it_is_held(refined: Studio) -> None:
    canvas = refined.window.canvas
    assert key(canvas, DOWN, Qt.Key.Key_Z, "z")
    assert _alike(_colour(refined, 600), _old(600))
    key(canvas, UP, Qt.Key.Key_Z)
    assert _alike(_colour(refined, 600), _new(refined, 600))


def test_the_mask_is_out_of_sight_meanwhile(refined: Studio) -> None:
    refined.drag(QPoint(300, 240), QPoint(340, 240))
    canvas = refined.window.canvas
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    assert not _alike(_colour(refined, 320), _new(refined, 320))
    refined.window.actions_by_id["wipe"].trigger()
    canvas.comparison.move_to(0, canvas.viewport.camera.view)
    assert _alike(_colour(refined, 320), _new(refined, 320))


def test_candidates_are_compared_with_the_picture_under_them(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    assert not studio.window.actions_by_id["wipe"].isEnabled()
    studio.store.update(intent=Intent.REFINE, steps=1, count=2)
    studio.window.painting.submit()
    studio.wait_idle()
    studio.wait(lambda: len(studio.desk.candidates.waiting) == 2)
    studio.window.actions_by_id["wipe"].trigger()
    after = _colour(studio, 600)
    assert _alike(_colour(studio, 60), _old(60))
    assert not _alike(after, _old(600))
    studio.desk.candidates.clear()
    assert not studio.window.actions_by_id["wipe"].isEnabled()
    assert not studio.window.canvas.comparison.wiping


def test_another_picture_has_no_before(refined: Studio, tmp_path: Path) -> None:
    refined.window.actions_by_id["wipe"].trigger()
    make_picture(tmp_path / "other.png", 320, 200)
    refined.open(tmp_path / "other.png")
    assert not refined.window.canvas.comparison.wiping
    assert not refined.window.actions_by_id["wipe"].isEnabled()

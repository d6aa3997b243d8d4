"""Live mode: a ghost after each stroke, the latest wins, and nothing is left of it until it is taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.core.errors import UserError
from app.core.job import Purpose
from app.core.request import ImageToImage, Inpaint
from app.ui.live import LIVE_STEPS
from tests.fakes import FakeBackend
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture
from tests.ui.test_candidates import press, seen

RED = (200, 60, 40)


@pytest.fixture
def live(studio: Studio, tmp_path: Path) -> Studio:
    """A picture is open, and live mode is on."""
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.wait(lambda: studio.window.isActiveWindow())
    studio.store.update(strength=1.0)
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    return studio


def ghost_of(studio: Studio) -> type:
    ghost = studio.window.live.ghost
    return type(None) if ghost is None else type(ghost.request.task)


def stroke(studio: Studio) -> None:
    """Over the middle."""
    studio.drag(QPoint(30, 32), QPoint(66, 32))


def test_it_is_off_until_it_is_asked_for(studio: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    stroke(studio)
    studio.qtbot.wait(200)
    assert backend.requests == []


def test_each_stroke_is_followed_by_a_ghost_in_few_steps(live: Studio, backend: FakeBackend) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    assert np.abs(seen(live).astype(int) - RED).max() <= 2
    steps, pixels = live.document.undo.count(), live.document.pixels()
    stroke(live)
    live.wait(lambda: ghost_of(live) is Inpaint)
    assert backend.requests[-1].steps == LIVE_STEPS
    assert backend.requests[-1].count == 1
    assert live.document.undo.count() == steps + 1, "the stroke alone"
    np.testing.assert_array_equal(live.document.pixels(), pixels)


def test_the_latest_stroke_wins_and_nothing_piles_up(live: Studio, backend: FakeBackend) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    backend.gated = True
    stroke(live)
    live.wait(lambda: live.queue.running is not None)
    older = live.queue.running
    for y in (10, 20, 50):
        live.drag(QPoint(20, y), QPoint(60, y))
    live.wait(lambda: live.queue.running is not None and live.queue.running is not older)
    assert older is not None
    assert older.cancel_asked
    assert len(live.queue.waiting) == 0
    backend.gated = False
    live.wait_idle()
    task = backend.requests[-1].task
    assert isinstance(task, Inpaint)
    np.testing.assert_array_equal(task.mask, live.document.mask_pixels())


def test_one_key_keeps_the_ghost_as_one_step(live: Studio) -> None:
    kept: list[int] = []
    live.desk.history.changed.connect(lambda: kept.append(1))
    stroke(live)
    live.wait(lambda: ghost_of(live) is Inpaint)
    live.wait(lambda: not live.desk.history.busy)
    assert kept == [], "the history gets what is kept, and nothing else"
    steps = live.document.undo.count()
    ghost = live.window.live.ghost
    assert ghost is not None
    press(live, Qt.Key.Key_K)
    assert live.document.undo.count() == steps + 1
    np.testing.assert_array_equal(live.document.pixels(), ghost.image)
    assert live.window.live.ghost is None
    live.wait(lambda: kept == [1])
    live.qtbot.wait(300)
    assert live.window.live.ghost is None, "what was just kept is not painted over"


def test_escape_puts_the_ghost_away(live: Studio) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    steps = live.document.undo.count()
    press(live, Qt.Key.Key_Escape)
    assert live.window.live.ghost is None
    assert np.abs(seen(live).astype(int) - RED).max() > 20
    assert live.document.undo.count() == steps
    assert not live.window.actions_by_id["live_keep"].isEnabled()


def test_pictures_come_first(live: Studio, backend: FakeBackend) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    backend.gated = True
    stroke(live)
    live.wait(lambda: live.queue.running is not None)
    live.store.update(steps=2)
    live.click("generateButton")
    live.wait(lambda: live.queue.running is not None and live.queue.running.purpose is Purpose.PICTURE)
    backend.gated = False
    live.wait(lambda: len(backend.requests) >= 4 and ghost_of(live) is Inpaint)  # and then it catches up


def test_turned_off_there_is_no_ghost_and_no_job(live: Studio, backend: FakeBackend) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    live.click("liveButton")
    assert live.window.live.ghost is None
    done = len(backend.requests)
    stroke(live)
    live.qtbot.wait(200)
    assert len(backend.requests) == done


def test_a_failure_is_said_and_the_next_stroke_tries_again(live: Studio, backend: FakeBackend) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    backend.error = UserError("There is no memory.", "Close something.")
    stroke(live)
    live.wait(lambda: live.titles == ["There is no memory."])
    backend.error = None
    stroke(live)
    live.wait(lambda: ghost_of(live) is Inpaint)


def test_it_is_remembered(live: Studio, open_studio: Open) -> None:
    live.window.close()
    QApplication.processEvents()
    again = open_studio()
    assert again.window.live.on
    assert again.find("liveButton").isChecked()


def test_a_stroke_of_colour_is_followed_too_and_its_hint_reaches_the_model(live: Studio, backend: FakeBackend) -> None:
    live.wait(lambda: ghost_of(live) is ImageToImage)
    before = len(backend.requests)
    live.window.canvas.set_tool("paint")
    live.drag(QPoint(30, 32), QPoint(66, 32))
    live.wait(lambda: len(backend.requests) > before and live.queue.running is None)
    task = backend.requests[-1].task
    assert isinstance(task, ImageToImage)
    np.testing.assert_array_equal(task.image, live.document.pixels())
    assert len(live.document.layers) == 2

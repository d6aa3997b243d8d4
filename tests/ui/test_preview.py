"""The forming picture: it can be turned off, takes no focus, and leaves a stroke alone that is being drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from app.core.params import Intent
from tests.fakes import FakeBackend
from tests.ui.canvas.gestures import move, press, release
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 320, 240)
    studio.open(tmp_path / "photo.png")
    studio.store.update(intent=Intent.REFINE, steps=4)
    return studio


def _step(studio: Studio, backend: FakeBackend, number: int) -> None:
    backend.release()
    studio.wait(lambda: studio.queue.running is not None and studio.queue.running.step >= number)


def test_it_can_be_turned_off_also_in_the_middle_of_a_job(opened: Studio, backend: FakeBackend) -> None:
    forming = opened.window.canvas._scene.forming
    action = opened.window.actions_by_id["preview"]
    assert action.isChecked()
    backend.gated = True
    opened.window.painting.submit()
    _step(opened, backend, 1)
    opened.wait(lambda: not forming.box.isEmpty())
    action.trigger()
    assert forming.box.isEmpty()
    _step(opened, backend, 2)
    assert forming.box.isEmpty()
    action.trigger()
    _step(opened, backend, 3)
    opened.wait(lambda: not forming.box.isEmpty())
    action.trigger()
    steps = opened.document.undo.count()
    backend.release()
    opened.wait(lambda: opened.document.undo.count() > steps)  # the result comes all the same


def test_it_stays_off_at_the_next_start(open_studio: Open, backend: FakeBackend) -> None:
    first = open_studio()
    first.window.actions_by_id["preview"].trigger()
    first.window.close()
    second = open_studio()
    assert not second.window.actions_by_id["preview"].isChecked()
    second.store.update(steps=2)
    backend.gated = True
    second.window.painting.submit()
    _step(second, backend, 1)
    assert second.window.canvas._scene.forming.box.isEmpty()
    backend.release(5)
    second.wait_idle()


def test_it_takes_the_focus_from_nobody(opened: Studio, backend: FakeBackend) -> None:
    field = opened.find("promptEdit")
    field.setFocus()
    backend.gated = True
    opened.window.painting.submit()
    for number in range(1, 4):
        _step(opened, backend, number)
        opened.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_A)
        assert QApplication.focusWidget() is field
    backend.release()
    opened.wait_idle()
    assert QApplication.focusWidget() is field
    assert field.toPlainText() == "aaa"


def test_a_stroke_that_is_being_drawn_is_the_same_with_and_without_it(opened: Studio, backend: FakeBackend) -> None:
    canvas, document = opened.window.canvas, opened.document
    way = [canvas.to_view(QPointF(x, 80 + x / 4)) for x in range(60, 260, 20)]

    def stroke(between: list[int]) -> np.ndarray:
        press(canvas, way[0])
        for number, at in enumerate(way):
            move(canvas, at)
            if between and number % 2:
                _step(opened, backend, between.pop(0))
                assert canvas._proxy.drafting
        if backend.gated:
            backend.release(5)
            opened.wait_idle()  # the result itself arrives under the brush
        release(canvas, way[-1])
        mask: np.ndarray = document.mask_pixels()
        return mask

    alone = stroke([])
    document.undo.undo()
    assert document.mask_empty
    backend.gated = True
    opened.window.painting.submit()
    assert np.array_equal(stroke([1, 2, 3]), alone)
    assert document.undo.undoText() == "Paint mask"
    document.undo.undo()
    assert document.undo.undoText() == "Refine"
    assert document.mask_empty


def test_a_stroke_may_begin_before_and_end_after_a_job(opened: Studio, backend: FakeBackend) -> None:
    canvas = opened.window.canvas
    start, end = (canvas.to_view(QPointF(p)) for p in (QPoint(100, 100), QPoint(160, 100)))
    press(canvas, start)
    opened.window.painting.submit()
    opened.wait_idle()
    move(canvas, end)
    release(canvas, end)
    assert opened.document.mask_pixels()[100, 130] == 255

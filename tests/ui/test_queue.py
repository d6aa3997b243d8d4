"""Jobs that wait: appended, put first, reordered, held back and taken out, while one paints on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.fakes import FakeBackend
from tests.ui.conftest import Open, Studio

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def busy(studio: Studio, backend: FakeBackend) -> Studio:
    """One job is running and stays so, with nothing behind it."""
    backend.gated = True
    studio.wait(lambda: studio.window.isActiveWindow())  # or its shortcuts do not work yet
    ask(studio, "running")
    studio.wait(lambda: studio.queue.running is not None)
    return studio


def ask(studio: Studio, prompt: str, key: Qt.KeyboardModifier = CTRL) -> None:
    studio.store.update(prompt=prompt, steps=2)
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_Return, key)


def waiting(studio: Studio) -> list[str]:
    return [job.request.prompt for job in studio.queue.waiting]


def finish_all(studio: Studio, backend: FakeBackend) -> list[str]:
    backend.gated = False
    studio.wait_idle()
    return [request.prompt for request in backend.requests]


def choose(studio: Studio, row: int) -> None:
    if not studio.find("queueContent").isVisible():
        studio.click("queueButton")
    rows = studio.find("queueList")
    rows.setCurrentRow(row)
    rows.setFocus()


def test_generate_appends_and_shift_puts_first(busy: Studio, backend: FakeBackend) -> None:
    ask(busy, "first")
    ask(busy, "second")
    ask(busy, "urgent", CTRL | SHIFT)
    assert waiting(busy) == ["urgent", "first", "second"]
    busy.store.update(prompt="clicked")
    busy.qtbot.mouseClick(busy.generate_button, Qt.MouseButton.LeftButton, SHIFT)
    assert waiting(busy) == ["clicked", "urgent", "first", "second"]
    busy.store.update(prompt="edited meanwhile")
    assert finish_all(busy, backend) == ["running", "clicked", "urgent", "first", "second"]


def test_paint_instead_cancels_the_running_one_and_is_next(busy: Studio, backend: FakeBackend) -> None:
    ask(busy, "waits")
    running = busy.queue.running
    assert running is not None
    ask(busy, "instead", CTRL | ALT)
    assert running.cancel_asked
    assert finish_all(busy, backend) == ["running", "instead", "waits"]
    assert busy.document.undo.count() == 2  # of the cancelled one nothing came


def test_the_panel_is_there_only_while_something_waits(busy: Studio, backend: FakeBackend) -> None:
    panel = busy.find("queuePanel")
    assert not panel.isVisible()
    ask(busy, "a calm lake\nat dawn")
    assert panel.isVisible()
    assert busy.find("queueButton").text().startswith("Queue · 1 waiting")
    assert busy.find("queueList").item(0).text() == "a calm lake at dawn\nGenerate · 128 × 128 · 2 steps"
    finish_all(busy, backend)
    assert not panel.isVisible()


def test_keys_and_buttons_change_the_order(busy: Studio, backend: FakeBackend) -> None:
    for prompt in ("a", "b", "c"):
        ask(busy, prompt)
    choose(busy, 2)
    busy.key(Qt.Key.Key_Up, ALT)
    assert waiting(busy) == ["a", "c", "b"]
    assert busy.find("queueList").currentRow() == 1, "the choice stays with its job"
    busy.key(Qt.Key.Key_Down, ALT)
    assert waiting(busy) == ["a", "b", "c"]
    busy.click("queueFirst")
    assert waiting(busy) == ["c", "a", "b"]
    assert not busy.find("queueFirst").isEnabled()
    assert finish_all(busy, backend) == ["running", "c", "a", "b"]


def test_rows_are_dragged_into_another_order(busy: Studio) -> None:
    for prompt in ("a", "b", "c"):
        ask(busy, prompt)
    rows = busy.find("queueList")
    rows.insertItem(0, rows.takeItem(2))  # what the end of a drag does
    rows.dropped.emit()
    assert waiting(busy) == ["c", "a", "b"]


def test_jobs_are_taken_out(busy: Studio, backend: FakeBackend) -> None:
    for prompt in ("a", "b", "c"):
        ask(busy, prompt)
    choose(busy, 1)
    busy.key(Qt.Key.Key_Delete)
    assert waiting(busy) == ["a", "c"]
    busy.click("queueRemove")
    assert waiting(busy) == ["a"]
    busy.click("queueClear")
    assert waiting(busy) == []
    assert busy.queue.running is not None, "what is being painted goes on"
    assert finish_all(busy, backend) == ["running"]


def test_a_paused_queue_finishes_what_runs_and_begins_nothing(busy: Studio, backend: FakeBackend) -> None:
    ask(busy, "later")
    busy.click("queuePause")
    assert busy.window.actions_by_id["queue_pause"].isChecked()
    backend.gated = False
    busy.wait(lambda: busy.queue.running is None)
    assert waiting(busy) == ["later"]
    assert busy.find("progressLabel").text() == "paused · 1 waiting"
    assert busy.find("queueButton").text().startswith("Paused · 1 waiting")
    busy.window.canvas.setFocus()
    busy.key(Qt.Key.Key_Space, CTRL | SHIFT)
    assert finish_all(busy, backend) == ["running", "later"]


def test_jobs_asked_for_together_are_one_row(busy: Studio) -> None:
    running = busy.queue.running
    assert running is not None
    group = busy.queue.new_group()
    ask(busy, "alone")
    for _ in range(3):
        busy.queue.submit(running.request, group=group, title="Grid: guidance")
    rows = busy.find("queueList")
    assert rows.count() == 2
    assert rows.item(1).text().startswith("Grid: guidance\n3 × Generate")
    choose(busy, 1)
    busy.key(Qt.Key.Key_Delete)
    assert waiting(busy) == ["alone"]


def test_whether_the_list_is_open_is_remembered(busy: Studio, open_studio: Open) -> None:
    ask(busy, "a")
    busy.click("queueButton")
    busy.window.close()
    QApplication.processEvents()
    assert open_studio().find("queueButton").isChecked()

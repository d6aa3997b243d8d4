"""A word when a long job ends and somebody else is in front."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.core.geometry import Size
from app.core.job import Failed, Finished, Job, Purpose, Started
from app.core.request import Request
from app.jobs.queue import JobQueue
from app.jobs.worker import EngineChanged, EngineState
from app.ui.announce import LONG_S, Announcer, system_tray
from tests.fakes import result_of
from tests.jobs.test_queue import Clock, FakeWorker

REQUEST = Request(prompt="a lake", model="m", size=Size(16, 8), steps=4)


class FakeTray(QObject):
    messageClicked = Signal()  # noqa: N815 - Qt's name

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.shown = False

    def show(self) -> None:
        self.shown = True

    def hide(self) -> None:
        self.shown = False

    def showMessage(self, title: str, text: str) -> None:
        assert self.shown, "a hidden icon shows no messages"
        self.messages.append(text)


class Window(QWidget):
    in_front = False

    def isActiveWindow(self) -> bool:
        return self.in_front


class Scene:
    def __init__(self, qtbot: Any, tray: FakeTray | None) -> None:
        self.tray, self.clock, self.window = tray, Clock(), Window()
        qtbot.addWidget(self.window)
        self.window.show()
        self.worker = FakeWorker()
        self.queue = JobQueue(self.worker, clock=self.clock)
        self.queue.apply(EngineChanged(EngineState.READY))
        self.announcer = Announcer(self.queue, self.window, make_tray=lambda: tray, clock=self.clock)

    def paint(self, seconds: float, purpose: Purpose = Purpose.PICTURE) -> None:
        self.finish(self.queue.submit(REQUEST, purpose=purpose), seconds)

    def finish(self, id: int, seconds: float) -> None:
        self.queue.apply(Started(id))
        self.clock.now += seconds
        self.queue.apply(Finished(id, result_of(REQUEST)))


@pytest.fixture
def tray(qapp: QApplication) -> FakeTray:
    return FakeTray()


@pytest.fixture
def scene(qtbot: Any, tray: FakeTray) -> Scene:
    return Scene(qtbot, tray)


def test_a_long_job_is_told_when_another_window_is_in_front(scene: Scene, tray: FakeTray) -> None:
    scene.paint(LONG_S - 1)
    assert tray.messages == []
    scene.paint(LONG_S + 1)
    assert tray.messages == ["The picture is finished."]
    assert tray.shown
    scene.announcer.put_away()
    assert not tray.shown


def test_nothing_is_told_to_who_is_looking(scene: Scene, tray: FakeTray) -> None:
    scene.window.in_front = True
    scene.paint(60.0)
    assert tray.messages == []


def test_a_queue_is_told_once_at_its_end(scene: Scene, tray: FakeTray) -> None:
    ids = [scene.queue.submit(REQUEST) for _ in range(3)]
    for id in ids:
        scene.finish(id, LONG_S)
    assert tray.messages == ["3 pictures are finished."]


def test_what_was_only_to_be_looked_at_is_not_told(scene: Scene, tray: FakeTray) -> None:
    scene.paint(60.0, Purpose.LIVE)
    assert tray.messages == []


def test_a_failure_is_told(scene: Scene, tray: FakeTray) -> None:
    id = scene.queue.submit(REQUEST)
    scene.queue.apply(Started(id))
    scene.queue.apply(Failed(id, "It broke.", "Mend it."))
    assert tray.messages == ["It broke."]


def test_where_there_is_no_tray_nothing_breaks(qtbot: Any) -> None:
    scene = Scene(qtbot, None)
    ended: list[Job] = []
    scene.queue.finished.connect(lambda job, _: ended.append(job))
    scene.paint(60.0)
    assert len(ended) == 1


def test_the_real_tray_is_asked_before_it_is_used(qapp: QApplication) -> None:
    tray = system_tray()  # there is none on an offscreen screen, and one on a desktop
    if tray is not None:
        tray.show()
        tray.hide()

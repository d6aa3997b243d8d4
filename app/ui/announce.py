"""A word to whoever has gone on to another program: what they wait for is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from app.core.job import Failed, Job, JobState
from app.jobs.queue import JobQueue
from app.ui.icons import app_icon

LONG_S = 15.0
"""A job that took longer is worth a word."""
_STAYS_MS = 20_000


class Tray(Protocol):
    """What is used of a QSystemTrayIcon."""

    messageClicked: SignalInstance  # noqa: N815 - Qt's name

    def show(self) -> None: ...

    def hide(self) -> None: ...

    def showMessage(self, title: str, text: str, /) -> None: ...


def system_tray() -> Tray | None:
    """The system's, or None where it has none or shows no messages."""
    if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
        return None
    return QSystemTrayIcon(app_icon())


class Announcer(QObject):
    """Tells through the system when the queue has come to its end, or a job has failed, after a long time and while
    another window is in front. The task bar is asked to point here in any case."""

    def __init__(
        self,
        queue: JobQueue,
        window: QWidget,
        make_tray: Callable[[], Tray | None] = system_tray,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(window)
        self._queue = queue
        self._window = window
        self._make_tray = make_tray
        self._clock = clock
        self._began: float | None = None  # when the first of the jobs that follow each other began
        self._pictures = 0
        self._tray: Tray | None = None
        self._rest = QTimer(self, singleShot=True, interval=_STAYS_MS)
        self._rest.timeout.connect(self.put_away)
        queue.changed.connect(self._on_changed)
        queue.failed.connect(self._on_failed)

    def put_away(self) -> None:
        """The icon goes; a message that is still to be read stays where the system keeps it."""
        if self._tray is not None:
            self._tray.hide()
            self._tray = None

    def _on_changed(self, job: Job) -> None:
        if job.purpose.passing:
            return
        if job.state is JobState.RUNNING and self._began is None:
            self._began, self._pictures = self._clock(), 0
        if job.state is JobState.FINISHED:
            self._pictures += job.request.count
        if job.state.ended and not self._goes_on():
            if job.state is JobState.FINISHED:
                many = self._pictures
                self._tell("The picture is finished." if many == 1 else f"{many} pictures are finished.")
            self._began = None

    def _goes_on(self) -> bool:
        queue = self._queue
        return queue.running is not None or (bool(queue.waiting) and not queue.paused)

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if not job.purpose.passing:
            self._tell(failed.message, long_ago=True)

    def _tell(self, text: str, long_ago: bool = False) -> None:
        long = long_ago or (self._began is not None and self._clock() - self._began >= LONG_S)
        if not long or self._window.isActiveWindow() or not self._window.isVisible():
            return
        QApplication.alert(self._window)
        if self._tray is None:
            self._tray = self._make_tray()
            if self._tray is None:
                return
            self._tray.messageClicked.connect(self._come_back)
            self._tray.show()  # a hidden icon shows no messages
        self._tray.showMessage("Limner", text)
        self._rest.start()

    def _come_back(self) -> None:
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

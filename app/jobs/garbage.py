"""Python's garbage collection, kept on the window's thread."""

from __future__ import annotations

import gc
import threading
from collections import deque

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from app.jobs.worker import EngineChanged, EngineState

_PERIOD_MS = 1000
_PATIENCE_S = 2.0


class GarbageCollector(QObject):
    """Collects reference cycles on the thread that made it, and keeps Python from doing so on any other.

    Python collects on whatever thread happens to allocate. A cycle may hold Qt objects (a closure over a widget is
    enough), and those that are destroyed on the worker's thread crash the program or lock it up. So the automatic
    collection is off while this lives, and a timer does the same work here.
    """

    _asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        self._closed = threading.Event()
        self._waiting: deque[threading.Event] = deque()
        self._asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self, interval=_PERIOD_MS)
        self._timer.timeout.connect(self.tidy)
        gc.disable()

    @Slot(object)
    def follow(self, engine: EngineChanged) -> None:
        """Rest while the engine's libraries are imported, then leave their million objects out of every search: a
        full one would take longer than a frame of the screen."""
        if engine.state is EngineState.STARTING:
            self._timer.stop()
        else:
            gc.freeze()
            if not self._closed.is_set():
                self._timer.start()

    @Slot()
    def tidy(self) -> None:
        """Collect what is due, by Python's own measure: the young often, the old rarely."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        if counts[0] <= thresholds[0]:
            return
        if counts[1] <= thresholds[1]:
            gc.collect(0)
        else:
            gc.collect(1 if counts[2] <= thresholds[2] else 2)

    def collect(self) -> None:
        """A full collection, from any thread: done on this object's own while the caller waits for a moment.

        Given up after two seconds, and at once when the studio closes.
        """
        if QThread.currentThread() is self.thread():
            gc.collect()
        elif not self._closed.is_set():
            done = threading.Event()
            self._waiting.append(done)
            self._asked.emit()
            done.wait(_PATIENCE_S)

    @Slot()
    def stop(self) -> None:
        """Nobody waits any longer, and Python collects again as it did before."""
        self._closed.set()
        self._timer.stop()
        self._release()
        if self._was_on:
            gc.enable()

    @Slot()
    def _answer(self) -> None:
        if self._waiting:
            gc.collect()
            self._release()

    def _release(self) -> None:
        while self._waiting:
            self._waiting.popleft().set()

"""Short work off the window's thread: reading and writing files while the window stays alive."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, Slot

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class _Outcome:
    """What came of one piece of work: a call to make on the window's thread."""

    deliver: Callable[[Any], None]
    value: object


class Background(QObject):
    """Does one piece of work after another, in the order given, and hands each outcome to the window's thread."""

    _done = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)  # files are opened in the order in which they were dropped
        self._waiting = 0
        self._closed = False
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return self._waiting > 0

    def run(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Call ``work`` elsewhere, then here ``done`` with what it returns or ``failed`` with what it raises."""
        if self._closed:
            return
        self._waiting += 1

        def call() -> None:
            try:
                outcome = _Outcome(done, work())
            except Exception as error:
                outcome = _Outcome(failed, error)
            self._done.emit(outcome)

        self._pool.start(call)

    def stop(self) -> None:
        """Let the work that has begun come to its end (a file is being written) and deliver nothing any more."""
        self._closed = True
        self._pool.waitForDone()

    @Slot(object)
    def _deliver(self, outcome: _Outcome) -> None:
        self._waiting -= 1
        if not self._closed:
            outcome.deliver(outcome.value)

"""Where the engine runs: in a process of its own, or inside the window's."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.jobs.worker import InferenceWorker, MakeBackend


class EnginePlace(QObject):
    """Lets the worker's Backend be exchanged while the studio runs; what is lined up is painted by the new one."""

    changed = Signal()

    def __init__(
        self,
        worker: InferenceWorker,
        *,
        apart: MakeBackend,
        inside: MakeBackend,
        chosen: bool,
        now: bool,
        parent: QObject | None = None,
    ) -> None:
        """``chosen``: whether a process of its own is what the person wants, ``now``: whether it is so this time."""
        super().__init__(parent)
        self._worker = worker
        self._makers = {True: apart, False: inside}
        self.chosen = chosen
        self.apart = now

    def set_apart(self, apart: bool) -> None:
        """Move the engine, after the job that runs."""
        self.chosen = apart
        if apart != self.apart:
            self.apart = apart
            self._worker.replace(self._makers[apart])
        self.changed.emit()

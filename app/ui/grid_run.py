"""A grid that is being painted: its jobs in the queue, and the pictures that have come of them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from app.core.grid import Grid
from app.core.job import Failed, Job, Purpose, Result
from app.document.document import Origin
from app.ui.candidates import Candidate
from app.ui.desk import Desk

Place = tuple[int, int]
"""Row and column."""


class GridRun(QObject):
    """One group of the queue. Ends when every cell has its picture, has failed, or was cancelled.

    ``pictures`` and ``failures``: those of cells that were done before, in another session.
    """

    changed = Signal()
    """Cells have been lined up, or one has got its picture, or will get none."""
    settled = Signal(object)
    """The Place of a cell that has got its picture, or will get none."""

    def __init__(
        self,
        desk: Desk,
        grid: Grid,
        parent: QObject | None = None,
        *,
        origin: Origin | None = None,
        pictures: Mapping[Place, tuple[Job, Result]] | None = None,
        failures: Mapping[Place, str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self.grid = grid
        self.origin: Origin = origin or desk.document.origin
        self.pictures: dict[Place, tuple[Job, Result]] = dict(pictures or {})
        self.failures: dict[Place, str] = dict(failures or {})
        self._left: dict[int, Place] = {}
        self._places: dict[int, Place] = {}  # of all that were lined up
        desk.queue.made.connect(self._on_made)
        desk.queue.failed.connect(self._on_failed)
        desk.queue.changed.connect(self._on_changed)

    def start(self) -> None:
        """Line all cells up that are not done."""
        queue = self._desk.queue
        group = queue.new_group()
        for row, requests in enumerate(self.grid.cells):
            for column, request in enumerate(requests):
                if (row, column) in self.pictures or (row, column) in self.failures:
                    continue
                id = queue.submit(request, purpose=Purpose.CELL, group=group, title=self.grid.title)
                self._left[id] = self._places[id] = (row, column)
        self.changed.emit()

    @property
    def left(self) -> int:
        """How many cells are still to come."""
        return sum(place not in self.pictures for place in self._left.values())

    def stop(self) -> None:
        """What is not painted yet stays empty."""
        for id in reversed(list(self._left)):
            self._desk.queue.cancel(id)

    def pick(self, place: Place) -> bool:
        """Make a candidate of a cell's picture. False where another picture is open now that it does not fit."""
        picked = self.pictures.get(place)
        if picked is None:
            return False
        job, result = picked
        candidates = self._desk.candidates
        if not Candidate(job_id=job.id, result=result, origin=self.origin).fits(self._desk.document.origin):
            return False
        candidates.add(job, result, self.origin)
        candidates.show(len(candidates.waiting) - 1)
        return True

    def _on_made(self, job: Job, result: Result) -> None:
        if job.id in self._left:
            self.pictures[self._left[job.id]] = (job, result)
            self.changed.emit()

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if (place := self._places.get(job.id)) is not None:  # it has ended by now
            self.failures[place] = failed.message
            self.settled.emit(place)
            self.changed.emit()

    def _on_changed(self, job: Job) -> None:
        if job.state.ended and job.id in self._left:
            place = self._left.pop(job.id)
            if place not in self.pictures:
                self.failures.setdefault(place, "")
            self.settled.emit(place)
            self.changed.emit()

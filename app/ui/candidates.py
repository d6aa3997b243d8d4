"""Candidates: pictures that wait to be chosen from, one of them shown in its place over the document."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.core.geometry import Rect
from app.core.job import Job, Preview, Result
from app.core.request import TextToImage
from app.document.document import Document, Origin

_earlier = itertools.count(1)


def earlier_job() -> int:
    """A number for what was a job in another session: no job of this one has it, and nothing else of before."""
    return -next(_earlier)


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A result that is not accepted. ``origin``: the picture that was open when it was asked for."""

    job_id: int
    result: Result
    origin: Origin
    starred: bool = False

    def fits(self, now: Origin) -> bool:
        """Whether that picture is open. A new picture may follow others that were generated meanwhile; a part that
        was repainted fits nothing but the picture around it."""
        if isinstance(self.result.request.task, TextToImage):
            return self.origin.opened == now.opened
        return self.origin == now


class Candidates(QObject):
    """The candidates that wait, in the order in which they came, and which of them is shown.

    Invariant: one is shown whenever there is any. ``comparing``: for the moment what was before is shown instead.
    """

    changed = Signal()
    """Candidates have come or gone, or have another star."""
    shown_changed = Signal()
    """Another one is shown, or the picture from before."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._waiting: list[Candidate] = []
        self._number = 0
        self._looked: Result | None = None
        self.comparing = False
        document.undo.indexChanged.connect(self._leave_those_of_other_pictures)

    @property
    def waiting(self) -> tuple[Candidate, ...]:
        return tuple(self._waiting)

    @property
    def number(self) -> int:
        """Which one is shown, counted from 0."""
        return self._number

    @property
    def shown(self) -> Candidate | None:
        return self._waiting[self._number] if self._waiting else None

    @property
    def preview(self) -> Preview | None:
        """What to draw over the document; None while there is nothing, or while comparing."""
        shown = self.shown
        if shown is None or self.comparing:
            return None
        return in_place(self._looked or shown.result)

    def add(self, job: Job, result: Result, origin: Origin) -> None:
        self._waiting.append(Candidate(job_id=job.id, result=result, origin=origin))
        self.changed.emit()
        if len(self._waiting) == 1:
            self.shown_changed.emit()

    def bring_back(self, waiting: Iterable[Candidate], number: int) -> None:
        """Those of a session that was left, in place of what waits, as far as they fit the picture that is open."""
        now = self._document.origin
        self._waiting = [candidate for candidate in waiting if candidate.fits(now)]
        self._number = min(max(0, number), max(0, len(self._waiting) - 1))
        self.comparing = False
        self.changed.emit()
        self.shown_changed.emit()

    def show(self, number: int) -> None:
        """Show this one."""
        if not 0 <= number < len(self._waiting):
            return
        self._number, self.comparing, self._looked = number, False, None
        self.shown_changed.emit()

    def look_at(self, result: Result | None) -> None:
        """Show this in the place of the shown candidate, until another one is shown; None for the candidate itself."""
        if self._waiting and (result is not self._looked or self.comparing):
            self._looked, self.comparing = result, False
            self.shown_changed.emit()

    def step(self, by: int) -> None:
        """Show the next (1) or the previous one (-1), around the ends."""
        if self._waiting:
            self.show((self._number + by) % len(self._waiting))

    def compare(self, comparing: bool) -> None:
        """Show the picture from before, or the candidate again."""
        if self._waiting and comparing != self.comparing:
            self.comparing = comparing
            self.shown_changed.emit()

    def star(self) -> Candidate | None:
        """Give the shown one a star, or take it away. How it is now."""
        if (shown := self.shown) is None:
            return None
        self._waiting[self._number] = starred = replace(shown, starred=not shown.starred)
        self.changed.emit()
        return starred

    def discard(self) -> None:
        """Put the shown one away."""
        if self._waiting:
            self._keep_only(lambda candidate: candidate is not self.shown)

    def clear(self) -> None:
        """Put all away."""
        self._keep_only(lambda _: False)

    def _leave_those_of_other_pictures(self, *_: object) -> None:
        now = self._document.origin
        self._keep_only(lambda candidate: candidate.fits(now))

    def _keep_only(self, wanted: Callable[[Candidate], bool]) -> None:
        kept = [candidate for candidate in self._waiting if wanted(candidate)]
        if len(kept) == len(self._waiting):
            return
        self._waiting = kept
        self._number = min(self._number, max(0, len(kept) - 1))
        self.comparing, self._looked = False, None
        self.changed.emit()
        self.shown_changed.emit()


def in_place(result: Result) -> Preview:
    """The part of the picture that is another, with nothing shining through."""
    new = isinstance(result.request.task, TextToImage)
    height, width = result.image.shape[:2]
    box = Rect(0, 0, width, height) if new else result.box
    part = result.image[box.slices]
    return Preview(np.dstack([part, np.full(part.shape[:2], 255, np.uint8)]), box)

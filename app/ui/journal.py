"""Tells the journal what happens in the window, as it happens."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.core.job import Job, Purpose
from app.document.journal import Watch
from app.jobs.queue import JobQueue
from app.library.journal.entries import Adopted, Began, Forgot, Moved, Stepped
from app.library.journal.folders import Held
from app.library.journal.reader import Recovered
from app.library.journal.store import Trouble
from app.library.journal.writer import JournalWriter
from app.ui.desk import Desk
from app.ui.grid_run import GridRun, Place
from app.ui.grids import Grids
from app.ui.journal_grids import forgotten_grid, grid_parts, told_cell, told_grid
from app.ui.journal_parts import CLOSED, NAME, PARAMS, QUEUE, Waiting, told, told_candidates
from app.ui.notices import Kind, Notice
from app.ui.painting import Painting

log = logging.getLogger(__name__)

_grid_numbers = itertools.count(1)
_TYPING_MS = 150
"""How long a text that is being typed is waited for."""


class JournalKeeper(QObject):
    """Writes down the document, its steps, the settings, the candidates, the queue and the grids.

    Nothing here waits for the disk.

    ``named``: what the document is called, and the path of the file that saving writes over, empty for none.
    ``told``: a Notice that the person should see; ``settled``: it is no longer true.
    """

    told = Signal(object)
    settled = Signal(object)
    _trouble = Signal(object)
    _asked = Signal()

    def __init__(
        self,
        desk: Desk,
        painting: Painting,
        grids: Grids,
        named: Callable[[], tuple[str, str]],
        roots: list[Path],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._painting = painting
        self._grids = grids
        self._numbers: dict[GridRun, int] = {}
        self._notice: Notice | None = None
        self._closed = self._resting = self._leaves = False
        self._name = ("", "")
        self._named = named
        self._lined_up: tuple[int, ...] = ()
        self._watch = Watch(desk.document, self)
        self._trouble.connect(self._on_trouble, Qt.ConnectionType.QueuedConnection)
        self._asked.connect(self._tell_all, Qt.ConnectionType.QueuedConnection)
        self._writer = JournalWriter(roots, self._say, self._ask)
        self._soon = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._soon.timeout.connect(self._tell_params)
        self._next_turn = QTimer(self, singleShot=True, interval=0)
        self._next_turn.timeout.connect(self._tell_candidates)
        undo = desk.document.undo
        undo.indexChanged.connect(self._on_index)
        undo.trimmed.connect(self._on_trimmed)
        desk.document.reset.connect(self._on_reset)
        desk.store.changed.connect(self._on_params)
        desk.candidates.changed.connect(self._next_turn.start)
        desk.candidates.shown_changed.connect(self._next_turn.start)
        desk.queue.changed.connect(lambda _: self._tell_queue())
        desk.queue.lined_up.connect(self._tell_queue)
        grids.opened.connect(self._on_grid)
        grids.closed.connect(self._forget_grid)
        self._begin()

    def see_name(self, *_: object) -> None:
        """What the document is called, and the file that saving writes over, may be another."""
        named = self._named()
        if named != self._name and not self._quiet:
            self._name = named
            self._writer.put(told(NAME, named))

    def rest(self) -> None:
        """Write nothing: the document is being brought back."""
        self._resting = True

    def adopt(self, recovered: Recovered, held: Held, *, leave: bool) -> None:
        """The document is what was recovered: go on from there."""
        self._resting = False
        self._watch.seen()
        self._writer.put(Adopted(recovered, held, leave))
        self._writer.put(told(CLOSED, False))
        for name in grid_parts(recovered.timeline.parts):  # they are told anew, by numbers of this session
            self._writer.put(told(name, None))
        self._on_index()
        self._tell_beside()

    def wake(self) -> None:
        """It was not brought back after all."""
        self._resting = False
        self._watch.forget()
        self._on_index()

    def wait(self, seconds: float) -> bool:
        """Until all is on the disk; for tests."""
        if self._soon.isActive():
            self._tell_params()
        if self._next_turn.isActive():
            self._tell_candidates()
        return self._writer.wait(seconds)

    def part(self) -> None:
        """The window closes. Where something waits to be painted the session stays as it is now, with its queue, and
        is offered at the next start."""
        if self._quiet:
            return
        if self._soon.isActive():
            self._tell_params()
        if self._next_turn.isActive():
            self._tell_candidates()
        self._leaves = bool(_lined_up(self._desk.queue)) or any(run.left for run in self._grids.runs)
        if self._leaves:
            self._writer.put(told(CLOSED, True))
        self._resting = True

    def stop(self, *, remove: bool = True) -> None:
        """The session has ended; what has not parted from it with a queue need not be offered at the next start."""
        if not self._closed:
            self._closed = True
            self._soon.stop()
            self._next_turn.stop()
            self._writer.close(remove=remove and not self._leaves)

    # What happens

    def _begin(self) -> None:
        undo = self._desk.document.undo
        self._writer.put(Began(undo.index(), self._watch.shot()))
        self._writer.put(told(PARAMS, self._desk.store.params))

    def _tell_all(self) -> None:
        """What was written is lost: the document as it is now, without its steps, and all besides."""
        if not self._closed:
            self._watch.forget()
            self._begin()
            self._tell_beside()
            self._writer.put(told(NAME, self._name))

    def _tell_beside(self) -> None:
        self._tell_params()
        self._tell_candidates()
        self._lined_up = (-1,)
        self._tell_queue()
        for run in self._grids.runs:
            self._tell_grid(run)

    def _on_index(self, *_: object) -> None:
        undo = self._desk.document.undo
        if self._quiet:
            return
        self.see_name()
        shot = self._watch.shot()
        if undo.pushing:
            self._writer.put(Stepped(undo.index(), undo.text(undo.index() - 1), shot))
        else:
            self._writer.put(Moved(undo.index(), shot))

    @property
    def _quiet(self) -> bool:
        return self._closed or self._resting

    def _on_trimmed(self, _: int) -> None:
        if not self._quiet:
            self._writer.put(Forgot(self._desk.document.undo.floor))

    def _on_reset(self) -> None:
        """Another document, or a blank one of another size, which is no step."""
        undo = self._desk.document.undo
        if not self._quiet and not undo.count() and not undo.pushing:
            self._writer.put(Began(0, self._watch.shot()))

    def _on_params(self, *_: object) -> None:
        if not self._soon.isActive():  # not anew with every letter: who types on and on is written down all the same
            self._soon.start()

    def _tell_params(self) -> None:
        self._soon.stop()
        if not self._quiet:
            self._writer.put(told(PARAMS, self._desk.store.params))

    def _tell_candidates(self) -> None:
        self._next_turn.stop()
        if not self._quiet:
            candidates = self._desk.candidates
            self._writer.put(told_candidates(candidates.waiting, candidates.number))

    def _tell_queue(self) -> None:
        jobs = _lined_up(self._desk.queue)
        if self._quiet or tuple(job.id for job in jobs) == self._lined_up:
            return
        self._lined_up = tuple(job.id for job in jobs)
        waiting = [Waiting(job.request, self._painting.origin_of(job)) for job in jobs]
        self._writer.put(told(QUEUE, waiting))

    def _on_grid(self, run: GridRun) -> None:
        self._numbers[run] = next(_grid_numbers)
        run.settled.connect(lambda place: self._tell_cell(run, place))
        if not self._quiet:
            self._tell_grid(run)

    def _tell_grid(self, run: GridRun) -> None:
        self._writer.put(told_grid(self._numbers[run], run))
        for place in {**run.pictures, **run.failures}:
            self._tell_cell(run, place)

    def _tell_cell(self, run: GridRun, place: Place) -> None:
        if not self._quiet and run in self._numbers:
            self._writer.put(told_cell(self._numbers[run], run, place))

    def _forget_grid(self, run: GridRun) -> None:
        number = self._numbers.pop(run)
        if not self._quiet:
            for part in forgotten_grid(number, run):
                self._writer.put(part)

    # When the disk refuses; called on the writer's thread

    def _say(self, trouble: Trouble | None) -> None:
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._trouble.emit(trouble)

    def _ask(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._asked.emit()

    def _on_trouble(self, trouble: Trouble | None) -> None:
        if self._notice is not None:
            self.settled.emit(self._notice)
            self._notice = None
        if trouble is None or self._closed:
            return
        if trouble.instead is not None:
            text = f"It is kept in {trouble.instead} meanwhile, and offered from there if Limner closes unexpectedly."
        else:
            text = "What you paint is in memory only: save it in another place. Limner tries again by itself."
        title = f"The session cannot be kept in {trouble.place} ({trouble.reason})."
        self._notice = Notice(kind=Kind.ERROR, title=title, text=text)
        self.told.emit(self._notice)


def journal_roots(data: Path) -> list[Path]:
    """Where sessions are kept: in the data folder; where that cannot be written, in the system's places for such."""
    name = hashlib.sha256(str(data.absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return [
        data / "journal",
        Path(platformdirs.user_state_dir("limner", False)) / "journal" / name,
        Path(tempfile.gettempdir()) / f"limner-journal-{name}",
    ]


def _lined_up(queue: JobQueue) -> list[Job]:
    """What is to be asked for again: not what was only looked at."""
    running = queue.running
    jobs = ([running] if running is not None and not running.cancel_asked else []) + list(queue.waiting)
    return [job for job in jobs if job.purpose is Purpose.PICTURE and job.made < job.request.count]

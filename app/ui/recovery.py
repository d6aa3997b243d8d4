"""Sessions that ended badly: found at the start, offered on a quiet card, brought back when that is wished."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.core.errors import UserError
from app.core.params import Params
from app.core.shots import Sheet, Tiles
from app.document import journal as documents
from app.jobs.background import Background
from app.library.journal.folders import Held, left_behind
from app.library.journal.reader import Fetcher, JournalError, Recovered, read_session
from app.library.journal.tiles import Digest, StoredTile, Table, joined_array
from app.library.journal.timeline import Part
from app.ui.candidates import Candidate
from app.ui.desk import Desk
from app.ui.grid_run import GridRun
from app.ui.grids import Grids
from app.ui.journal import JournalKeeper
from app.ui.journal_grids import GridBack, grid_parts, grids_from, painted_cells
from app.ui.journal_parts import (
    CANDIDATES,
    CLOSED,
    NAME,
    PARAMS,
    QUEUE,
    Waiting,
    candidates_from,
    params_from,
    queue_from,
)
from app.ui.notices import Help, Kind, Notice, Notices
from app.ui.painting import Painting
from app.ui.words import counted

log = logging.getLogger(__name__)

CLOSED_UNEXPECTEDLY = "Limner closed unexpectedly."
CLOSED_MEANWHILE = "Limner was closed while pictures waited to be painted."
_MOST_LEFT = 8
"""Sessions that are kept for later; older ones go."""


@dataclass(frozen=True, eq=False)
class Offer:
    """A session that can be brought back."""

    held: Held
    recovered: Recovered

    @property
    def steps(self) -> int:
        return self.recovered.timeline.steps

    @property
    def named(self) -> tuple[str, str]:
        """What the document is called, and the file that saving writes over."""
        part = self.recovered.timeline.parts.get(NAME)
        match part.value if part is not None else None:
            case [str(name), str(file)] if "\0" not in file:
                return name, file
        return "", ""

    def count(self, part: str) -> int:
        """How many candidates or jobs there are."""
        told = self.recovered.timeline.parts.get(part)
        match told.value if told is not None else None:
            case [int(), list(items)] | list(items):
                return len(items)
        return 0

    @property
    def closed(self) -> bool:
        """The window was closed as it should be, while something waited to be painted."""
        part = self.recovered.timeline.parts.get(CLOSED)
        return part is not None and part.value is True

    @property
    def worthwhile(self) -> bool:
        """There is something that was not there at its start."""
        timeline = self.recovered.timeline
        pictured = bool(timeline.now.values.get("layers"))
        listed = self.count(CANDIDATES) or self.count(QUEUE) or any(map(self._is_grid, timeline.parts))
        return bool(timeline.steps or pictured or listed or self.typed)

    def _is_grid(self, name: str) -> bool:
        return bool(grid_parts([name])) and self.recovered.timeline.parts[name].value is not None

    @property
    def typed(self) -> bool:
        """A prompt was written."""
        timeline = self.recovered.timeline
        return _prompts(timeline.first_told.get(PARAMS)) != _prompts(timeline.parts.get(PARAMS))


@dataclass(frozen=True, eq=False)
class _Session:
    """All that is brought back, ready to be shown."""

    document: documents.Kept
    params: Params | None
    candidates: tuple[int, list[Candidate]]
    queue: list[Waiting]
    grids: list[GridBack]


class Recovery(QObject):
    """Offers what was left, one session at a time, the newest first."""

    named = Signal(str, str)
    """What the document is called that is about to be brought back, and the file that saving writes over."""

    def __init__(
        self,
        desk: Desk,
        painting: Painting,
        grids: Grids,
        keeper: JournalKeeper,
        notices: Notices,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._painting = painting
        self._grids = grids
        self._keeper = keeper
        self._notices = notices
        self._background = Background(self)
        self._left: deque[Held] = deque()
        self._discarded: list[Held] = []
        self._card: Notice | None = None

    @property
    def busy(self) -> bool:
        return self._background.busy

    def look(self, roots: list[Path]) -> None:
        """See what was left behind, elsewhere than on this thread."""

        def work() -> list[Held]:
            found = [held for root in roots for held in left_behind(root)]
            for old in found[_MOST_LEFT:]:
                old.remove()
            return found[:_MOST_LEFT]

        def done(found: list[Held]) -> None:
            self._left.extend(found)
            self._next()

        self._background.run(work, done, self._failed)

    def stop(self) -> None:
        """What was discarded goes, what was not is left for the next start."""
        self._background.stop()
        for held in self._discarded:
            held.remove()
        for held in self._left:
            held.release()
        self._left.clear()

    def _next(self) -> None:
        if self._left:
            held = self._left[0]
            self._background.run(lambda: _read(held), self._offer, self._failed)

    def _offer(self, found: Offer | JournalError | None) -> None:
        match found:
            case Offer():
                self._card = _card(found, self._restore, self._discard, self._later)
                self._notices.show_notice(self._card)
                return
            case JournalError():
                title = "Limner closed unexpectedly, and the session cannot be brought back."
                text = f"{found.message} {found.remedy}"
                self._notices.show_notice(Notice(kind=Kind.ERROR, title=title, text=text))
        self._left.popleft()
        self._next()

    def _later(self) -> None:
        self._left.rotate(-1)
        self._left.pop().release()
        self._next()

    def _discard(self) -> None:
        held = self._left.popleft()
        self._discarded.append(held)

        def back() -> None:
            self._discarded.remove(held)
            self._left.appendleft(held)
            self._next()

        help = Help(label="Bring it back", act=back)
        self._notices.show_notice(Notice(title="The session is discarded when Limner is closed.", help=help))
        self._next()

    # Bringing back

    def _restore(self, offer: Offer) -> None:
        if self._desk.queue.current is not None:
            title = "Something is being painted."
            self._notices.show_notice(
                Notice(title=title, text="Bring the session back when it is finished, or cancel it.")
            )
            self._next()
            return

        def done(session: _Session) -> None:
            self._left.popleft()
            self._show(offer, session)
            self._next()

        self._background.run(lambda: _session(offer.recovered), done, self._failed)

    def _show(self, offer: Offer, session: _Session) -> None:
        leave = self._desk.document.undo.count() > 0
        self._keeper.rest()
        self.named.emit(*offer.named)
        documents.bring_back(self._desk.document, session.document)
        if session.params is not None:
            known = any(model.id == session.params.model for model in self._desk.shelf.models)
            model = session.params.model if known else self._desk.store.params.model
            self._desk.store.update(**vars(replace(session.params, model=model)))
        number, candidates = session.candidates
        self._desk.candidates.bring_back(candidates, number)
        runs = [run for grid in session.grids if (run := grid.run(self._desk)) is not None]
        lined_up = self._line_up(session.queue, runs)
        self._keeper.adopt(offer.recovered, offer.held, leave=leave)
        if leave:
            title = "What was open until now is kept: it is offered at the next start."
            self._notices.show_notice(Notice(title=title))
        if lined_up is not None:
            self._notices.show_notice(lined_up)

    def _line_up(self, waiting: list[Waiting], runs: list[GridRun]) -> Notice | None:
        """They wait again, and nothing begins to paint by itself."""
        queue = self._desk.queue
        was_paused = queue.paused
        queue.pause()
        ids = [self._painting.line_up(one.request, one.origin) for one in waiting]
        self._grids.bring_back(runs)
        many = len(ids) + sum(run.left for run in runs)
        if not many:
            if not was_paused:
                queue.go_on()
            return None

        def forget() -> None:
            for id in ids:
                queue.cancel(id)
            for run in runs:
                run.stop()
            queue.go_on()

        what = "One picture waits" if many == 1 else f"{many} pictures wait"
        return Notice(
            title=f"{what} to be painted; the queue is paused.",
            choices=(Help(label="Paint", act=queue.go_on), Help(label="Forget", act=forget)),
        )

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            title, text, details = error.message, error.remedy, ""
        else:
            log.error("a session could not be brought back", exc_info=error)
            title, text = "The session could not be brought back.", "It is offered again at the next start."
            details = repr(error)
        self._notices.show_notice(Notice(kind=Kind.ERROR, title=title, text=text, details=details))
        if self._left:
            self._left.popleft().release()
        self._next()


def _card(
    offer: Offer, restore: Callable[[Offer], object], discard: Callable[[], object], later: Callable[[], object]
) -> Notice:
    facts = [
        counted(offer.steps, "undo step"),
        counted(offer.count(CANDIDATES), "candidate"),
        counted(offer.count(QUEUE), "waiting job"),
        counted(painted_cells(offer.recovered.timeline.parts), "grid picture"),
    ]
    name, _ = offer.named
    named = f"“{name}”" if name and name != "Untitled" else "The picture"
    when = datetime.fromtimestamp(offer.recovered.written)
    today = when.date() == datetime.now().date()
    at = f"{when:%H:%M}" if today else f"{when:%d %B, %H:%M}"
    *first, last = [fact for fact in facts if fact] or [""]
    with_what = f"{', '.join(first)} and {last}" if first else last
    text = f"{named} as it was at {at}" + (f", with {with_what}." if with_what else ".")
    return Notice(
        title=CLOSED_MEANWHILE if offer.closed else CLOSED_UNEXPECTEDLY,
        text=text,
        choices=(
            Help(label="Restore", act=lambda: restore(offer)),
            Help(label="Discard", act=discard),
            Help(label="Later", act=later),
        ),
        stays=True,
    )


def _prompts(part: Part | None) -> tuple[object, object] | None:
    value = part.value if part is not None else None
    return (value.get("prompt"), value.get("negative")) if isinstance(value, dict) else None


def _read(held: Held) -> Offer | JournalError | None:
    """None for a session in which nothing was done: it is cleared away."""
    try:
        offer = Offer(held, read_session(held.folder))
    except JournalError as error:
        log.info("the session in %s cannot be read: %s", held.folder, error)
        held.set_aside()
        return error
    if offer.worthwhile:
        return offer
    held.remove()
    return None


def _session(recovered: Recovered) -> _Session:
    """Raises JournalError."""
    timeline = recovered.timeline
    with Fetcher(recovered) as fetch:
        tiles: dict[Digest, StoredTile] = {}

        def arrays(name: str) -> tuple[Any, list[NDArray[Any]]]:
            part = timeline.parts.get(name)
            return (None, []) if part is None else (part.value, [joined_array(one, fetch) for one in part.arrays])

        def plane(table: Table) -> Tiles:
            found = []
            for number, name in enumerate(table.tiles):
                if name not in tiles:
                    tiles[name] = StoredTile(fetch.payload(name), table.bytes_of(number))
                found.append(tiles[name])
            return Tiles(*table.shape, tuple(found))

        known: dict[int, Tiles] = {}
        sheets = []
        for state in timeline.states:
            for table in state.planes.values():
                if id(table) not in known:
                    known[id(table)] = plane(table)
            sheets.append(Sheet(state.values, {name: known[id(table)] for name, table in state.planes.items()}))
        try:
            shown = documents.whole_state(sheets[timeline.index - timeline.first])
        except ValueError as error:
            raise JournalError(
                "The session's picture cannot be read.", "Look into the history: every finished picture is kept there."
            ) from error
        kept = documents.Kept(sheets, timeline.texts, timeline.first, timeline.index, shown)
        return _Session(
            kept,
            params_from(*arrays(PARAMS)),
            candidates_from(*arrays(CANDIDATES)),
            queue_from(*arrays(QUEUE)),
            grids_from({name: arrays(name) for name in grid_parts(timeline.parts)}),
        )

"""The thread that writes the journal: it takes entries in their order, and never makes anybody wait."""

from __future__ import annotations

import logging
import queue
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from app.core.shots import Plane, Shot, tile_box
from app.library.journal import timeline as records
from app.library.journal.entries import Adopted, Began, Entry, Forgot, Moved, Stepped, Told
from app.library.journal.log import Kind
from app.library.journal.store import Store, Trouble
from app.library.journal.tiles import Chunks, Table, cut_array, tile_count, touched
from app.library.journal.timeline import Part, State

log = logging.getLogger(__name__)

BUDGET = 4_000_000_000


@dataclass(frozen=True)
class _Stop:
    remove: bool


class JournalWriter:
    """Writes one session. ``put`` may be called from one thread and returns at once.

    ``tell`` is called on the writer's thread: with a Trouble when the disk refuses, with None when all is well again.
    ``ask_whole`` too: what was written before is lost to it, and a Began with all planes and every part are wanted.
    ``roots``: where sessions are kept; the first that can be written is taken.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        tell: Callable[[Trouble | None], None] = lambda _: None,
        ask_whole: Callable[[], None] = lambda: None,
        budget: int = BUDGET,
    ) -> None:
        self._inbox: queue.SimpleQueue[Entry | _Stop | threading.Event] = queue.SimpleQueue()
        self._ask_whole = ask_whole
        self._store = Store(roots, tell, budget)
        self._tables: dict[str, Table] = {}  # the planes as they were told last
        self._cut: weakref.WeakValueDictionary[int, NDArray[Any]] = weakref.WeakValueDictionary()
        self._chunks: dict[int, Chunks] = {}  # of these arrays, by their ids
        self._asked = False
        self._dropping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        self._inbox.put(entry)

    def wait(self, seconds: float) -> bool:
        """Until all that was put is written and flushed; False when it took longer."""
        done = threading.Event()
        self._inbox.put(done)
        return done.wait(seconds)

    def close(self, *, remove: bool, seconds: float = 3.0) -> None:
        """End the thread. ``remove``: the session ended well, and its folder goes; else it is left to be offered."""
        if remove:
            self._dropping.set()
        self._inbox.put(_Stop(remove))
        self._thread.join(seconds)

    # On the writer's thread

    def _run(self) -> None:
        while self._turn():
            pass

    def _turn(self) -> bool:
        """One entry, and what is due besides; nothing is held on to while there is none."""
        try:
            entry = self._inbox.get(timeout=self._store.rest())
        except queue.Empty:
            entry = None
        if isinstance(entry, _Stop):
            self._store.close(remove=entry.remove)
            return False
        try:
            if isinstance(entry, threading.Event):
                self._store.settle()
                entry.set()
            elif entry is not None and not self._dropping.is_set():
                self._take(entry)
            self._store.tend()
        except Exception:
            log.exception("the journal failed")
            self._store.give_up()
        if self._store.lost and not self._asked:
            self._asked = True
            self._ask_whole()
        return True

    def _take(self, entry: Entry) -> None:
        match entry:
            case Began():
                self._began(entry)
            case Stepped():
                self._stepped(entry)
            case Moved():
                self._moved(entry)
            case Forgot(below=below):
                if below > self._store.timeline.first:
                    self._store.timeline.forget(below)
                    self._store.write(Kind.FORGET, records.forgotten(below))
            case Told():
                self._told(entry)
            case Adopted():
                if self._store.adopt(entry.recovered, entry.held, leave=entry.leave):
                    self._tables = dict(self._store.timeline.now.planes)
            case _:
                assert_never(entry)

    def _began(self, entry: Began) -> None:
        if self._store.lost:
            self._store.begin_anew()
            self._asked = False
            self._chunks.clear()
        state = self._state(entry.shot)
        self._store.timeline.start(entry.index, state)
        self._store.write(Kind.BASE, records.base(entry.index, state))

    def _stepped(self, entry: Stepped) -> None:
        timeline, at = self._store.timeline, entry.index - 1
        if not timeline.first <= at <= timeline.last:
            self._began(Began(entry.index, entry.shot))  # steps were done that nobody told of
            return
        state = self._state(entry.shot)
        timeline.move(at)
        before = timeline.now
        timeline.push(entry.text, state)
        self._store.write(Kind.STEP, records.step(at, entry.text, state, before))

    def _moved(self, entry: Moved) -> None:
        timeline = self._store.timeline
        if not timeline.first <= entry.index <= timeline.last:
            self._began(Began(entry.index, entry.shot))
            return
        if entry.index != timeline.index:
            timeline.move(entry.index)
            self._store.write(Kind.MOVE, records.moved(entry.index))
        state, before = self._state(entry.shot), timeline.now
        if not state.same(before):
            timeline.amend(state)
            self._store.write(Kind.AMEND, records.amended(entry.index, state, before))

    def _told(self, entry: Told) -> None:
        part = Part(entry.value, tuple(map(self._kept_array, entry.arrays)))
        self._store.timeline.parts[entry.name] = part
        self._store.write(Kind.PART, records.part(entry.name, part))

    def _kept_array(self, array: NDArray[Any]) -> Chunks:
        """Its pieces; those of one that was told before and still lives are known."""
        key = id(array)
        known = self._chunks.get(key) if self._cut.get(key) is array else None
        if known is None or not all(map(self._store.has, known.pieces)):
            self._chunks[key] = known = cut_array(array, self._store.keep)
            self._cut[key] = array
            for gone in [other for other in self._chunks if other not in self._cut]:
                del self._chunks[gone]
        return known

    def _state(self, shot: Shot) -> State:
        planes: dict[str, Table] = {}
        for name, plane in shot.planes.items():
            was = self._tables.get(name)
            if plane is not None:
                planes[name] = self._table(plane, was)
            elif was is not None:
                planes[name] = was
        self._tables = planes
        return State(shot.values, planes)

    def _table(self, plane: Plane, was: Table | None) -> Table:
        width, height = plane.width, plane.height
        shape = (width, height, plane.channels)
        known = was is not None and was.shape == shape
        numbers: Sequence[int] = range(tile_count(width, height))
        if known and plane.dirty is not None:
            numbers = sorted({number for box in plane.dirty for number in touched(box, width, height)})
        tiles = list(was.tiles) if was is not None and known else [b""] * tile_count(width, height)
        for number in numbers:
            pixels = plane.read(tile_box(number, width, height))
            tiles[number] = self._store.keep(np.ascontiguousarray(pixels).tobytes())
        table = Table(*shape, tuple(tiles))
        return was if was is not None and was == table else table

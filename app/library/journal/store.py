"""Where the journal lies: the file that is written, what it holds, and another place when the disk refuses."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.library.journal import timeline as records
from app.library.journal.folders import Held, new_session
from app.library.journal.log import HEAD_BYTES, OVERHEAD, Kind, LogFile, framed
from app.library.journal.reader import ENDING, Place, Recovered, generations
from app.library.journal.tiles import Digest, digest, packed
from app.library.journal.timeline import Timeline

log = logging.getLogger(__name__)

FLUSH_S = 0.5
"""The longest that what was written waits for its flush to the disk."""
_RETRY_S = 2.0
_LEAST_CHECKED = 64_000_000
_MOST_UNWRITTEN = 256_000_000
_SLICE = 8_000_000  # bytes that are copied at once, before entries are looked after again
_ROOM = 200_000_000  # bytes that are left free on the disk


@dataclass(frozen=True)
class Trouble:
    """``place`` cannot be written, for ``reason``. ``instead``: where the session is kept now; None: nowhere."""

    place: Path
    reason: str
    instead: Path | None


@dataclass(eq=False)
class _Copy:
    """What is still needed, on its way into the next file."""

    file: LogFile
    number: int
    places: dict[Digest, Place]
    todo: Iterator[Digest]


class Store:
    """Keeps records and tiles. Nothing in here raises because of the disk: what it refuses waits in memory, and is
    tried again, and elsewhere. ``lost``: too much has waited, or cannot be read any more; ``begin_anew`` ends that."""

    def __init__(self, roots: Sequence[Path], tell: Callable[[Trouble | None], None], budget: int) -> None:
        self._roots = list(roots)
        self._tell = tell
        self._budget = budget
        self.timeline = Timeline()
        self.lost = False
        self._held: Held | None = None
        self._file: LogFile | None = None
        self._number = 1
        self._places: dict[Digest, Place | None] = {}  # None: it waits
        self._unwritten: deque[tuple[bytes, Digest | None]] = deque()
        self._waiting = 0  # bytes of these
        self._flush_at = 0.0
        self._retry_at = 0.0
        self._reason = ""  # why the disk refuses; empty while it does not
        self._check_at = _LEAST_CHECKED
        self._copy: _Copy | None = None
        self._told: Trouble | None = None

    # Writing

    def keep(self, pixels: bytes) -> Digest:
        """Write a tile down, unless it is there."""
        name = digest(pixels)
        if name not in self._places:
            self._places[name] = None
            self._append(Kind.TILE, packed(name, pixels), name)
        return name

    def has(self, name: Digest) -> bool:
        """It is written, or waits to be."""
        return name in self._places

    def write(self, kind: Kind, payload: bytes) -> None:
        self._append(kind, payload, None)

    def _append(self, kind: Kind, payload: bytes, name: Digest | None) -> None:
        if self.lost:
            return
        record = framed(kind, payload)
        self._unwritten.append((record, name))
        self._waiting += len(record)
        if not self._reason:
            self._work_off()
        if self._waiting > _MOST_UNWRITTEN:
            log.info("the journal holds too much that the disk does not take")
            self._lose()

    def _work_off(self) -> None:
        """Write what waits."""
        try:
            file = self._opened()
            while self._unwritten:
                record, name = self._unwritten[0]
                at = file.append(record)
                self._unwritten.popleft()
                self._waiting -= len(record)
                if name is not None:
                    self._places[name] = Place(at + HEAD_BYTES, len(record) - OVERHEAD)
                if not self._flush_at:
                    self._flush_at = time.monotonic() + FLUSH_S
        except OSError as error:
            self._refused(error)

    def _opened(self) -> LogFile:
        """Raises OSError."""
        if self._file is None:
            self._held = self._held or new_session(self._roots[0])
            self._file = LogFile(self._held.folder / f"{self._number}{ENDING}")
            self._file.append(_head())
        return self._file

    def _flush(self) -> None:
        self._flush_at = 0.0
        if self._file is not None and self._file.flushed < self._file.length:
            try:
                self._file.flush()
            except OSError as error:
                self._refused(error)

    # When the disk refuses

    def _refused(self, error: OSError) -> None:
        """Between two entries it is tried again, and elsewhere: in the middle of one, half of its tiles are known."""
        self._reason = error.strerror or str(error)
        self._retry_at = self._retry_at or time.monotonic()

    def _try_again(self) -> None:
        """What waits is written after all, or everything is taken to another place, or better times are waited for."""
        place = self._held.folder.parent if self._held is not None else self._roots[0]
        self._reason = ""
        self._work_off()
        if not self._reason:
            self._flush()
        if not self._reason:
            self._retry_at = 0.0
            if self._told is not None and self._told.instead is None:
                self._told = None
                self._tell(None)
            return
        self._retry_at = time.monotonic() + _RETRY_S
        gone = self._held is not None and not self._held.folder.exists()
        instead = next((root for root in self._roots if (root != place or gone) and self._moved_to(root)), None)
        trouble = Trouble(place, self._reason, instead)
        if instead is not None:
            self._reason = ""
        if trouble != self._told and instead != place:
            log.info("the journal in %s cannot be written (%s); it goes on in %s", place, trouble.reason, instead)
            self._told = trouble
            self._tell(trouble)

    def _moved_to(self, root: Path) -> bool:
        """Take all that is needed to another place."""
        self._drop_copy()
        held: Held | None = None
        file: LogFile | None = None
        try:
            held = new_session(root)
            file = LogFile(held.folder / f"1{ENDING}")
            file.append(_head())
            copy = _Copy(file, 1, {}, iter(()))
            while not self._copied(copy, _MOST_UNWRITTEN):
                pass
            self._finish(copy)
        except OSError as error:
            log.info("the journal cannot be taken to %s: %s", root, error)
            if file is not None:
                file.close()
            if held is not None:
                held.remove()
            return False
        old, old_held = self._file, self._held
        self._file, self._held, self._number = copy.file, held, 1
        self._places = dict(copy.places)
        self._unwritten.clear()
        self._waiting, self._retry_at = 0, 0.0
        self._flush_at = 0.0
        if old is not None:
            with contextlib.suppress(OSError):
                old.close()
        if old_held is not None:
            old_held.remove()  # all of it is in the new place; where nothing can be deleted it is left
        return True

    def _lose(self) -> None:
        self.lost = True
        self._drop_copy()
        self._unwritten.clear()
        self._waiting = 0

    def give_up(self) -> None:
        """Something is wrong in here: begin anew with what the window holds."""
        if not self.lost:
            self._lose()

    def begin_anew(self) -> None:
        """A new file in a new folder; what was written before is left as it is, for the next start."""
        self.lost = False
        self._let_go()
        self.timeline = Timeline()
        self._places = {}
        self._check_at, self._retry_at, self._reason = _LEAST_CHECKED, 0.0, ""

    def _let_go(self) -> None:
        self._drop_copy()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        if self._held is not None:
            self._held.release()
        self._file, self._held, self._number = None, None, 1
        self._unwritten.clear()
        self._waiting = 0

    # From time to time

    def rest(self) -> float | None:
        """Seconds until ``tend`` has something to do; None: for ever."""
        if self._copy is not None:
            return 0.001
        due = [at for at in (self._flush_at, self._retry_at if self._reason else 0.0) if at]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def tend(self) -> None:
        """Flush, try again, and copy a bit, as far as it is due."""
        now = time.monotonic()
        if self._flush_at and now >= self._flush_at:
            self._flush()
        if self._reason and now >= self._retry_at:
            self._try_again()
        if self._copy is None and not self._reason and self._file is not None and self._file.length > self._check_at:
            self._begin_copy()
        if self._copy is not None:
            self._go_on_copying(self._copy)

    def settle(self) -> None:
        """All that can be written is on the disk afterwards, and nothing is being copied."""
        while self._copy is not None:
            self._go_on_copying(self._copy)
        if self._reason:
            self._try_again()
        self._flush()

    def close(self, *, remove: bool) -> None:
        if not remove:
            self.settle()
        held = self._held
        self._held = None
        self._let_go()
        if held is not None and remove:
            held.remove()
        elif held is not None:
            held.release()

    def adopt(self, recovered: Recovered, held: Held, *, leave: bool) -> bool:
        """Go on with a session that was left. False when its file cannot be written."""
        try:
            file = LogFile(recovered.path, recovered.kept)
        except OSError as error:
            log.info("the session in %s cannot be gone on with: %s", held.folder, error)
            held.release()
            self._lose()
            return False
        self.settle()
        self.close(remove=not leave)
        self.lost = False
        self.timeline, self._places = recovered.timeline, dict(recovered.places)
        self._file, self._held, self._number = file, held, recovered.number
        self._check_at = max(_LEAST_CHECKED, 2 * file.length)
        for number in generations(held.folder):
            if number != recovered.number:
                with contextlib.suppress(OSError):
                    (held.folder / f"{number}{ENDING}").unlink()
        return True

    # Leaving behind what is no longer needed

    def _begin_copy(self) -> None:
        assert self._file is not None
        assert self._held is not None
        live = self._live_bytes()
        while live > 0.7 * self._budget and self.timeline.first < self.timeline.index:
            count = max(1, (self.timeline.index - self.timeline.first) // 10)
            self.timeline.forget(self.timeline.first + count)
            live = self._live_bytes()
        if live > 0.6 * self._file.length and self._file.length < self._budget:
            self._check_at = min(2 * live, self._budget) + _LEAST_CHECKED
            return
        number = self._number + 1
        try:
            if shutil.disk_usage(self._held.folder).free < live + _ROOM:
                self._check_at = self._file.length + _LEAST_CHECKED
                return
            file = LogFile(self._held.folder / f"{number}{ENDING}")
            file.append(_head())
        except OSError as error:
            log.info("the journal cannot be made smaller now: %s", error)
            self._check_at = self._file.length + _LEAST_CHECKED
            return
        self._copy = _Copy(file, number, {}, iter(()))

    def _live_bytes(self) -> int:
        names = set[Digest]()
        for tiles in self.timeline.live():
            names.update(tiles)
        places = (self._places.get(name) for name in names)
        return sum(place.size for place in places if place is not None)

    def _go_on_copying(self, copy: _Copy) -> None:
        try:
            if not self._copied(copy, _SLICE):
                return
            self._finish(copy)
        except OSError as error:
            log.info("the journal cannot be made smaller now: %s", error)
            self._drop_copy()
            self._check_at = (self._file.length if self._file is not None else 0) + _LEAST_CHECKED
            return
        old = self._file
        self._file, self._number, self._copy = copy.file, copy.number, None
        self._places = dict(copy.places)
        self._unwritten.clear()
        self._waiting = 0
        length = copy.file.length
        self._check_at = max(length + _LEAST_CHECKED, min(2 * length, self._budget))
        if old is not None:
            old.close()
            with contextlib.suppress(OSError):
                old.path.unlink()

    def _copied(self, copy: _Copy, most: int) -> bool:
        """Copy about ``most`` bytes. True when nothing is missing. Raises OSError."""
        for name in copy.todo:
            if name in copy.places:
                continue
            payload = self._payload(name)
            at = copy.file.append(framed(Kind.TILE, payload))
            copy.places[name] = Place(at + HEAD_BYTES, len(payload))
            most -= len(payload)
            if most <= 0:
                return False
        missing = [name for tiles in self.timeline.live() for name in tiles if name not in copy.places]
        copy.todo = iter(missing)
        return not missing

    def _payload(self, name: Digest) -> bytes:
        """Of a tile that is written or waits. Raises OSError."""
        place = self._places.get(name)
        if place is not None and self._file is not None:
            return self._file.read(place.offset, place.size)
        for record, waiting in self._unwritten:
            if waiting == name:
                return record[HEAD_BYTES : HEAD_BYTES + len(record) - OVERHEAD]
        raise OSError("a tile is nowhere")

    def _finish(self, copy: _Copy) -> None:
        """Write the timeline behind its tiles, and seal it. Raises OSError."""
        timeline = self.timeline
        first, *rest = timeline.states
        copy.file.append(framed(Kind.BASE, records.base(timeline.first, first)))
        before = first
        for number, (text, state) in enumerate(zip(timeline.texts, rest, strict=True)):
            copy.file.append(framed(Kind.STEP, records.step(timeline.first + number, text, state, before)))
            before = state
        copy.file.append(framed(Kind.MOVE, records.moved(timeline.index)))
        for name, part in timeline.parts.items():
            copy.file.append(framed(Kind.PART, records.part(name, part)))
        copy.file.append(framed(Kind.SEAL, b"{}"))
        copy.file.flush()

    def _drop_copy(self) -> None:
        if self._copy is not None:
            self._copy.file.close()
            with contextlib.suppress(OSError):
                self._copy.file.path.unlink()
            self._copy = None


def _head() -> bytes:
    from app import __version__

    return framed(Kind.HEAD, records.head(__version__, time.time()))

"""Reading a session that was left: as much of it as is whole, and nothing is touched."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import UserError
from app.library.journal.log import Kind, Record, records
from app.library.journal.tiles import Digest, name_of, unpacked
from app.library.journal.timeline import NewerError, Timeline

log = logging.getLogger(__name__)

ENDING = ".log"


class JournalError(UserError):
    """A session that cannot be brought back."""


@dataclass(frozen=True)
class Place:
    """Where the payload of a tile lies in the file."""

    offset: int
    size: int


@dataclass(frozen=True, eq=False)
class Recovered:
    """What a journal tells. ``kept`` of the ``size`` bytes of its file are whole. ``written``: seconds since 1970."""

    path: Path
    number: int
    timeline: Timeline
    places: dict[Digest, Place]
    kept: int
    size: int
    written: float

    @property
    def damaged(self) -> bool:
        """Its end was not whole: the last moment before a crash, or damage on the disk."""
        return self.kept < self.size

    def fetcher(self) -> Fetcher:
        return Fetcher(self)


class Fetcher:
    """Brings tiles out of the file while it is open; to be closed. Not for two threads at a time."""

    def __init__(self, recovered: Recovered) -> None:
        """Raises JournalError."""
        self._places = recovered.places
        try:
            self._file = recovered.path.open("rb")
        except OSError as error:
            raise _unreadable(recovered.path, error) from error

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def payload(self, name: Digest) -> bytes:
        """As it lies there: the digest and the packed pixels. Raises JournalError."""
        place = self._places.get(name)
        if place is None:
            raise JournalError("A part of the session is missing from its journal.", _REMEDY)
        try:
            self._file.seek(place.offset)
            data = self._file.read(place.size)
        except OSError as error:
            raise _unreadable(Path(self._file.name), error) from error
        if len(data) < place.size:
            raise JournalError("A part of the session is missing from its journal.", _REMEDY)
        return data

    def __call__(self, name: Digest, size: int) -> bytes:
        """The pixels of a tile, ``size`` bytes. Raises JournalError."""
        try:
            return unpacked(self.payload(name), size)
        except ValueError as error:
            raise JournalError("A part of the session is damaged in its journal.", _REMEDY) from error


def read_session(folder: Path, cancelled: Callable[[], bool] = lambda: False) -> Recovered:
    """What the newest whole file in a session's folder tells. Raises JournalError where nothing can be made of it."""
    numbers = generations(folder)
    if not numbers:
        raise JournalError("The session left nothing behind.", _REMEDY)
    trouble: JournalError | None = None
    for number in sorted(numbers, reverse=True):
        try:
            return _read(folder / f"{number}{ENDING}", number, cancelled)
        except JournalError as error:
            trouble = trouble or error
    assert trouble is not None
    raise trouble


def generations(folder: Path) -> list[int]:
    """The numbers of the files in a session's folder."""
    try:
        names = [path.name for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []
    stems = (name.removesuffix(ENDING) for name in names if name.endswith(ENDING))
    return [int(stem) for stem in stems if stem.isascii() and stem.isdigit() and len(stem) < 10]


def _read(path: Path, number: int, cancelled: Callable[[], bool]) -> Recovered:
    replay = _Replay()
    try:
        with path.open("rb") as file:
            for record in records(file):
                if cancelled() or not replay.take(record):
                    break
            file.seek(0, 2)
            size, written = file.tell(), path.stat().st_mtime
    except (OSError, MemoryError) as error:
        raise _unreadable(path, error) from error
    if replay.newer:
        raise JournalError(
            "The session was written by a newer Limner.", "Start that one to bring it back; nothing of it is lost."
        )
    if not replay.begun or (number > 1 and not replay.sealed):
        raise JournalError("Nothing in the session's journal can be read.", _REMEDY)
    if replay.kept < size:
        log.info("%s: %d of %d bytes are whole", path, replay.kept, size)
    return Recovered(path, number, replay.timeline, replay.places, replay.kept, size, written)


class _Replay:
    """Takes records in one after the other."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.places: dict[Digest, Place] = {}
        self.kept = 0  # bytes
        self.begun = self.sealed = self.newer = False

    def take(self, record: Record) -> bool:
        """False for one that says nothing usable: whatever follows may rest on it."""
        try:
            if record.kind == Kind.TILE:
                self.places.setdefault(name_of(record.payload), Place(record.offset, len(record.payload)))
            else:
                self._apply(record)
        except NewerError:
            self.newer = True
            return False
        except ValueError as error:
            log.info("a record of the journal says nothing usable (%s)", error)
            return False
        self.kept = record.end
        return True

    def _apply(self, record: Record) -> None:
        if not self.begun and record.kind not in (Kind.HEAD, Kind.BASE):
            raise ValueError("it begins in the middle")
        self.timeline.apply(record.kind, record.payload, self.places)
        self.begun = self.begun or record.kind == Kind.BASE
        self.sealed = self.sealed or record.kind == Kind.SEAL


_REMEDY = "Look into the history: every finished picture is kept there."


def _unreadable(path: Path, error: BaseException) -> JournalError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return JournalError(f"The session's journal cannot be read ({reason}).", _REMEDY)

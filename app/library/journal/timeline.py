"""What a journal tells, as it stands after each of its records: the document with its undo steps, and named parts."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.library.journal.log import Kind
from app.library.journal.tiles import (
    MOST_SIDE,
    Chunks,
    Digest,
    Table,
    chunks_from,
    digests_from,
    plain_chunks,
    plain_digests,
    tile_count,
)

VERSION = 1
"""Raised when an older Limner could not read what is written any more."""
MOST_PLANES = 4096

Plain = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class State:
    """A whole document at one moment: plain values, and planes of pixels by their names."""

    values: Plain
    planes: Mapping[str, Table]

    def same(self, other: State) -> bool:
        return self.values == other.values and dict(self.planes) == dict(other.planes)


@dataclass(frozen=True, eq=False)
class Part:
    """Something beside the document: plain values that may point at arrays by their numbers."""

    value: Any
    arrays: tuple[Chunks, ...] = ()


NOTHING = State(MappingProxyType({}), MappingProxyType({}))


@dataclass
class Timeline:
    """The states that undo and redo lead through. Invariant: ``states`` is never empty, one longer than ``texts``, and
    ``index`` names one of them; ``states[0]`` is the document after ``first`` steps, which nobody can undo any more."""

    states: list[State] = field(default_factory=lambda: [NOTHING])
    texts: list[str] = field(default_factory=list)
    first: int = 0
    index: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    first_told: dict[str, Part] = field(default_factory=dict)  # what was read first of each part

    @property
    def now(self) -> State:
        return self.states[self.index - self.first]

    @property
    def last(self) -> int:
        """The index after all steps."""
        return self.first + len(self.texts)

    @property
    def steps(self) -> int:
        return len(self.texts)

    def state(self, index: int) -> State:
        """Raises ValueError for one that is not there."""
        if not self.first <= index <= self.last:
            raise ValueError(f"there is no step {index}")
        return self.states[index - self.first]

    def live(self) -> Iterator[tuple[Digest, ...]]:
        """The digests of all that can still be seen, table by table; one may come twice."""
        seen: set[int] = set()
        for state in self.states:
            for table in state.planes.values():
                if id(table) not in seen:
                    seen.add(id(table))
                    yield table.tiles
        for part in self.parts.values():
            for array in part.arrays:
                yield array.pieces

    # What happens

    def start(self, index: int, state: State) -> None:
        """There is this document, without steps."""
        self.states, self.texts, self.first, self.index = [state], [], index, index

    def push(self, text: str, state: State) -> None:
        """One more step; those that could be redone are gone."""
        keep = self.index - self.first
        del self.states[keep + 1 :], self.texts[keep:]
        self.states.append(state)
        self.texts.append(text)
        self.index += 1

    def move(self, index: int) -> None:
        """Raises ValueError."""
        self.state(index)
        self.index = index

    def amend(self, state: State) -> None:
        self.states[self.index - self.first] = state

    def forget(self, below: int) -> None:
        """Steps before this index cannot be undone any more; the one that is stood at stays."""
        count = min(below, self.index) - self.first
        if count > 0:
            del self.states[:count], self.texts[:count]
            self.first += count

    def apply(self, kind: int, payload: bytes | memoryview, known: Container[Digest]) -> None:
        """Take in a record, tiles apart; one of an unknown kind is passed over. ``known``: the tiles that are there.

        Raises ValueError, with nothing changed.
        """
        if kind not in _TOLD:
            return
        plain = _parsed(payload)
        match kind:
            case Kind.HEAD:
                if type(version := plain.get("version")) is not int or version > VERSION:
                    raise NewerError(f"version {version!r}")
            case Kind.BASE:
                self.start(_number(plain, "at"), _state(plain, NOTHING, known))
            case Kind.STEP:
                at = _number(plain, "at")
                state = _state(plain, self.state(at), known)
                self.move(at)
                self.push(str(plain.get("text", ""))[:1000], state)
            case Kind.MOVE:
                self.move(_number(plain, "index"))
            case Kind.AMEND:
                at = _number(plain, "at")
                state = _state(plain, self.state(at), known)
                self.move(at)
                self.amend(state)
            case Kind.FORGET:
                self.forget(_number(plain, "below"))
            case Kind.PART:
                arrays = plain.get("arrays")
                found = tuple(chunks_from(array) for array in arrays) if isinstance(arrays, list) else ()
                for array in found:
                    _check_known(array.pieces, known)
                name, told = str(plain.get("name", ""))[:100], Part(plain.get("value"), found)
                self.parts[name] = told
                self.first_told.setdefault(name, told)


class NewerError(ValueError):
    """Written by a newer Limner."""


_TOLD = frozenset({Kind.HEAD, Kind.BASE, Kind.STEP, Kind.MOVE, Kind.AMEND, Kind.FORGET, Kind.PART})


# As records


def head(program: str, made: float) -> bytes:
    return _plain({"version": VERSION, "program": program, "made": made})


def base(index: int, state: State) -> bytes:
    return _plain({"at": index, **_told(state, NOTHING)})


def step(index: int, text: str, state: State, before: State) -> bytes:
    """``index``: before the step."""
    return _plain({"at": index, "text": text, **_told(state, before)})


def amended(index: int, state: State, before: State) -> bytes:
    return _plain({"at": index, **_told(state, before)})


def moved(index: int) -> bytes:
    return _plain({"index": index})


def forgotten(below: int) -> bytes:
    return _plain({"below": below})


def part(name: str, told: Part) -> bytes:
    return _plain({"name": name, "value": told.value, "arrays": [plain_chunks(array) for array in told.arrays]})


def _plain(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _told(state: State, before: State) -> dict[str, Any]:
    """The state by what is another than before."""
    planes: dict[str, Any] = {}
    for name, table in state.planes.items():
        was = before.planes.get(name)
        if table is was:
            continue
        if was is not None and table.alike(was):
            pairs = zip(table.tiles, was.tiles, strict=True)
            planes[name] = {"change": {number: new.hex() for number, (new, old) in enumerate(pairs) if new != old}}
        else:
            planes[name] = {"shape": list(table.shape), "tiles": plain_digests(table.tiles)}
    gone = [name for name in before.planes if name not in state.planes]
    return {"values": dict(state.values), "planes": planes, "gone": gone}


def _state(plain: Plain, before: State, known: Container[Digest]) -> State:
    values, changed, gone = plain.get("values"), plain.get("planes"), plain.get("gone")
    if not isinstance(values, dict) or not isinstance(changed, dict) or not isinstance(gone, list):
        raise ValueError("a document without values or planes")
    planes = {name: table for name, table in before.planes.items() if name not in gone}
    for name, told in changed.items():
        planes[name] = _table(told, before.planes.get(name), known)
    if len(planes) > MOST_PLANES:
        raise ValueError("too many planes")
    return State(values, planes)


def _table(told: object, was: Table | None, known: Container[Digest]) -> Table:
    if not isinstance(told, dict):
        raise ValueError("no plane")
    change = told.get("change")
    if isinstance(change, dict):
        if was is None:
            raise ValueError("a change of nothing")
        tiles = list(was.tiles)
        for number, name in change.items():
            if not str(number).isdecimal() or len(number) > 9 or int(number) >= len(tiles):
                raise ValueError("a tile outside its plane")
            tiles[int(number)] = new = digests_from(name, 1)[0]
            _check_known((new,), known)
        return Table(*was.shape, tuple(tiles))
    shape = told.get("shape")
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(side) is int for side in shape):
        raise ValueError("a plane without a shape")
    width, height, channels = shape
    if not (1 <= width <= MOST_SIDE and 1 <= height <= MOST_SIDE and 1 <= channels <= 4):
        raise ValueError("a plane of an impossible shape")
    names = digests_from(told.get("tiles"), tile_count(width, height))
    _check_known(names, known)
    return Table(width, height, channels, names)


def _check_known(names: Iterable[Digest], known: Container[Digest]) -> None:
    if not all(name in known for name in names):
        raise ValueError("a tile that is not there")


def _parsed(payload: bytes | memoryview) -> dict[str, Any]:
    try:
        plain = json.loads(bytes(payload))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("no JSON") from error
    if not isinstance(plain, dict):
        raise ValueError("no table")
    return plain


def _number(plain: Plain, name: str) -> int:
    value = plain.get(name)
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise ValueError(f"no number for {name}")
    return value

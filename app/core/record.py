"""A Request as plain values that JSON can hold, and back out of values that may be old, newer or hostile."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import RequestError
from app.core.geometry import Rect, Size
from app.core.request import MOST_GUIDANCE, MOST_PROMPT, MOST_SEED, MOST_SIDE, MOST_STEPS, Pixels, Request

VERSION = 1
"""Raised when what is written cannot be read by an older Limner any more; new fields alone do not need it."""

Plain = dict[str, Any]
_LIMITS: Mapping[str, tuple[float, float]] = {
    "seed": (0, MOST_SEED),
    "steps": (1, MOST_STEPS),
    "stop_at": (0, 2 * MOST_STEPS),
    "until": (1, 2 * MOST_STEPS),
    "guidance": (1.0, MOST_GUIDANCE),
    "strength": (0.0, 1.0),
    "amount": (0.0, 1.0),
    "width": (1, MOST_SIDE),
    "height": (1, MOST_SIDE),
}
"""Numbers of these names are brought into the range; others that do not fit are left at their default."""
_MOST_ITEMS = 10_000
_NOT_TOLD = frozenset({"model", "resume"})
"""Fields that are not written: pictures are given away, and a path tells whose they were; kept steps weigh too much."""
_FILES = frozenset({"file", "vae"})
"""Paths of which the file's own name is written, for the same reason."""


@dataclass(frozen=True, eq=False)
class Packed:
    """``plain`` is a tree of JSON values; ``parts`` are the pixels that it points at, each H x W or H x W x 3."""

    plain: Plain
    parts: tuple[NDArray[np.uint8], ...]

    def without_parts(self) -> Packed:
        """The settings alone: which pixels they worked on is not told."""
        return Packed(self.plain, ())


@dataclass(frozen=True, eq=False)
class Unpacked:
    """``complete``: the source and mask of the task are there; where they are not, blank ones of their size stand in
    for them, which must not be painted from. ``notes``: sentences on what could not be taken as it was written."""

    request: Request
    complete: bool
    notes: tuple[str, ...] = ()


def pack(request: Request, picture: Pixels) -> Packed:
    """``picture`` is what came of the Request: pixels of the source that are still in it are not written again."""
    parts: list[NDArray[np.uint8]] = []
    plain = plain_of(request, lambda array: _described(array, picture, parts), _TOLD_TO_OTHERS)
    return Packed({"version": VERSION, "request": plain}, tuple(parts))


def unpack(
    plain: object, parts: Sequence[NDArray[np.uint8]], picture: Pixels | None = None, model: str = ""
) -> Unpacked:
    """The Request that ``pack`` wrote. ``model`` is the model to name in it, ``picture`` the one that was packed.

    Unknown fields are passed over, missing ones get their default, numbers are brought into range. Raises ValueError
    when there is nothing to be made of it.
    """
    if not isinstance(plain, dict) or not isinstance(plain.get("version"), int):
        raise ValueError("no record of a request")
    if plain["version"] > VERSION:
        raise ValueError(f"written by a newer Limner (version {plain['version']})")
    arrays = _Described(parts, picture)
    reader = Reader(arrays.array, _NOT_TOLD)
    request = reader.made(Request, plain.get("request"), {"model": model})
    return Unpacked(request, arrays.complete, tuple(reader.notes))


# Writing


@dataclass(frozen=True)
class Discretion:
    """What is not written: fields of the names in ``left_out``, and of the paths in ``files`` their folders."""

    left_out: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


_TOLD_TO_OTHERS = Discretion(_NOT_TOLD, _FILES)
EVERYTHING = Discretion()


def plain_of(value: object, describe: Callable[[NDArray[Any]], Any], discretion: Discretion = EVERYTHING) -> Any:
    """A value made of dataclasses, enums, tuples, scalars and arrays, as JSON can hold it.

    ``describe`` stands for each array. Raises TypeError for what is something else.
    """
    match value:
        case np.ndarray():
            return describe(value)
        case Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [plain_of(item, describe, discretion) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: plain_of(_told(field.name, getattr(value, field.name), discretion), describe, discretion)
            for field in dataclasses.fields(value)
            if field.name not in discretion.left_out
        }
        return {"kind": type(value).__name__, **fields}
    raise TypeError(f"a {type(value).__name__} cannot be written")


def _told(name: str, value: Any, discretion: Discretion) -> Any:
    return Path(value).name if name in discretion.files and value else value


def _described(array: NDArray[np.uint8], picture: Pixels, parts: list[NDArray[np.uint8]]) -> Plain:
    """The box outside which the array is 0, or is the picture itself, and the number of the part that fills it."""
    same = array.shape == picture.shape
    box = _bounds(array != picture if same else array != 0)
    described: Plain = {"shape": list(array.shape), "around": "picture" if same else "zero", "box": list(_tuple(box))}
    if box.size.area:
        parts.append(np.ascontiguousarray(array[box.slices]))
        described["part"] = len(parts) - 1
    return described


def _bounds(marked: NDArray[np.bool_]) -> Rect:
    """The smallest box around what is marked; empty where nothing is."""
    flat = np.asarray(marked.any(axis=2)) if marked.ndim == 3 else marked
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    if not len(rows):
        return Rect(0, 0, 0, 0)
    x, y = int(columns[0]), int(rows[0])
    return Rect(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


def _tuple(box: Rect) -> tuple[int, int, int, int]:
    return box.x, box.y, box.width, box.height


# Reading


class Unusable(Exception):  # noqa: N818 - caught where the field gets its default
    """What was written cannot be taken for the value that is wanted."""


class Reader:
    """Builds values of given types out of plain ones, and remembers in ``notes`` what it could not take.

    ``array`` makes an array of what ``describe`` of ``plain_of`` left for it, or raises Unusable. Fields of the names
    in ``left_out`` are not read.
    """

    def __init__(self, array: Callable[[object], NDArray[Any]], left_out: frozenset[str] = frozenset()) -> None:
        self._array = array
        self._left_out = left_out
        self.notes: list[str] = []

    def made(self, kind: type[Any], plain: object, given: Mapping[str, object]) -> Any:
        """An instance of the dataclass ``kind``. Raises ValueError when a field without a default is missing."""
        if not isinstance(plain, dict):
            raise ValueError(f"no {kind.__name__}")
        hints = typing.get_type_hints(kind)
        values = dict(given)
        for field in dataclasses.fields(kind):
            if field.name in given or field.name in self._left_out or field.name not in plain or not field.init:
                continue
            try:
                values[field.name] = self._value(hints[field.name], plain[field.name], field.name)
            except (Unusable, ValueError, RequestError):
                self.notes.append(f"Its {_words(field.name)} could not be read.")
        return self._constructed(kind, values)

    def _constructed(self, kind: type[Any], values: Mapping[str, object]) -> Any:
        needed = {f.name for f in dataclasses.fields(kind) if not _has_default(f)}
        if needed - set(values):
            raise ValueError(f"{kind.__name__} lacks {', '.join(sorted(needed - set(values)))}")
        try:
            return kind(**values)
        except RequestError:
            pass
        # One value or two that do not go together: each is added in turn, and what spoils it is left at its default.
        kept = {name: value for name, value in values.items() if name in needed}
        try:
            made = kind(**kept)
        except RequestError as error:
            raise ValueError(str(error)) from error
        for name, value in values.items():
            if name in needed:
                continue
            try:
                made = kind(**kept, **{name: value})
                kept[name] = value
            except RequestError:
                self.notes.append(f"Its {_words(name)} cannot be used here.")
        return made

    def _value(self, hint: Any, plain: object, name: str) -> Any:
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            return self._one_of(typing.get_args(hint), plain, name)
        if origin is np.ndarray or hint is np.ndarray:
            return self._array(plain)
        if origin is tuple:
            return self._items(typing.get_args(hint), plain, name)
        if hint is None or hint is type(None):
            return _only_if(plain is None, None)
        if isinstance(hint, type):
            if issubclass(hint, Enum):
                return hint(plain)
            if dataclasses.is_dataclass(hint):
                return self.made(hint, plain, {})
            return _scalar(hint, plain, name)
        raise Unusable

    def _one_of(self, hints: Sequence[Any], plain: object, name: str) -> Any:
        """The first that fits; values that are tables say which one they are."""
        kind = plain.get("kind") if isinstance(plain, dict) else None
        for hint in hints:
            if dataclasses.is_dataclass(hint) and getattr(hint, "__name__", "") != kind:
                continue
            try:
                return self._value(hint, plain, name)
            except (Unusable, ValueError):
                continue
        raise Unusable

    def _items(self, hints: Sequence[Any], plain: object, name: str) -> tuple[Any, ...]:
        if not isinstance(plain, list) or len(plain) > _MOST_ITEMS:
            raise Unusable
        if len(hints) == 2 and hints[1] is Ellipsis:
            return tuple(self._value(hints[0], item, name) for item in plain)
        if len(hints) != len(plain):
            raise Unusable
        return tuple(self._value(hint, item, name) for hint, item in zip(hints, plain, strict=True))


class _Described:
    """The arrays that ``_described`` wrote. ``complete``: none of them had to be replaced by a blank one."""

    def __init__(self, parts: Sequence[NDArray[np.uint8]], picture: Pixels | None) -> None:
        self._parts = parts
        self._picture = picture
        self.complete = True

    def array(self, plain: object) -> NDArray[np.uint8]:
        """The pixels that were described; blank ones that take no memory where they are not there."""
        if not isinstance(plain, dict):
            raise Unusable
        shape = _shape(plain.get("shape"))
        box = _box(plain.get("box"), shape)
        picture = self._picture if plain.get("around") == "picture" else None
        part = self._part(plain.get("part"), box, shape)
        around_known = plain.get("around") == "zero" or (picture is not None and picture.shape == shape)
        if not around_known or (box.size.area and part is None):
            self.complete = False
            return np.broadcast_to(np.uint8(255), shape)
        array = np.zeros(shape, np.uint8) if picture is None else picture.copy()
        if part is not None:
            array[box.slices] = part
        array.flags.writeable = False
        return array

    def _part(self, number: object, box: Rect, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(self._parts):
            return None
        part = self._parts[number]
        return part if part.shape == (box.height, box.width, *shape[2:]) else None


def _scalar(hint: type, plain: object, name: str) -> Any:
    if hint is float and isinstance(plain, int) and not isinstance(plain, bool) and abs(plain) < 2**53:
        plain = float(plain)
    if type(plain) is not hint or hint not in (bool, int, float, str):
        raise Unusable
    if isinstance(plain, str):
        return plain[:MOST_PROMPT]
    if isinstance(plain, float) and not math.isfinite(plain):
        raise Unusable
    if name in _LIMITS and isinstance(plain, int | float):
        least, most = _LIMITS[name]
        return hint(min(max(plain, least), most))
    return plain


def _only_if(fits: bool, value: Any) -> Any:
    if not fits:
        raise Unusable
    return value


def _shape(plain: object) -> tuple[int, ...]:
    if not isinstance(plain, list) or len(plain) not in (2, 3) or not all(type(side) is int for side in plain):
        raise Unusable
    if not all(1 <= side <= MOST_SIDE for side in plain[:2]) or plain[2:] not in ([], [3]):
        raise Unusable
    return tuple(plain)


def _box(plain: object, shape: tuple[int, ...]) -> Rect:
    if not isinstance(plain, list) or len(plain) != 4 or not all(type(number) is int for number in plain):
        raise Unusable
    box = Rect(*plain)
    if min(box.width, box.height) < 0 or not box.inside(Size(shape[1], shape[0])):
        raise Unusable
    return box


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _words(name: str) -> str:
    return name.replace("_", " ")

"""Values over a pipe: a head, one pickle of plain values, and the bytes of their arrays as they lie in memory."""

from __future__ import annotations

import dataclasses
import io
import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, BinaryIO, Protocol

import numpy as np

from app.process.messages import Known

VERSION = 1
"""Of what crosses. Both sides are one program; yet it may be replaced by another version while it runs."""

_HEAD = struct.Struct("<4sHH")
_MAGIC = b"LmnE"
_MOST_PARTS = 4096
_MOST_BYTES = 1 << 32
_AT_ONCE = 1 << 16
"""Bytes: what a pipe holds."""
_OURS = ("app.core.", "app.process.")
_NUMPY = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
    }
)


class FrameError(Exception):
    """What came is no frame of ours."""


class CutShortError(FrameError):
    """The pipe ends inside a frame."""


class Pipe(Protocol):
    """A pipe's end as Python opens it without a buffer."""

    def write(self, data: memoryview, /) -> int | None: ...


def write_frame(pipe: Pipe, value: object, known: Known | None = None) -> None:
    """Send a value. What ``known`` has a name for is named. Raises OSError when nobody listens."""
    buffers: list[pickle.PickleBuffer] = []
    text = io.BytesIO()
    _Pickler(text, buffers, known).dump(value)
    parts = [memoryview(text.getbuffer()), *(buffer.raw() for buffer in buffers)]
    head = _HEAD.pack(_MAGIC, VERSION, len(parts)) + struct.pack(f"<{len(parts)}Q", *(part.nbytes for part in parts))
    if sum(part.nbytes for part in parts) <= _AT_ONCE:  # or the other side wakes for each part, and takes a core for it
        _write_all(pipe, memoryview(b"".join((head, *parts))))
        return
    for part in (memoryview(head), *parts):
        _write_all(pipe, part)


def read_frame(pipe: BinaryIO, known: Callable[[], Known | None] = lambda: None) -> Any:
    """The next value; None at the end of the pipe. ``known`` is asked only when the whole frame has come: what is known
    may change while one waits for it. Raises FrameError, OSError."""
    head = pipe.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise CutShortError("the pipe ends inside a head")
    magic, version, count = _HEAD.unpack(head)
    if magic != _MAGIC or version != VERSION or not 1 <= count <= _MOST_PARTS:
        raise FrameError(f"{head!r} begins no frame of version {VERSION}")
    sizes = struct.unpack(f"<{count}Q", _read(pipe, 8 * count))
    if sum(sizes) > _MOST_BYTES:
        raise FrameError(f"a frame of {sum(sizes)} bytes")
    text, *buffers = [_read(pipe, size) for size in sizes]
    try:
        return _Unpickler(io.BytesIO(text), buffers, known()).load()
    except Exception as error:  # whatever bytes that are no pickle may raise
        raise FrameError(f"a frame that cannot be read ({type(error).__name__}: {error})") from error


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, buffers: list[pickle.PickleBuffer], known: Known | None) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffers.append)
        self._known = known

    def persistent_id(self, thing: object) -> str | None:
        return None if self._known is None else self._known.name(thing)


class _Unpickler(pickle.Unpickler):
    """Makes our own frozen values and arrays, and nothing else.

    The bytes come from our own program, over a pipe that only the two of us hold, and it has no fewer rights than we:
    nobody gains anything by them. All the same nothing but values is made of them, so that a mistake becomes an error
    and not a call.
    """

    def __init__(self, file: io.BytesIO, buffers: Sequence[memoryview], known: Known | None) -> None:
        super().__init__(file, buffers=buffers)
        self._known = known

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NUMPY:
            return super().find_class(module, name)
        if module.startswith(_OURS) and module in sys.modules:
            found = vars(sys.modules[module]).get(name)
            if isinstance(found, type) and (dataclasses.is_dataclass(found) or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not cross")

    def persistent_load(self, name: Any) -> Any:
        if self._known is None:
            raise pickle.UnpicklingError(f"{name!r} is of no running job")
        return self._known.thing(name)


def _write_all(pipe: Pipe, data: memoryview) -> None:
    data = data.cast("B") if data.nbytes else data
    while data.nbytes:  # a pipe may take a part only
        data = data[pipe.write(data) or 0 :]


def _read(pipe: BinaryIO, size: int) -> memoryview:
    try:
        view, at = np.empty(size, np.uint8).data, 0  # of numpy: a bytearray would be filled with zeros first
    except MemoryError as error:
        raise FrameError(f"there is no memory for {size} bytes") from error
    while at < size:
        got = pipe.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            raise CutShortError("the pipe ends inside a frame")
        at += got
    return view

"""The journal's file: records that are appended, each with its length and a checksum."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 1 << 30
"""In one record: far beyond any, and a stop to lengths that damage has made."""
_MAGIC = b"LmJ1"
_HEAD = struct.Struct("<4sBI")  # magic, kind, bytes of the payload
_CHECK = struct.Struct("<I")  # CRC-32 of head and payload
HEAD_BYTES = _HEAD.size
"""Of a record, before its payload."""
OVERHEAD = _HEAD.size + _CHECK.size


class Kind(IntEnum):
    """What a record holds. Numbers are never given a second meaning."""

    HEAD = 1  # which program wrote it
    TILE = 2  # pixels by their digest
    BASE = 3  # a whole document, without steps
    STEP = 4  # the document after one more step
    MOVE = 5  # the step that the document stands at
    AMEND = 6  # the document at this step, changed by what is no step
    FORGET = 7  # the oldest steps are gone
    PART = 8  # something beside the document
    SEAL = 9  # everything that the file before this one had is here


@dataclass(frozen=True)
class Record:
    """``payload`` begins at byte ``offset`` of the file."""

    kind: int
    payload: memoryview | bytes
    offset: int

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + len(self.payload) + _CHECK.size


def framed(kind: Kind, payload: bytes) -> bytes:
    """A record as it stands in the file."""
    head = _HEAD.pack(_MAGIC, kind, len(payload))
    return b"".join((head, payload, _CHECK.pack(zlib.crc32(payload, zlib.crc32(head)))))


class LogFile:
    """A file that is only ever appended to. What ``append`` has returned from is with the system: no kill undoes it.

    Invariant: it ends with a whole record, also after an ``append`` that failed.
    """

    def __init__(self, path: Path, length: int = 0) -> None:
        """Make it, or go on after ``length`` bytes of one that is there. Raises OSError."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(path, flags, 0o600)  # what is painted is nobody else's business
        self.length = length
        self.flushed = length
        try:
            self._cut()
        except OSError:
            self.close()
            raise

    def append(self, record: bytes) -> int:
        """Write a record that is framed; where it begins. Raises OSError, with nothing written."""
        at, rest = self.length, memoryview(record)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self._cut()
            raise
        self.length += len(record)
        return at

    def flush(self) -> None:
        """Bring it to the disk. Raises OSError, also where the file has lost its name: nobody would find it again."""
        length = self.length
        if os.fstat(self._descriptor).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, "its folder is gone", str(self.path))
        os.fsync(self._descriptor)
        self.flushed = length

    def read(self, offset: int, size: int) -> bytes:
        """Raises OSError, also where less is there."""
        try:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            parts = []
            while size:
                part = os.read(self._descriptor, size)
                if not part:
                    raise OSError(f"{self.path} is shorter than it was")
                parts.append(part)
                size -= len(part)
        finally:
            os.lseek(self._descriptor, self.length, os.SEEK_SET)
        return b"".join(parts)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _cut(self) -> None:
        os.ftruncate(self._descriptor, self.length)
        os.lseek(self._descriptor, self.length, os.SEEK_SET)


def records(file: BinaryIO) -> Iterator[Record]:
    """The whole records from the beginning on, until there is no more or one that is not whole. Raises OSError."""
    offset = 0
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        magic, kind, size = _HEAD.unpack(head)
        if magic != _MAGIC or size > MOST_BYTES:
            return
        payload, check = file.read(size), file.read(_CHECK.size)
        if len(payload) < size or len(check) < _CHECK.size:
            return
        if _CHECK.unpack(check)[0] != zlib.crc32(payload, zlib.crc32(head)):
            return
        yield Record(kind, payload, offset + _HEAD.size)
        offset += size + OVERHEAD

"""Pixels as tiles named by their digest, so that whatever is there twice is kept once."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.geometry import Rect, ceil_to
from app.core.shots import TILE, tile_box

MOST_SIDE = 32_768
_CHUNK = 1 << 18  # bytes of an array that is no picture
_MOST_ARRAY = 1 << 31
_HEAD = struct.Struct("<16sBI")  # digest, how it is packed, bytes unpacked
_RAW, _DEFLATED = 0, 1
_SAMPLE = 8192
DTYPES = ("uint8", "float32")
"""What arrays may hold."""

Digest = bytes


@dataclass(frozen=True)
class Table:
    """A plane of ``channels`` bytes a pixel, as the digests of its tiles in rows from the upper left."""

    width: int
    height: int
    channels: int
    tiles: tuple[Digest, ...]

    def alike(self, other: Table | None) -> bool:
        """Of the same shape."""
        return other is not None and self.shape == other.shape

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.width, self.height, self.channels

    @property
    def columns(self) -> int:
        return -(-self.width // TILE)

    def bytes_of(self, number: int) -> int:
        """Of one tile, unpacked."""
        box = tile_box(number, self.width, self.height)
        return box.width * box.height * self.channels


@dataclass(frozen=True)
class Chunks:
    """An array as the digests of its pieces: the tiles of a picture, or runs of bytes."""

    dtype: str
    shape: tuple[int, ...]
    pieces: tuple[Digest, ...]


def tile_count(width: int, height: int) -> int:
    return -(-width // TILE) * -(-height // TILE)


def touched(box: Rect, width: int, height: int) -> list[int]:
    """The numbers of the tiles that ``box`` touches."""
    columns = -(-width // TILE)
    left, top = max(0, box.x) // TILE, max(0, box.y) // TILE
    right, bottom = ceil_to(min(width, box.right), TILE) // TILE, ceil_to(min(height, box.bottom), TILE) // TILE
    return [row * columns + column for row in range(top, bottom) for column in range(left, right)]


def digest(data: bytes) -> Digest:
    return hashlib.blake2b(data, digest_size=16).digest()


def packed(name: Digest, data: bytes, *, small: bool = True) -> bytes:
    """The payload of a TILE record. ``small``: try to make it so; a photograph hardly gets smaller and is left."""
    if small and len(zlib.compress(data[:_SAMPLE], 1)) < 0.7 * min(len(data), _SAMPLE):
        return _HEAD.pack(name, _DEFLATED, len(data)) + zlib.compress(data, 1)
    return _HEAD.pack(name, _RAW, len(data)) + data


def name_of(payload: bytes | memoryview) -> Digest:
    """The digest that a TILE record's payload names. Raises ValueError."""
    if len(payload) < _HEAD.size:
        raise ValueError("a tile without a head")
    name: bytes = _HEAD.unpack_from(payload)[0]
    return name


def unpacked(payload: bytes | memoryview, size: int) -> bytes:
    """The bytes of a TILE record's payload, which must be ``size`` many. Raises ValueError."""
    if len(payload) < _HEAD.size:
        raise ValueError("a tile without a head")
    _, how, told = _HEAD.unpack_from(payload)
    data = bytes(payload[_HEAD.size :])
    if how == _DEFLATED:
        try:
            data = zlib.decompressobj().decompress(data, size + 1)
        except zlib.error as error:
            raise ValueError("a damaged tile") from error
    elif how != _RAW:
        raise ValueError("a tile packed in an unknown way")
    if told != size or len(data) != size:
        raise ValueError("a tile of another size")
    return data


class StoredTile:
    """A tile as it lies in the journal, until somebody wants its pixels."""

    def __init__(self, payload: bytes, size: int) -> None:
        self._payload = payload
        self._size = size

    @property
    def stored_bytes(self) -> int:
        return len(self._payload)

    def pixels(self) -> bytes:
        """Raises ValueError."""
        return unpacked(self._payload, self._size)


def cut_array(array: NDArray[Any], keep: Callable[[bytes], Digest]) -> Chunks:
    """Each piece of the array is given to ``keep``, which names it. Raises ValueError for what is not known here."""
    if array.dtype.name not in DTYPES:
        raise ValueError(f"arrays of {array.dtype} are not kept")
    if _is_picture(array.dtype.name, array.shape):
        height, width = array.shape[:2]
        boxes = (tile_box(number, width, height) for number in range(tile_count(width, height)))
        pieces = tuple(keep(array[box.slices].tobytes()) for box in boxes)
    else:
        whole = memoryview(array.tobytes())
        pieces = tuple(keep(bytes(whole[start : start + _CHUNK])) for start in range(0, len(whole), _CHUNK))
    return Chunks(array.dtype.name, array.shape, pieces)


def joined_array(chunks: Chunks, fetch: Callable[[Digest, int], bytes]) -> NDArray[Any]:
    """The array that was cut, read-only. ``fetch`` is given a digest and how many bytes it must be. Raises what it
    raises."""
    array = np.empty(chunks.shape, chunks.dtype)
    if _is_picture(chunks.dtype, chunks.shape):
        height, width = chunks.shape[:2]
        for number, name in enumerate(chunks.pieces):
            box = tile_box(number, width, height)
            part = array[box.slices]
            part[...] = np.frombuffer(fetch(name, part.nbytes), np.uint8).reshape(part.shape)
    else:
        flat = array.reshape(-1).view(np.uint8)
        for number, name in enumerate(chunks.pieces):
            part = flat[number * _CHUNK : (number + 1) * _CHUNK]
            part[...] = np.frombuffer(fetch(name, part.nbytes), np.uint8)
    array.flags.writeable = False
    return array


# As JSON can hold them


def plain_chunks(chunks: Chunks) -> dict[str, Any]:
    return {"dtype": chunks.dtype, "shape": list(chunks.shape), "pieces": plain_digests(chunks.pieces)}


def chunks_from(plain: object) -> Chunks:
    """Raises ValueError."""
    if not isinstance(plain, dict) or plain.get("dtype") not in DTYPES:
        raise ValueError("no array")
    dtype: str = plain["dtype"]
    shape = plain.get("shape")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 6 or not all(type(side) is int for side in shape):
        raise ValueError("an array without a shape")
    sides = tuple(shape)
    if min(sides) < 0 or max(sides) > _MOST_ARRAY:
        raise ValueError("an array of an impossible shape")
    total = np.dtype(dtype).itemsize
    for side in sides:
        total *= side  # a Python number: it cannot overflow
    if total > _MOST_ARRAY:
        raise ValueError("an array that is too large")
    count = tile_count(sides[1], sides[0]) if _is_picture(dtype, sides) else -(-total // _CHUNK)
    return Chunks(dtype, sides, digests_from(plain.get("pieces"), count))


def plain_digests(names: Sequence[Digest]) -> str:
    return b"".join(names).hex()


def digests_from(plain: object, count: int) -> tuple[Digest, ...]:
    """Raises ValueError."""
    if not isinstance(plain, str) or len(plain) != 32 * count:
        raise ValueError("another number of tiles")
    joined = bytes.fromhex(plain)
    return tuple(joined[start : start + 16] for start in range(0, len(joined), 16))


def _is_picture(dtype: str, shape: Sequence[int]) -> bool:
    return dtype == "uint8" and len(shape) in (2, 3) and 0 not in shape and (len(shape) == 2 or shape[2] <= 4)

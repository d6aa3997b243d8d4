"""A document as the journal sees it: plain values, and named planes of pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.geometry import Rect

TILE = 256
"""Pixels a side: the grid, from the upper left pixel on, in which planes are kept."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Pixels of ``channels`` bytes. ``read`` gives those of a tile of the grid, H x W (x channels), on any thread.

    ``dirty``: boxes outside which the plane is as it was when it was told last; None: it may be another anywhere.
    """

    width: int
    height: int
    channels: int
    read: Callable[[Rect], NDArray[np.uint8]]
    dirty: tuple[Rect, ...] | None = None


@dataclass(frozen=True, eq=False)
class Shot:
    """The document at one moment, on its way into the journal. A plane that is None is as it was when told last."""

    values: Mapping[str, Any]
    planes: Mapping[str, Plane | None]


class Tile(Protocol):
    """The pixels of one tile, packed; equal ones are one object."""

    @property
    def stored_bytes(self) -> int: ...

    def pixels(self) -> bytes:
        """Raises ValueError."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """A plane that came out of the journal: its tiles in rows from the upper left."""

    width: int
    height: int
    channels: int
    tiles: tuple[Tile, ...]

    def like(self, other: Tiles | None) -> bool:
        """Of the same shape."""
        mine = (self.width, self.height, self.channels)
        return other is not None and mine == (other.width, other.height, other.channels)


@dataclass(frozen=True, eq=False)
class Sheet:
    """The document at one moment, as it came out of the journal."""

    values: Mapping[str, Any]
    planes: Mapping[str, Tiles]


def tile_box(number: int, width: int, height: int) -> Rect:
    """Where a tile lies; the last of a row and of a column are as small as what is left."""
    columns = -(-width // TILE)
    y, x = number // columns * TILE, number % columns * TILE
    return Rect(x, y, min(TILE, width - x), min(TILE, height - y))

"""Brush and Stroke: the only code that puts pixels down along a path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage

from app.document.coverage import Knot, Profile, coverage, pieces, reach
from app.document.surfaces import MaskSurface, Surface
from app.document.tiles import TileEdit, corner, cut, tiles, within

LEAST_SIZE, MOST_SIZE = 1.0, 1000.0
LEAST_CURVE, MOST_CURVE = 0.25, 4.0
_BAND = 96  # rows that are covered at once, so that the arrays stay in the processor's cache


@dataclass(frozen=True, kw_only=True)
class Brush:
    """``size``: diameter in picture pixels, 1..1000. ``hardness`` 0..1: how far from the centre it covers fully.
    ``opacity`` 0..1: the most that one stroke covers. ``erase``: it takes mask away. ``pen_size`` and ``pen_opacity``:
    which of the two a pen's pressure scales; ``pen_curve`` 0.25..4: the power that the pressure is raised to, under 1
    for a light hand, over 1 for a heavy one. ``smoothing`` 0..1: how far the line lags behind an unsteady hand. Values
    are brought into range."""

    size: float = 64.0
    hardness: float = 0.8
    opacity: float = 1.0
    erase: bool = False
    pen_size: bool = True
    pen_opacity: bool = False
    pen_curve: float = 1.0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _clamp(self.size, LEAST_SIZE, MOST_SIZE))
        object.__setattr__(self, "hardness", _clamp(self.hardness, 0.0, 1.0))
        object.__setattr__(self, "opacity", _clamp(self.opacity, 0.0, 1.0))
        object.__setattr__(self, "pen_curve", _clamp(self.pen_curve, LEAST_CURVE, MOST_CURVE))
        object.__setattr__(self, "smoothing", _clamp(self.smoothing, 0.0, 1.0))

    def edge(self) -> tuple[float, float]:
        """Radii between which the coverage falls from full to none; at least one pixel apart, which antialiases."""
        radius = self.size / 2
        inner = min(self.hardness * radius, radius - 0.5)
        return inner, max(radius, inner + 1.0)

    def knot(self, point: QPointF, pressure: float) -> Knot:
        """What the pen makes of the brush at a point of the path."""
        felt = _clamp(pressure, 0.0, 1.0) ** self.pen_curve
        return Knot(point, felt if self.pen_size else 1.0, felt if self.pen_opacity else 1.0)


class Stroke:
    """One stroke being drawn: coverage over a surface, the mask or a layer, which itself stays untouched until the
    stroke is committed.

    The brush is swept along each segment instead of being stamped along it: every pixel takes the coverage of its
    distance to the path. That is what stamping tends to as the spacing goes to 0, so it neither scallops nor depends
    on how often the pointer was reported, and crossing oneself never goes over the opacity. What is touched is kept
    in tiles, finished as the stroke goes, so that its end has nothing left to work out. The surface is read live: an
    undo in the middle of a stroke leaves the stroke right.
    """

    def __init__(self, brush: Brush, on: QImage | Surface) -> None:
        """``on``: a mask as it is, or any surface, in whose pixels everything here is."""
        self.brush = brush
        self.box = QRect()  # everything touched so far
        self._surface: Surface = MaskSurface(on, brush.erase) if isinstance(on, QImage) else on
        self._key = self._surface.key
        self._tiles: dict[tuple[int, int], _Tile] = {}  # by their top left corners
        self._profile = Profile.of(*brush.edge(), brush.opacity)
        self._last: Knot | None = None

    def line_to(self, point: QPointF, pressure: float = 1.0) -> QRect:
        """Go on to ``point`` (the surface's pixels; the centre of pixel 0 is 0.5). The first call puts down one dab.

        ``pressure`` 0..1 counts as the brush says. Returns the box that may have changed, empty off the surface.
        """
        knot = self.brush.knot(point, pressure)
        dirty = QRect()
        for a, b in pieces(self._last or knot, knot, max(32.0, self.brush.size)):
            dirty = dirty.united(self._sweep(a, b))
        self._last = knot
        self.box = self.box.united(dirty)
        return dirty

    def preview(self, box: QRect) -> NDArray[np.uint8]:
        """The surface inside ``box`` as it would be if the stroke ended now."""
        self._follow()
        pixels = self._surface.part(box)
        for tile in self._touched(box):
            tile.blend()
            part = tile.box.intersected(box)
            pixels[within(part, box)] = tile.after[within(part, tile.box)]
        return pixels

    def finished(self) -> list[TileEdit]:
        """What the stroke changes. It is over with that: the tiles are handed out and no more drawn on."""
        self._follow()
        for tile in self._tiles.values():
            tile.blend()
        return [tile.edit() for tile in self._tiles.values() if tile.changed]

    def _follow(self) -> None:
        if self._key != self._surface.key:
            self._key = self._surface.key
            for tile in self._tiles.values():
                tile.start_again()

    def _sweep(self, a: Knot, b: Knot) -> QRect:
        """Cover one segment."""
        box = reach(self._profile, a, b).intersected(self._surface.box)
        for part in cut(box):
            for top in range(part.top(), part.bottom() + 1, _BAND):
                band = QRect(part.left(), top, part.width(), min(_BAND, part.bottom() + 1 - top))
                covered = coverage(self._profile, band, a, b)
                if covered.any():
                    self._tile_at(band).cover(band, covered)
        return box

    def _tile_at(self, part: QRect) -> _Tile:
        """The tile that ``part`` lies in, made when it is touched first."""
        place = corner(part)
        if place not in self._tiles:
            box = next(tiles(part, self._surface.box))
            self._tiles[place] = _Tile(box, self._surface)
        return self._tiles[place]

    def _touched(self, box: QRect) -> list[_Tile]:
        places = [corner(part) for part in cut(box)]
        return [self._tiles[place] for place in places if place in self._tiles]


class _Tile:
    """A tile under the stroke: the surface as it was, and with the stroke over it."""

    def __init__(self, box: QRect, surface: Surface) -> None:
        self.box = box
        self._surface = surface
        self._cover = np.zeros((box.height(), box.width()), np.uint8)
        self.start_again()

    def start_again(self) -> None:
        """Lay what is covered over the surface as it is now."""
        self.before = self._surface.part(self.box)
        self.after = self.before.copy()
        self.changed = False  # ``after`` is not ``before``
        self._behind = self.box  # where ``after`` does not show yet what is covered

    def cover(self, box: QRect, covered: NDArray[np.uint8]) -> None:
        """The stroke covers so much of ``box``, a part of the tile, at least."""
        cover = self._cover[within(box, self.box)]
        np.maximum(cover, covered, out=cover)
        self._behind = self._behind.united(box)

    def blend(self) -> None:
        """Bring ``after`` up to date."""
        if self._behind.isEmpty():
            return
        part, self._behind = within(self._behind, self.box), QRect()
        before = self.before[part]
        after = self._surface.covered(before, self._cover[part])
        self.changed = self.changed or not np.array_equal(before, after)  # coverage only grows: it stays so
        self.after[part] = after

    def edit(self) -> TileEdit:
        self.before.flags.writeable = self.after.flags.writeable = False
        return TileEdit(self.box, self.before, self.after)


def _clamp(value: float, least: float, most: float) -> float:
    return min(most, max(least, float(value)))

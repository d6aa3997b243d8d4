"""The Raster: a large image of which a copy costs nothing, and a change no more than the tiles that it touches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from app.core.geometry import Size
from app.document.rows import colours, put, slices
from app.document.tiles import TILE, corner, cut, tiles, within

Format = QImage.Format
_keys = itertools.count(1)
_Place = tuple[int, int]  # a tile by its top left corner


class Raster:
    """32-bit pixels: an image as it was given, which is never written, and over it the tiles that were written since.
    Without such an image there is nothing, 0, wherever no tile lies. It speaks like a QImage where it can.

    Invariant: a tile is written in place only by the one Raster that ``_own`` it; all others get a copy first. So what
    ``share`` gives can be read on any thread, whatever happens to the original.
    """

    def __init__(self, base: QImage | None, size: Size, format: QImage.Format) -> None:
        self._base = base
        self._size = size
        self._format = format
        self._tiles: dict[_Place, QImage] = {}
        self._own: set[_Place] = set()
        self._key = next(_keys)

    @classmethod
    def of(cls, image: QImage) -> Raster:
        """An image (RGB32, ARGB32 or premultiplied) that is taken over: nobody writes it any more."""
        return cls(image, Size(image.width(), image.height()), image.format())

    @classmethod
    def blank(cls, width: int, height: int, format: QImage.Format = Format.Format_ARGB32) -> Raster:
        """Nothing but zeros, which takes no memory."""
        return cls(None, Size(width, height), format)

    def width(self) -> int:
        return self._size.width

    def height(self) -> int:
        return self._size.height

    def rect(self) -> QRect:
        return QRect(0, 0, self._size.width, self._size.height)

    def format(self) -> QImage.Format:
        return self._format

    def cacheKey(self) -> int:
        """Another number after each write; what ``share`` gave keeps it."""
        return self._key

    @property
    def opaque(self) -> bool:
        """It cannot be seen through anywhere."""
        return self._format == Format.Format_RGB32

    @property
    def untouched(self) -> QImage | None:
        """The image that it was made of, if nothing was written since: only to be looked at."""
        return None if self._tiles or self._base is None or self._base.format() != self._format else self._base

    @property
    def filled(self) -> QRect:
        """There is nothing outside of this box."""
        if self._base is not None:
            return self.rect()
        box = QRect()
        for place in self._tiles:
            box = box.united(self._box(place))
        return box

    def blank_in(self, box: QRect) -> bool:
        """Nothing but zeros there: transparent, and nothing has ever been there."""
        if self._base is None:
            return not any(place in self._tiles for place in _places(box))
        part = self.copy(box)  # held while its memory is looked at
        return not colours(part).any()

    def copy(self, box: QRect) -> QImage:
        """The pixels in ``box``, which must lie on it, as an image of their own."""
        at = corner(box)
        tile = self._tiles.get(at)
        if tile is not None and self._box(at).contains(box):
            return tile.copy(box.translated(-at[0], -at[1]))
        image = self._under(box)
        for part in cut(box) if self._tiles else ():
            x, y = corner(part)
            if (tile := self._tiles.get((x, y))) is not None:
                put(image, part.translated(-box.topLeft()), tile, part.translated(-x, -y))
        return image

    def pixels(self, box: QRect) -> NDArray[np.uint8]:
        """The pixels in ``box``, which must lie on it, H x W x 4 as they lie in memory: a copy."""
        values = np.empty((box.height(), box.width()), np.uint32)
        if self._base is not None and self._base.format() == self._format:
            values[...] = colours(self._base)[slices(box)]
        elif self._base is not None:
            under = self._under(box)  # held while its memory is looked at
            values[...] = colours(under)
        else:
            values.fill(0)
        for part in cut(box) if self._tiles else ():
            x, y = corner(part)
            if (tile := self._tiles.get((x, y))) is not None:
                values[within(part, box)] = colours(tile)[slices(part.translated(-x, -y))]
        return values.view(np.uint8).reshape(box.height(), box.width(), 4)

    def write(self, box: QRect, image: QImage) -> None:
        """Put ``image``, of its own format and of the size of ``box``, into it."""
        for part in cut(box):
            at = corner(part)
            source = part.translated(-box.topLeft())
            if part == self._box(at):
                self._put_tile(at, QImage(image) if source == image.rect() else image.copy(source))
                continue
            tile = self._tiles.get(at)
            if tile is None:
                tile = self._under(self._box(at))
            elif at not in self._own:
                tile = tile.copy()
            put(tile, part.translated(-at[0], -at[1]), image, source)
            self._put_tile(at, tile)
        self._key = next(_keys)

    def take(self, tile: QRect, other: Raster) -> None:
        """Look like ``other``, of the same size and format, in a tile: no pixel is copied."""
        at = corner(tile)
        theirs = other._tiles.get(at)
        if theirs is None and other._base is self._base:
            self._tiles.pop(at, None)
            self._own.discard(at)
        elif theirs is None:
            self._put_tile(at, other.copy(tile))
        else:
            self._tiles[at] = theirs
            self._own.discard(at)
            other._own.discard(at)
        self._key = next(_keys)

    def share(self) -> Raster:
        """Another one with the same pixels; whoever of the two is written to next leaves the other as it is."""
        other = Raster(self._base, self._size, self._format)
        other._tiles, other._key = dict(self._tiles), self._key
        self._own.clear()
        return other

    def with_alpha(self) -> Raster:
        """The same pixels in a form that can become transparent (ARGB32)."""
        other = Raster(self._base, self._size, Format.Format_ARGB32)
        other._tiles = {at: tile.convertToFormat(Format.Format_ARGB32) for at, tile in self._tiles.items()}
        return other

    def resized(self, box: QRect) -> Raster:
        """What lies in ``box``, and nothing where that goes beyond: the upper left corner of it becomes 0, 0. Costs
        what there is in it."""
        other = Raster.blank(box.width(), box.height(), self._format)
        for part in cut(box.intersected(self.filled)):
            if not self.blank_in(part):
                other.write(part.translated(-box.topLeft()), self.copy(part))
        return other

    def small(self, side: int) -> QImage:
        """``side`` pixels long, by nearest pixels: a thumbnail that costs nothing."""
        scale = side / max(self._size.width, self._size.height)
        width, height = max(1, round(self._size.width * scale)), max(1, round(self._size.height * scale))
        if self._base is None:
            image = QImage(width, height, self._format)
            image.fill(0)
        else:
            image = self._base.scaled(width, height).convertToFormat(self._format)
        x, y = width / self._size.width, height / self._size.height
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        for at, tile in self._tiles.items():
            place = QRectF(at[0] * x, at[1] * y, tile.width() * x, tile.height() * y)
            painter.drawImage(place, tile, QRectF(tile.rect()))
        painter.end()
        return image

    def sampled(self, step: int) -> NDArray[np.uint32]:
        """Every ``step``-th pixel each way, as numbers."""
        height, width = -(-self._size.height // step), -(-self._size.width // step)
        if self._base is None:
            values = np.zeros((height, width), np.uint32)
        else:
            values = colours(self._base)[::step, : self._size.width : step].copy()
        for (x, y), tile in self._tiles.items():
            left, top = -(-x // step), -(-y // step)
            part = colours(tile)[top * step - y :: step, left * step - x :: step]
            values[top : top + part.shape[0], left : left + part.shape[1]] = part
        return values

    def held(self) -> Iterator[tuple[int, int]]:
        """The images that it consists of, by numbers of their own, with their bytes: rasters share them."""
        for image in self._tiles.values() if self._base is None else (self._base, *self._tiles.values()):
            yield id(image), image.sizeInBytes()

    def _under(self, box: QRect) -> QImage:
        """What lies in ``box`` below all tiles, as an image of its own."""
        if self._base is None:
            image = QImage(box.width(), box.height(), self._format)
            image.fill(0)
            return image
        part = self._base.copy(box)
        return part if part.format() == self._format else part.convertToFormat(self._format)

    def _put_tile(self, at: _Place, tile: QImage) -> None:
        if self._base is None and not colours(tile).any():  # there is nothing again
            self._tiles.pop(at, None)
            self._own.discard(at)
            return
        self._tiles[at] = tile
        self._own.add(at)

    def _box(self, at: _Place) -> QRect:
        return QRect(QPoint(*at), QPoint(at[0] + TILE - 1, at[1] + TILE - 1)).intersected(self.rect())


def bytes_of(rasters: Iterable[Raster]) -> int:
    """What they take together; what they share once."""
    return sum(dict(image for raster in rasters for image in raster.held()).values())


def _places(box: QRect) -> Iterator[_Place]:
    return (corner(tile) for tile in tiles(box, box))

"""Several named masks of one picture: one is in use, and live; the others wait, packed tile by tile."""

from __future__ import annotations

import itertools
import secrets
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from app.core.geometry import Size
from app.document import images
from app.document.tiles import TileEdit, cut

MOST_NAME = 60  # characters

_numbers = itertools.count(secrets.randbits(40) << 10)  # so that those of another run, brought back, are others


@dataclass(frozen=True)
class MaskTile:
    """What is painted in one tile, packed: for good, so that any thread may read it. An even one is its value."""

    box: tuple[int, int, int, int]  # x, y, width, height
    packed: bytes | int

    @classmethod
    def of(cls, box: QRect, pixels: NDArray[np.uint8]) -> MaskTile:
        low, high = int(pixels.min()), int(pixels.max())
        packed = low if low == high else zlib.compress(pixels.tobytes(), 1)
        return cls((box.x(), box.y(), box.width(), box.height()), packed)

    @property
    def place(self) -> QRect:
        return QRect(*self.box)

    @property
    def stored_bytes(self) -> int:
        return len(self.packed) if isinstance(self.packed, bytes) else 1

    def pixels(self) -> NDArray[np.uint8]:
        """H x W, read-only."""
        _, _, width, height = self.box
        if isinstance(self.packed, int):
            even = np.full((height, width), self.packed, np.uint8)
            even.flags.writeable = False
            return even
        return np.frombuffer(zlib.decompress(self.packed), np.uint8).reshape(height, width)


Content = tuple[MaskTile, ...]
"""A mask's pixels: the tiles of the grid that are not empty."""


@dataclass(frozen=True, eq=False, kw_only=True)
class NamedMask:
    """``id`` tells it from others for as long as it lives. ``content``: its pixels while it waits; none while it is in
    use, for then they are the document's mask."""

    id: int
    name: str
    content: Content = ()

    @classmethod
    def new(cls, name: str, content: Content = ()) -> NamedMask:
        return cls(id=next(_numbers), name=name, content=content)


@dataclass(frozen=True, eq=False, kw_only=True)
class Masks:
    """Invariant: there is at least one, and the one in use holds no content."""

    items: tuple[NamedMask, ...]
    active: int = 0

    @classmethod
    def one(cls) -> Masks:
        """What every picture begins with."""
        return cls(items=(NamedMask.new("Mask 1"),))

    @property
    def current(self) -> NamedMask:
        return self.items[self.active]

    def named(self, number: int, name: str) -> Masks:
        """With another name for one of them."""
        items = list(self.items)
        items[number] = replace(items[number], name=name)
        return replace(self, items=tuple(items))

    def using(self, number: int, content: Content) -> Masks:
        """With another one in use; ``content`` is what is painted on the one that was."""
        items = [replace(item, content=content) if item is self.current else item for item in self.items]
        items[number] = replace(items[number], content=())
        return Masks(items=tuple(items), active=number)

    def free_name(self, wish: str = "") -> str:
        """The wish, or “Mask 2”, with a number that makes it another than all that are there."""
        taken = {item.name for item in self.items}
        if wish and wish not in taken:
            return wish
        stem = f"{wish} " if wish else "Mask "
        return next(name for number in itertools.count(2) if (name := f"{stem}{number}"[:MOST_NAME]) not in taken)


class Combine(Enum):
    """How a mask that waits changes the one in use."""

    ADD = "Add"
    SUBTRACT = "Subtract"
    INTERSECT = "Intersect"


def content_of(mask: QImage) -> Content:
    """The pixels of a live mask, to be kept."""
    parts = ((box, images.mask_part(mask, box)) for box in cut(mask.rect()))
    return tuple(MaskTile.of(box, pixels) for box, pixels in parts if pixels.any())


def image_of(content: Content, size: Size) -> QImage:
    """A mask's pixels as an image, for a picture of that size."""
    image = images.blank_mask(size.width, size.height)
    images.exchange_mask(image, ((tile.place, tile.pixels()) for tile in content))
    return image


def remade(masks: Masks, change: Callable[[Content], Content]) -> Masks:
    """With other pixels in those that wait."""
    items = (replace(item, content=change(item.content)) if item.content else item for item in masks.items)
    return replace(masks, items=tuple(items))


def differing(mask: QImage, content: Content) -> Iterator[tuple[QRect, NDArray[np.uint8]]]:
    """What must be written into a live mask to make it this one."""
    tiles = {tile.box: tile for tile in content}
    for box in cut(mask.rect()):
        tile = tiles.get((box.x(), box.y(), box.width(), box.height()))
        before = images.mask_part(mask, box)
        after = np.zeros_like(before) if tile is None else tile.pixels()
        if not np.array_equal(before, after):
            yield box, after


def combined(mask: QImage, content: Content, how: Combine) -> Iterator[TileEdit]:
    """The tiles of a live mask that change when it is combined with another one."""
    tiles = {tile.box: tile for tile in content}
    for box in cut(mask.rect()):
        tile = tiles.get((box.x(), box.y(), box.width(), box.height()))
        before = images.mask_part(mask, box)
        other = np.zeros_like(before) if tile is None else tile.pixels()
        match how:
            case Combine.ADD:
                after = np.maximum(before, other)
            case Combine.SUBTRACT:
                after = np.minimum(before, 255 - other)
            case Combine.INTERSECT:
                after = np.minimum(before, other)
        if not np.array_equal(before, after):
            before.flags.writeable = after.flags.writeable = False
            yield TileEdit(box, before, after)

"""The Document as the journal keeps it: shots of what changed, and a whole document with its undo steps out of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QImage, QRegion

from app.core.geometry import Rect
from app.core.request import MOST_SIDE
from app.core.shots import Plane, Sheet, Shot, Tiles, tile_box
from app.document import images
from app.document.document import Document, Origin, State
from app.document.tiles import rects, tiles
from app.document.undo import Step

_COPIED = 2_000_000
"""Bytes of changed tiles that are copied at once. More is handed over as a shared image: whoever writes to it next
copies all of it, so that is left for edits that are rare."""


class Watch(QObject):
    """Takes shots of a document. One costs what was changed since the last, not what there is."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._keys: dict[str, int] = {}  # by the planes' names, as they were told last
        self._dirty: dict[str, QRegion] = {}
        document.picture_changed.connect(lambda box: self._mark("picture", QRegion(box)))
        document.mask_changed.connect(lambda region: self._mark("mask", region))
        document.reset.connect(self.forget)

    def forget(self) -> None:
        """The next shot is a whole one."""
        self._keys.clear()
        self._dirty.clear()

    def seen(self) -> None:
        """Everything is told as it is now."""
        self._keys = {name: image.cacheKey() for name, image in _planes(self._document).items()}
        self._dirty.clear()

    def shot(self) -> Shot:
        """The document now."""
        planes: dict[str, Plane | None] = {}
        for name, image in _planes(self._document).items():
            key = image.cacheKey()
            planes[name] = None if self._keys.get(name) == key else self._plane(name, image)
        self.seen()
        return Shot(_values(self._document), planes)

    def _plane(self, name: str, image: QImage) -> Plane:
        width, height, channels = image.width(), image.height(), _channels(image)
        region = self._dirty.get(name) if name in self._keys else None
        if region is None:
            return Plane(width, height, channels, _Shared(image).read)
        touched = _touched(region, image.rect())
        dirty = tuple(_rect(box) for box in touched)
        if sum(box.width() * box.height() for box in touched) * channels > _COPIED:
            return Plane(width, height, channels, _Shared(image).read, dirty)
        copies = {(box.x(), box.y()): _part(image, box) for box in touched}
        return Plane(width, height, channels, lambda box: copies[box.x, box.y], dirty)

    def _mark(self, name: str, region: QRegion) -> None:
        self._dirty[name] = self._dirty.get(name, QRegion()).united(region)


class _Shared:
    """An image that shares its pixels with the document until one of the two is written to."""

    def __init__(self, image: QImage) -> None:
        self._image = QImage(image)

    def read(self, box: Rect) -> NDArray[np.uint8]:
        return _part(self._image, QRect(box.x, box.y, box.width, box.height))


@dataclass(frozen=True, eq=False)
class Kept:
    """A document out of the journal, as it is to be shown: ``state`` is that of ``sheets[index - first]``."""

    sheets: Sequence[Sheet]
    texts: Sequence[str]
    first: int
    index: int
    state: State


def whole_state(sheet: Sheet) -> State:
    """A State out of a Sheet; takes a while for large ones. Raises ValueError for what is no document."""
    values = sheet.values
    picture, mask = sheet.planes.get("picture"), sheet.planes.get("mask")
    if picture is None or mask is None or picture.channels != 3 or mask.channels != 1:
        raise ValueError("a document without a picture or a mask")
    size = (picture.width, picture.height)
    if size != (mask.width, mask.height) or max(size) > MOST_SIDE:
        raise ValueError("a mask of another size")
    pixels, marked = _joined(picture), _joined(mask)
    return State(
        picture=images.to_qimage(pixels),
        mask=images.to_qimage(marked),
        painted=int(np.count_nonzero(marked)),
        has_picture=values.get("has_picture") is True,
        origin=_origin(values),
        frame=_frame(values, picture),
    )


def bring_back(document: Document, kept: Kept) -> None:
    """The document shows what is kept, with all steps to undo and redo."""
    undo = document.undo
    undo.clear()
    document.exchange(kept.state)
    sleeping = _Sleep()
    pairs = zip(kept.texts, kept.sheets, kept.sheets[1:], strict=False)
    for text, before, after in pairs:
        undo.push(Restored(document, text, before, after, sleeping))
    undo.setIndex(kept.index - kept.first)
    sleeping.over = True


class _Sleep:
    """While a stack is filled, its steps do nothing: the document is already what they lead to."""

    over = False


class Restored(Step):
    """A step of a session that was brought back: the document before and after it, whatever had made it."""

    def __init__(self, document: Document, text: str, before: Sheet, after: Sheet, sleep: _Sleep) -> None:
        super().__init__(text)
        self._document = document
        self._sheets: tuple[Sheet, Sheet] | None = (before, after)
        self._sleep = sleep
        self._bytes = _bytes_apart(before, after)

    @property
    def stored_bytes(self) -> int:
        return self._bytes

    def forget(self) -> None:
        self._sheets, self._bytes = None, 0

    def redo(self) -> None:
        if self._sheets is not None and self._sleep.over:
            _change(self._document, *self._sheets)

    def undo(self) -> None:
        if self._sheets is not None and self._sleep.over:
            _change(self._document, self._sheets[1], self._sheets[0])


# What a document consists of


def contents(document: Document) -> tuple[dict[str, Any], dict[str, NDArray[np.uint8]]]:
    """All that is kept of a document: its values, and copies of its planes."""
    planes = _planes(document)
    return _values(document), {name: _part(image, image.rect()) for name, image in planes.items()}


def _planes(document: Document) -> dict[str, QImage]:
    return {"picture": document.picture, "mask": document.mask}


def _values(document: Document) -> dict[str, Any]:
    frame, origin = document.frame, document.origin
    return {
        "has_picture": document.has_picture,
        "origin": [origin.opened, origin.made],
        "frame": None if frame is None else [frame.x, frame.y, frame.width, frame.height],
    }


def _change(document: Document, now: Sheet, then: Sheet) -> None:
    """Lead the document from one sheet to another, writing no more than what differs."""
    others = {name for name in then.planes if then.planes[name] is not now.planes.get(name)}
    alike = all(then.planes[name].like(now.planes.get(name)) for name in others)
    if not alike or _origin(now.values) != _origin(then.values) or set(now.planes) != set(then.planes):
        document.exchange(whole_state(then))
        return
    for name, write in (("picture", document.write_picture), ("mask", document.write_mask)):
        if name in others:
            write(list(_differing(now.planes[name], then.planes[name])))
    frame = _frame(then.values, then.planes["picture"])
    if frame != document.frame:
        document.set_frame(frame)


def _origin(values: Mapping[str, Any]) -> Origin:
    match values.get("origin"):
        case [int(opened), int(made)]:
            return Origin(opened, made)
    return Origin.new()


def _frame(values: Mapping[str, Any], picture: Tiles) -> Rect | None:
    match values.get("frame"):
        case [int(x), int(y), int(width), int(height)]:
            box = Rect(x, y, width, height)
            fits = width > 0 and height > 0 and x >= 0 and y >= 0
            return box if fits and box.right <= picture.width and box.bottom <= picture.height else None
    return None


# Pixels


def _channels(image: QImage) -> int:
    return 1 if image.format() == images.Format.Format_Grayscale8 else 3


def _part(image: QImage, box: QRect) -> NDArray[np.uint8]:
    return images.mask_part(image, box) if _channels(image) == 1 else images.picture_part(image, box)


def _joined(plane: Tiles) -> NDArray[np.uint8]:
    """H x W or H x W x 3."""
    pixels = np.empty((plane.height, plane.width, plane.channels), np.uint8)
    for number, tile in enumerate(plane.tiles):
        box = tile_box(number, plane.width, plane.height)
        part = pixels[box.slices]
        part[...] = np.frombuffer(tile.pixels(), np.uint8).reshape(part.shape)
    return pixels[..., 0].copy() if plane.channels == 1 else pixels


def _differing(now: Tiles, then: Tiles) -> Iterator[tuple[QRect, NDArray[np.uint8]]]:
    """The tiles of ``then`` that are others."""
    for number, (old, new) in enumerate(zip(now.tiles, then.tiles, strict=True)):
        if old is not new:
            box = tile_box(number, then.width, then.height)
            shape = (box.height, box.width) if then.channels == 1 else (box.height, box.width, then.channels)
            yield QRect(box.x, box.y, box.width, box.height), np.frombuffer(new.pixels(), np.uint8).reshape(shape)


def _bytes_apart(before: Sheet, after: Sheet) -> int:
    """What only one of the two holds."""
    apart: dict[int, int] = {}
    for one, other in ((before, after), (after, before)):
        for name, plane in one.planes.items():
            if plane is other.planes.get(name):
                continue
            theirs = other.planes[name].tiles if name in other.planes else ()
            there = set(map(id, theirs))
            apart |= {id(tile): tile.stored_bytes for tile in plane.tiles if id(tile) not in there}
    return sum(apart.values())


def _touched(region: QRegion, whole: QRect) -> list[QRect]:
    """The tiles of the grid that a region touches."""
    found: dict[tuple[int, int], QRect] = {}
    for box in rects(region):
        for tile in tiles(box, whole):
            found[tile.x(), tile.y()] = tile
    return list(found.values())


def _rect(box: QRect) -> Rect:
    return Rect(box.x(), box.y(), box.width(), box.height())

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
from app.document.layers import MOST_NAME, Layer, LayerKind, Stack, reserve_ids
from app.document.masks import Content, Masks, MaskTile, NamedMask
from app.document.raster import Raster
from app.document.tiles import rects, tiles
from app.document.undo import Step

_LAYER = "layer-"
_COPIED = 2_000_000
"""Bytes of changed tiles that are copied at once. More is handed over as a shared image: whoever writes to it next
copies all of it, so that is left for edits that are rare."""


class Watch(QObject):
    """Takes shots of a document. One costs what was changed since the last, not what there is."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._keys: dict[str, object] = {}  # by the planes' names, as they were told last
        self._dirty: dict[str, QRegion] = {}
        document.layer_painted.connect(self._mark_layer)
        document.mask_changed.connect(lambda region: self._mark("mask", region))
        document.reset.connect(self.forget)

    def forget(self) -> None:
        """The next shot is a whole one."""
        self._keys.clear()
        self._dirty.clear()

    def seen(self) -> None:
        """Everything is told as it is now."""
        self._keys = {name: image.cacheKey() for name, image in _planes(self._document).items()}
        self._keys |= {_plane_of(mask): mask.content for mask in _waiting(self._document)}
        self._dirty.clear()

    def shot(self) -> Shot:
        """The document now."""
        planes: dict[str, Plane | None] = {}
        for name, image in _planes(self._document).items():
            key = image.cacheKey()
            planes[name] = None if self._keys.get(name) == key else self._plane(name, image)
        width, height = self._document.size.width, self._document.size.height
        for mask in _waiting(self._document):
            same = self._keys.get(_plane_of(mask)) is mask.content
            planes[_plane_of(mask)] = None if same else Plane(width, height, 1, _Packed(mask.content).read)
        self.seen()
        return Shot(_values(self._document), planes)

    def _plane(self, name: str, image: QImage | Raster) -> Plane:
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

    def _mark_layer(self, id: int, region: QRegion) -> None:
        layer = self._document.layer(id)
        if layer is not None:
            self._mark(_name(layer), region.translated(-layer.x, -layer.y))

    def _mark(self, name: str, region: QRegion) -> None:
        self._dirty[name] = self._dirty.get(name, QRegion()).united(region)


class _Shared:
    """An image that shares its pixels with the document until one of the two is written to."""

    def __init__(self, image: QImage | Raster) -> None:
        self._image = QImage(image) if isinstance(image, QImage) else image.share()

    def read(self, box: Rect) -> NDArray[np.uint8]:
        return _part(self._image, QRect(box.x, box.y, box.width, box.height))


class _Packed:
    """A mask that waits, packed for good."""

    def __init__(self, content: Content) -> None:
        self._tiles = {tile.box: tile for tile in content}

    def read(self, box: Rect) -> NDArray[np.uint8]:
        tile = self._tiles.get((box.x, box.y, box.width, box.height))
        return np.zeros((box.height, box.width), np.uint8) if tile is None else tile.pixels()


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
    mask = sheet.planes.get("mask")
    if mask is None or mask.channels != 1 or max(mask.width, mask.height) > MOST_SIDE:
        raise ValueError("a document without a mask")
    layers = {name: plane for name, plane in sheet.planes.items() if name.startswith(_LAYER)}
    made = {name: Raster.of(images.to_qimage(_joined(plane))) for name, plane in layers.items()}
    marked = _joined(mask)
    return State(
        layers=_stack(values, made),
        active=_active(values),
        mask=images.to_qimage(marked),
        painted=images.not_zero(marked),
        origin=_origin(values),
        frame=_frame(values, mask),
        masks=_masks(sheet),
    )


def _stack(values: Mapping[str, Any], made: Mapping[str, Raster]) -> Stack:
    """The layers that are told, with their images by name. Raises ValueError."""
    told = values.get("layers")
    stack = tuple(_layer(facts, made) for facts in told) if isinstance(told, list) else ()
    if len({layer.id for layer in stack}) != len(stack):
        raise ValueError("two layers that cannot be told apart")
    reserve_ids(max((layer.id for layer in stack), default=0))
    return stack


def _layer(facts: object, made: Mapping[str, Raster]) -> Layer:
    match facts:
        case [int(id), str(name), str(kind), int(x), int(y), int() | float() as opacity, bool(visible)]:
            image = made.get(f"{_LAYER}{id}")
            if image is None or not 0 <= opacity <= 1 or max(abs(x), abs(y)) > MOST_SIDE or not 0 < id < 2**31:
                raise ValueError("a layer without pixels or out of range")
            return Layer(
                id=id, name=name[:MOST_NAME], kind=LayerKind(kind), image=image, x=x, y=y,
                opacity=float(opacity), visible=visible,
            )  # fmt: skip
    raise ValueError("no layer")


def _active(values: Mapping[str, Any]) -> int | None:
    active = values.get("active")
    return active if isinstance(active, int) else None


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
    planes = {name: _part(image, image.rect()) for name, image in _planes(document).items()}
    for mask in _waiting(document):
        plane = planes[_plane_of(mask)] = np.zeros((document.size.height, document.size.width), np.uint8)
        for tile in mask.content:
            x, y, width, height = tile.box
            plane[y : y + height, x : x + width] = tile.pixels()
    return _values(document), planes


def _planes(document: Document) -> dict[str, QImage | Raster]:
    return {**{_name(layer): layer.image for layer in document.layers}, "mask": document.mask}


def _name(layer: Layer) -> str:
    return f"{_LAYER}{layer.id}"


def _values(document: Document) -> dict[str, Any]:
    frame, origin = document.frame, document.origin
    masks = document.masks
    return {
        "layers": [
            [layer.id, layer.name, layer.kind.value, layer.x, layer.y, layer.opacity, layer.visible]
            for layer in document.layers
        ],
        "active": document.active.id if document.active is not None else None,
        "masks": [[item.id, item.name] for item in masks.items],
        "active_mask": masks.active,
        "origin": [origin.opened, origin.made],
        "frame": None if frame is None else [frame.x, frame.y, frame.width, frame.height],
    }


def _change(document: Document, now: Sheet, then: Sheet) -> None:
    """Lead the document from one sheet to another, writing no more than what differs."""
    others = {name for name in then.planes if then.planes[name] is not now.planes.get(name)}
    alike = all(then.planes[name].like(now.planes.get(name)) for name in others if not name.startswith(_WAITS))
    layers = [{name for name in sheet.planes if not name.startswith(_WAITS)} for sheet in (now, then)]
    if not alike or _origin(now.values) != _origin(then.values) or layers[0] != layers[1]:
        document.exchange(whole_state(then))
        return
    for name in others:
        if name.startswith(_WAITS):
            continue  # it comes with the list of masks
        parts = list(_differing(now.planes[name], then.planes[name]))
        if name == "mask":
            document.write_mask(parts)
        else:
            document.write_layer(int(name.removeprefix(_LAYER)), [(box, _with_alpha(part)) for box, part in parts])
    if any(now.values.get(name) != then.values.get(name) for name in ("layers", "active")):
        here = {_name(layer): layer.image for layer in document.layers}
        document.set_layers(_stack(then.values, here), _active(then.values))
    if any(now.values.get(name) != then.values.get(name) for name in ("masks", "active_mask")):
        document.set_masks(_masks(then))
    frame = _frame(then.values, then.planes["mask"])
    if frame != document.frame:
        document.set_frame(frame)


_WAITS = "mask "


def _waiting(document: Document) -> list[NamedMask]:
    """The masks that are not in use."""
    return [mask for mask in document.masks.items if mask is not document.masks.current]


def _plane_of(mask: NamedMask) -> str:
    return f"{_WAITS}{mask.id}"


def _masks(sheet: Sheet) -> Masks:
    """The list of masks; what is no use is left out, and there is always one."""
    told, active = sheet.values.get("masks"), sheet.values.get("active_mask")
    if not isinstance(told, list) or not told or not isinstance(active, int) or not 0 <= active < len(told):
        return Masks.one()
    items = []
    for number, each in enumerate(told):
        match each:
            case [int(id), str(name)]:
                plane = sheet.planes.get(f"{_WAITS}{id}") if number != active else None
                content = () if plane is None else _packed(plane)
                items.append(NamedMask(id=id, name=name[:MOST_NAME], content=content))
            case _:
                return Masks.one()
    return Masks(items=tuple(items), active=active)


def _packed(plane: Tiles) -> Content:
    """The tiles that are not empty."""
    boxes = (tile_box(number, plane.width, plane.height) for number in range(len(plane.tiles)))
    parts = (
        (QRect(box.x, box.y, box.width, box.height), np.frombuffer(tile.pixels(), np.uint8))
        for box, tile in zip(boxes, plane.tiles, strict=True)
    )
    return tuple(MaskTile.of(box, pixels.reshape(box.height(), box.width())) for box, pixels in parts if pixels.any())


def _origin(values: Mapping[str, Any]) -> Origin:
    match values.get("origin"):
        case [int(opened), int(made)]:
            return Origin(opened, made)
    return Origin.new()


def _with_alpha(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H x W x 3 or 4 -> H x W x 4."""
    return part if part.shape[2] == 4 else np.dstack([part, np.full(part.shape[:2], 255, np.uint8)])


def _frame(values: Mapping[str, Any], picture: Tiles) -> Rect | None:
    match values.get("frame"):
        case [int(x), int(y), int(width), int(height)]:
            box = Rect(x, y, width, height)
            fits = width > 0 and height > 0 and x >= 0 and y >= 0
            return box if fits and box.right <= picture.width and box.bottom <= picture.height else None
    return None


# Pixels


def _channels(image: QImage | Raster) -> int:
    match image.format():
        case images.Format.Format_Grayscale8:
            return 1
        case images.Format.Format_RGB32:
            return 3
        case _:
            return 4


def _part(image: QImage | Raster, box: QRect) -> NDArray[np.uint8]:
    if isinstance(image, QImage):
        return images.mask_part(image, box)
    if not image.opaque and image.blank_in(box):  # most of a layer to paint on
        return np.zeros((box.height(), box.width(), 4), np.uint8)
    match _channels(image):
        case 3:
            return images.picture_part(image, box)
        case _:
            return images.layer_part(image, box)


def _joined(plane: Tiles) -> NDArray[np.uint8]:
    """H x W, H x W x 3 or H x W x 4."""
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

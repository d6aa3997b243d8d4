"""Growing, cropping and resizing the canvas: everything moves along, and what is new is marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter

from app.core.extent import around, carried, check_extent, overlap
from app.core.geometry import Rect, Size
from app.core.request import Mask
from app.document import images
from app.document.document import Document, State
from app.document.layers import Layer, LayerKind, Stack, compose, look_format
from app.document.masks import Content, content_of, image_of, remade
from app.document.patch import Patch
from app.document.raster import Raster, bytes_of
from app.document.surroundings import bare_parts
from app.document.tiles import cut
from app.document.undo import Step


class ChangeExtent(Step):
    """The canvas holds another area, given in the picture's pixels as they are before.

    Layers keep their pixels and their place on the picture: what is cropped away stays in them, and growing brings it
    back. Layers to paint on grow along. ``mark``: what is new and empty is marked, for the model to fill. ``frame``: in
    the new pixels; None lets the old one move along, as far as it still fits. Raises RequestError for an area that
    cannot be.
    """

    def __init__(
        self, document: Document, area: Rect, text: str, *, mark: bool = True, frame: Rect | None = None
    ) -> None:
        super().__init__(text)
        check_extent(area, document.size)
        whole = Rect.whole(document.size)
        self._document = document
        self._area, self._back = area, carried(whole, area)
        self._before, self._after = document.layers, tuple(_moved(layer, area) for layer in document.layers)
        self._frames = document.frame, _frame_in(document.frame, area) if frame is None else frame
        self._masks = document.masks, remade(document.masks, lambda content: _cut_out(content, document.size, area))
        self._origins = document.origin, document.origin.remade()
        kept = overlap(area, whole)
        self._cut = [Patch(box, images.mask_part(document.mask, box)) for box in _tiles(around(kept, whole))]
        new = around(carried(kept, area), Rect.whole(area.size)) if mark else ()
        self._new = [Patch(box, _marked(bare)) for part in new for box, bare in bare_parts(self._after, _qrect(part))]
        document.packer.add([*self._cut, *self._new])

    @property
    def stored_bytes(self) -> int:
        grown = [layer.image for layer in self._after if all(layer.image is not other.image for other in self._before)]
        return sum(patch.stored_bytes for patch in (*self._cut, *self._new)) + bytes_of(grown)

    def forget(self) -> None:
        self._cut, self._new, self._before, self._after = [], [], (), ()

    def redo(self) -> None:
        self._go(self._area, self._after, 1, self._new)

    def undo(self) -> None:
        self._go(self._back, self._before, 0, self._cut)

    def _go(self, area: Rect, layers: Stack, way: int, marked: Iterable[Patch]) -> None:
        document = self._document
        mask = document.mask.copy(_qrect(area))  # empty where it is new
        images.exchange_mask(mask, ((patch.box, patch.pixels()) for patch in marked))
        active = document.active
        document.exchange(
            State(
                layers=layers,
                active=active.id if active else None,
                mask=mask,
                painted=images.not_zero(images.to_mask(mask)),
                origin=self._origins[way],
                picture=_look(document, area, layers),
                frame=self._frames[way],
                masks=self._masks[way],
            )
        )


def _moved(layer: Layer, area: Rect) -> Layer:
    """The layer in the pixels of a canvas that holds ``area``; one to paint on covers all of it."""
    moved = replace(layer, x=layer.x - area.x, y=layer.y - area.y)
    whole = QRect(0, 0, area.width, area.height)
    if layer.kind is not LayerKind.PAINT or moved.box.contains(whole):
        return moved
    room = moved.box.united(whole)
    image = moved.image.resized(room.translated(-moved.x, -moved.y))  # transparent where it is new
    return replace(moved, image=image, x=room.x(), y=room.y())


def _look(document: Document, area: Rect, layers: Stack) -> Raster:
    """How the layers look on the new canvas. Where it is not new, it looks as before."""
    image = QImage(area.width, area.height, look_format(layers, area.size))
    image.fill(0)
    kept = overlap(area, Rect.whole(document.size))
    painter = QPainter(image)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.drawImage(QPoint(kept.x - area.x, kept.y - area.y), document.picture.copy(_qrect(kept)))
    painter.end()
    picture = Raster.of(image)
    for box in around(carried(kept, area), Rect.whole(area.size)):
        compose(layers, picture, _qrect(box))
    return picture


def _marked(bare: Mask) -> Mask:
    """Where nothing lies, marked."""
    return np.where(bare == 255, bare, np.uint8(0))


def _frame_in(frame: Rect | None, area: Rect) -> Rect | None:
    if frame is None:
        return None
    moved = carried(frame, area)
    return moved if moved.inside(area.size) else None


def _cut_out(content: Content, size: Size, area: Rect) -> Content:
    """A mask that waits, on the new canvas; what is new stays unmarked there."""
    return content_of(image_of(content, size).copy(_qrect(area)))


def _tiles(boxes: Iterable[Rect]) -> Iterable[QRect]:
    return (tile for box in boxes for tile in cut(_qrect(box)))


def _qrect(box: Rect) -> QRect:
    return QRect(box.x, box.y, box.width, box.height)

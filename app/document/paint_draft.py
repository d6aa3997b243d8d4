"""A stroke of colour, or an eraser's, on a layer: which layer it goes to, how it looks meanwhile, and its step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage, QUndoCommand

from app.document import images
from app.document.areas import Area
from app.document.document import Document
from app.document.layer_commands import ChangeLayers, PaintLayer, added, changed, paint_layer
from app.document.layers import Layer, LayerKind, Stack, compose, laid_over
from app.document.raster import Raster
from app.document.strokes import Brush, Stroke
from app.document.surfaces import Colour, LayerSurface
from app.document.tiles import TileEdit, cut, within
from app.document.undo import Step


@dataclass(frozen=True, eq=False)
class Target:
    """The layer that paint goes to. It may not be in the document yet, or not in this form: the step sees to that."""

    document: Document
    layer: Layer

    @classmethod
    def to_paint(cls, document: Document) -> Target:
        """The active layer if it is one to paint on, else the next one above it, else a new one right above it."""
        active = document.active
        if active is not None and active.kind is LayerKind.PAINT:
            return cls(document, active)
        above = document.layers[document.layers.index(active) + 1 :] if active is not None else ()
        layer = next((layer for layer in above if layer.kind is LayerKind.PAINT), None)
        return cls(document, layer or paint_layer(document))

    @classmethod
    def to_erase(cls, document: Document) -> Target | None:
        """The active layer; None where it is the picture itself, or there is none. One that was opaque all over can be
        seen through from now on."""
        active = document.active
        if active is None or active.kind is LayerKind.PICTURE:
            return None
        if active.image.opaque:
            active = replace(active, image=active.image.with_alpha())
        return cls(document, active)

    @property
    def stack(self) -> Stack:
        """The document's layers with this one as it is here."""
        document, layer = self.document, self.layer
        now = document.layer(layer.id)
        if now is None:
            return added(document, layer)
        return document.layers if now is layer else changed(document.layers, layer.id, image=layer.image)

    def step(self, edits: list[TileEdit], text: str) -> QUndoCommand:
        """What makes the edits (in the layer's own pixels) part of the document, in one step."""
        document = self.document
        paint = PaintLayer(document, self.layer, edits, text)
        stack = self.stack
        if stack is document.layers and document.active is not None and document.active.id == self.layer.id:
            return paint
        return Together(text, ChangeLayers(document, stack, self.layer.id, text), paint)


class Together(Step):
    """Two steps as one."""

    def __init__(self, text: str, first: Step, second: Step) -> None:
        super().__init__(text)
        self._first, self._second = first, second

    @property
    def stored_bytes(self) -> int:
        return self._first.stored_bytes + self._second.stored_bytes

    def forget(self) -> None:
        self._first.forget()
        self._second.forget()

    def redo(self) -> None:
        self._first.redo()
        self._second.redo()

    def undo(self) -> None:
        self._second.undo()
        self._first.undo()


class PaintDraft:
    """A stroke that is being drawn on a layer; all in picture pixels. The layer stays untouched meanwhile."""

    def __init__(self, target: Target, brush: Brush, colour: Colour | None) -> None:
        """``colour`` None: what the stroke covers becomes transparent."""
        self._target = target
        self._stroke = Stroke(brush, LayerSurface(target.layer.image, colour))

    def line_to(self, point: QPointF, pressure: float) -> QRect:
        """Go on to ``point``. Returns the box that looks different now."""
        layer = self._target.layer
        return self._stroke.line_to(point - QPointF(layer.x, layer.y), pressure).translated(layer.x, layer.y)

    def look(self, box: QRect) -> QImage:
        """How the picture looks in ``box`` with the stroke, in the picture's own format."""
        layer, document = self._target.layer, self._target.document
        format = document.picture.format()
        part = box.intersected(layer.box)
        if self._target.stack[-1] is layer and document.layer(layer.id) is None and part == box:
            pixels = self._stroke.preview(box.translated(-layer.x, -layer.y))  # nothing but the stroke, over all else
            under = images.native_part(document.picture, box)
            return images.native(laid_over(under, images.in_native_order(pixels), pixels[..., 3]), format)
        image = Raster.blank(box.width(), box.height(), format)
        stack = self._target.stack
        if not part.isEmpty():
            painted = Raster.of(images.to_qimage(self._stroke.preview(part.translated(-layer.x, -layer.y))))
            stack = tuple(
                replace(it, image=painted, x=part.x(), y=part.y()) if it.id == layer.id else it for it in stack
            )
        here = tuple(replace(it, x=it.x - box.x(), y=it.y - box.y()) for it in stack)
        compose(here, image, image.rect())
        return image.copy(image.rect())

    def step(self, text: str) -> QUndoCommand | None:
        """The stroke as a step; it is over with that. None when it changes nothing."""
        edits = self._stroke.finished()
        return self._target.step(edits, text) if edits else None


def filled(target: Target, area: Area, colour: Colour | None, opacity: float) -> list[TileEdit]:
    """The tiles of the layer that change when ``area`` (picture pixels) is laid over it."""
    layer = target.layer
    surface = LayerSurface(layer.image, colour)
    table = np.rint(np.arange(256) * opacity).astype(np.uint8)
    edits = []
    for box in cut(area.box.translated(-layer.x, -layer.y).intersected(surface.box)):
        cover = table[area.cover[within(box.translated(layer.x, layer.y), area.box)]]
        before = surface.part(box)
        after = surface.covered(before, cover)
        if not np.array_equal(before, after):
            before.flags.writeable = after.flags.writeable = False
            edits.append(TileEdit(box, before, after))
    return edits

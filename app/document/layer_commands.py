"""Every undoable edit of layers, one small command each; they are among the only writers of the Document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from app.core.job import Result
from app.core.request import Inpaint
from app.document import images
from app.document.document import Document
from app.document.layers import MOST_NAME, Layer, LayerKind, Stack, composed, new_id, seen_through
from app.document.patch import Patch
from app.document.raster import Format, Raster, bytes_of
from app.document.surroundings import bare_parts
from app.document.tiles import TileEdit, cut, within
from app.document.undo import Step

_SHORT = 32
"""Letters of a prompt that name a layer."""


class ChangeLayers(Step):
    """Other layers, another order, look or name: a stack of values takes the place of another.

    Layers share their images with those that they stand for, so that only what is in neither the document nor another
    step takes memory of its own.
    """

    def __init__(self, document: Document, layers: Stack, active: int | None, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._before: tuple[Stack, int | None] = document.layers, document.active.id if document.active else None
        self._after: tuple[Stack, int | None] = layers, active

    @property
    def stored_bytes(self) -> int:
        here = {id(layer.image) for layer in self._document.layers}
        away = {id(layer.image): layer.image for stack, _ in (self._before, self._after) for layer in stack}
        return bytes_of(image for key, image in away.items() if key not in here)

    def forget(self) -> None:
        self._before = self._after = ((), None)

    def redo(self) -> None:
        self._document.set_layers(*self._after)

    def undo(self) -> None:
        self._document.set_layers(*self._before)


class PaintLayer(Step):
    """The tiles of a layer (in its own pixels, H x W x 4) change as ``edits`` say. One stroke is one of these."""

    def __init__(self, document: Document, layer: Layer, edits: Iterable[TileEdit], text: str = "Paint") -> None:
        super().__init__(text)
        self._document = document
        self._id = layer.id
        self._steps = [(Patch(edit.box, edit.before), Patch(edit.box, edit.after)) for edit in edits]
        document.packer.add(patch for step in self._steps for patch in step)

    @property
    def stored_bytes(self) -> int:
        return sum(patch.stored_bytes for step in self._steps for patch in step)

    def forget(self) -> None:
        self._steps = []

    def redo(self) -> None:
        self._document.write_layer(self._id, ((new.box, new.pixels()) for _, new in self._steps))

    def undo(self) -> None:
        self._document.write_layer(self._id, ((old.box, old.pixels()) for old, _ in self._steps))


# What the edits of the stack are made of


def picture_layer(picture: QImage) -> Layer:
    """The layer of a picture (RGB32) that was opened or generated."""
    return Layer(name="Picture", kind=LayerKind.PICTURE, image=Raster.of(picture))


def paint_layer(document: Document) -> Layer:
    """An empty layer of the picture's size to paint on."""
    size = document.size
    number = 1 + sum(layer.kind is LayerKind.PAINT for layer in document.layers)
    image = Raster.blank(size.width, size.height)
    return Layer(name=f"Paint {number}", kind=LayerKind.PAINT, image=image)


def result_layer(document: Document, result: Result) -> Layer:
    """What was painted, with the mask that mixed it as its alpha; laid over the document, it looks as it was shown."""
    box = result.box.clamped(document.size)
    place = QRect(box.x, box.y, box.width, box.height)
    pixels = result.image[within(place, document.box)]
    image = images.to_qimage(pixels)
    if result.blend is not None:
        alpha = result.blend[box.y - result.box.y :, box.x - result.box.x :][: box.height, : box.width]
        alpha = _whole_where_bare(document, result, place, alpha)
        source = images.picture_part(document.picture, place)
        layered = np.empty((*alpha.shape, 4), np.uint8)
        layered[..., :3], layered[..., 3] = seen_through(pixels, source, alpha), alpha
        image = images.to_qimage(layered)
    return Layer(name=_named(result), kind=LayerKind.RESULT, image=Raster.of(image), x=box.x, y=box.y)


def _whole_where_bare(document: Document, result: Result, place: QRect, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``alpha`` with nothing shining through where one sees through all layers under what was repainted: the result
    was not mixed into white there, but into colours drawn on from around."""
    task = result.request.task
    alpha = alpha.copy()
    if isinstance(task, Inpaint):
        for box, bare in bare_parts(document.layers, place):
            repainted = task.mask[within(box, document.box)] > 0
            alpha[within(box, place)][(bare > 0) & repainted] = 255
    return alpha


def added(document: Document, layer: Layer) -> Stack:
    """The stack with a layer above the active one."""
    return _inserted(document.layers, layer, _place(document) + 1)


def without(document: Document, id: int) -> tuple[Stack, int | None]:
    """The stack without a layer, and which is active then: the one that takes its place."""
    place = next(n for n, layer in enumerate(document.layers) if layer.id == id)
    stack = tuple(layer for layer in document.layers if layer.id != id)
    return stack, stack[max(0, place - 1)].id if stack else None


def moved(stack: Stack, id: int, place: int) -> Stack:
    """The stack with a layer at another place, counted from the lowest."""
    layer = next(layer for layer in stack if layer.id == id)
    return _inserted(tuple(other for other in stack if other.id != id), layer, place)


def changed(stack: Stack, id: int, **values: object) -> Stack:
    """The stack with other values in one layer."""
    return tuple(replace(layer, **values) if layer.id == id else layer for layer in stack)  # type: ignore[arg-type]


def renamed(stack: Stack, id: int, name: str) -> Stack:
    return changed(stack, id, name=" ".join(name.split())[:MOST_NAME] or "Layer")


def duplicated(document: Document, layer: Layer) -> Layer:
    """The same again, with pixels of its own."""
    return replace(layer, id=new_id(), name=f"{layer.name} copy"[:MOST_NAME], image=layer.image.share())


def merged_down(document: Document, id: int) -> tuple[Stack, int]:
    """The stack with a layer laid into the one below it; the document looks the same. Raises ValueError for the lowest.

    What is not seen of the two is gone: a hidden one, or what lies beyond the edge of both.
    """
    stack = document.layers
    place = next(n for n, layer in enumerate(stack) if layer.id == id)
    if place == 0:
        raise ValueError("there is nothing below the lowest layer")
    lower, upper = stack[place - 1], stack[place]
    box = lower.box if lower.opaque and lower.visible else lower.box.united(upper.box)
    format = Format.Format_RGB32 if lower.opaque and lower.visible else Format.Format_ARGB32
    image = Raster.blank(box.width(), box.height(), format)
    for tile in cut(box):
        images.write_layer(image, tile.translated(-box.x(), -box.y()), composed((lower, upper), tile))
    one = replace(lower, id=new_id(), image=image, x=box.x(), y=box.y(), opacity=1.0, visible=True)
    return (*stack[: place - 1], one, *stack[place + 1 :]), one.id


def _inserted(stack: Stack, layer: Layer, place: int) -> Stack:
    place = min(max(0, place), len(stack))
    return (*stack[:place], layer, *stack[place:])


def _place(document: Document) -> int:
    active = document.active
    return document.layers.index(active) if active is not None else len(document.layers) - 1


def _named(result: Result) -> str:
    prompt = " ".join(result.request.prompt.split())
    if not prompt:
        return "Result"
    return prompt if len(prompt) <= _SHORT else f"{prompt[:_SHORT].rstrip()}…"


def image_bytes(stack: Stack, picture: Raster | None) -> int:
    """What the images of a stack and of its look take; shared ones once."""
    return bytes_of([*(layer.image for layer in stack), *(() if picture is None else (picture,))])

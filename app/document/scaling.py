"""The whole picture made larger or smaller: all layers, the mask and the frame with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtGui import QImage

from app.core.geometry import Rect, Size
from app.core.request import Mask
from app.document import images
from app.document.document import Document, State
from app.document.layer_commands import image_bytes
from app.document.layers import Layer, Stack
from app.document.masks import Content, Masks, content_of, image_of, remade
from app.document.raster import Raster
from app.document.undo import Step


@dataclass(frozen=True, eq=False, kw_only=True)
class Original:
    """What is scaled. Images share their pixels with the document's: who writes them gets a copy of their own, so that
    this can be read on any thread."""

    layers: Stack
    mask: QImage
    masks: Masks
    keys: tuple[object, ...]

    @classmethod
    def of(cls, document: Document) -> Original:
        layers = tuple(replace(layer, image=layer.image.share()) for layer in document.layers)
        return cls(layers=layers, mask=QImage(document.mask), masks=document.masks, keys=_keys(document))

    def still(self, document: Document) -> bool:
        """The document is as it was."""
        return _keys(document) == self.keys


@dataclass(frozen=True, eq=False, kw_only=True)
class Scaled:
    """What came of it."""

    layers: Stack
    mask: QImage
    masks: Masks
    painted: int


def scaled(original: Original, size: Size) -> Scaled:
    """Everything brought from its size to ``size``, layers by Lanczos, the mask area-true. Takes a while."""
    x, y = size.width / original.mask.width(), size.height / original.mask.height()
    before = Size(original.mask.width(), original.mask.height())
    mask = _resized_mask(images.to_mask(original.mask), size)
    return Scaled(
        layers=tuple(_scaled_layer(layer, x, y) for layer in original.layers),
        mask=images.to_qimage(mask),
        masks=remade(original.masks, lambda content: _resized_content(content, before, size)),
        painted=images.not_zero(mask),
    )


class ScalePicture(Step):
    """The document is as large as ``result`` is. Holds whichever of the two states the document does not."""

    def __init__(self, document: Document, result: Scaled) -> None:
        super().__init__("Scale picture")
        self._document = document
        size = Size(result.mask.width(), result.mask.height())
        self._other: State | None = State(
            layers=result.layers,
            active=document.active.id if document.active else None,
            mask=result.mask,
            masks=result.masks,
            painted=result.painted,
            origin=document.origin.remade(),
            frame=_scaled_frame(document.frame, document.size, size),
        )

    @property
    def stored_bytes(self) -> int:
        if self._other is None:
            return 0
        return image_bytes(self._other.layers, self._other.picture) + self._other.mask.sizeInBytes()

    def forget(self) -> None:
        self._other = None

    def redo(self) -> None:
        if self._other is not None:
            self._other = self._document.exchange(self._other)

    undo = redo


def _keys(document: Document) -> tuple[object, ...]:
    looks = [(layer.id, layer.x, layer.y, layer.image.cacheKey()) for layer in document.layers]
    return document.mask.cacheKey(), document.masks, document.size, *looks


def _scaled_layer(layer: Layer, x: float, y: float) -> Layer:
    from PIL import Image  # not needed until somebody scales, and the window must open fast

    box = layer.box
    left, top = round(box.x() * x), round(box.y() * y)
    width = max(1, round((box.x() + box.width()) * x) - left)
    height = max(1, round((box.y() + box.height()) * y) - top)
    whole = layer.image.rect()
    pixels = images.picture_part(layer.image, whole) if layer.image.opaque else images.layer_part(layer.image, whole)
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)  # by premultiplied alpha
    return replace(layer, image=Raster.of(images.to_qimage(np.asarray(resized))), x=left, y=top)


def _resized_mask(mask: Mask, size: Size) -> Mask:
    from PIL import Image

    return np.asarray(Image.fromarray(mask).resize((size.width, size.height), Image.Resampling.BILINEAR))


def _resized_content(content: Content, before: Size, after: Size) -> Content:
    return content_of(images.to_qimage(_resized_mask(images.to_mask(image_of(content, before)), after)))


def _scaled_frame(frame: Rect | None, before: Size, after: Size) -> Rect | None:
    if frame is None:
        return None
    x, y = after.width / before.width, after.height / before.height
    left, top, right, bottom = round(frame.x * x), round(frame.y * y), round(frame.right * x), round(frame.bottom * y)
    return Rect(left, top, max(1, right - left), max(1, bottom - top)).clamped(after)

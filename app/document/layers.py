"""Layers: what a picture is stacked of, and how the stack looks from above."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QRegion

from app.core.geometry import Size
from app.document import images
from app.document.raster import Format, Raster
from app.document.tiles import tiles, within

MOST_NAME = 80
_ids = itertools.count(1)


class LayerKind(Enum):
    """Where a layer comes from; the value is what it is called."""

    PICTURE = "picture"
    PAINT = "paint"
    RESULT = "result"


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """One layer. Everything but its pixels is a value: a change of it is another Layer with the same ``id``.

    ``image``: RGB32 where the layer is opaque, else ARGB32 (straight alpha), of the layer's own size; written in place
    by Document.write_layer alone. ``x``, ``y``: its upper left corner in the picture, which it may leave on any side.
    ``opacity``: 0..1.
    """

    name: str
    kind: LayerKind
    image: Raster
    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True
    id: int = field(default_factory=lambda: next(_ids))

    @property
    def box(self) -> QRect:
        """Its place, in picture pixels."""
        return QRect(self.x, self.y, self.image.width(), self.image.height())

    @property
    def filled(self) -> QRect:
        """The part of its box outside of which there is nothing of it, in picture pixels."""
        return self.image.filled.translated(self.x, self.y)

    @property
    def opaque(self) -> bool:
        """It hides what is under it, all over its box."""
        return self.image.opaque and self.opacity == 1.0

    def looks_like(self, other: Layer) -> bool:
        """The picture is the same with either of them (a name is not seen)."""
        mine, its = ((it.id, it.x, it.y, it.opacity, it.visible) for it in (self, other))
        return mine == its and self.image is other.image


Stack = tuple[Layer, ...]
"""The lowest comes first."""


def new_id() -> int:
    """Of a layer that nobody has seen yet."""
    return next(_ids)


def reserve_ids(used: int) -> None:
    """New layers get ids over this one: layers of an earlier session come back with their own."""
    global _ids
    _ids = itertools.count(max(used + 1, next(_ids)))


def is_flat(stack: Stack, size: Size) -> bool:
    """The stack looks like its only layer, which is the picture then."""
    if len(stack) != 1:
        return False
    layer = stack[0]
    return layer.visible and layer.opaque and layer.box == QRect(0, 0, size.width, size.height)


def changed_box(before: Stack, after: Stack) -> QRect:
    """Where the picture may look different now."""
    first = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if not a.looks_like(b)), None)
    if first is None:
        first = min(len(before), len(after))
    if [layer.id for layer in before] == [layer.id for layer in after]:
        pairs = zip(before, after, strict=True)
        changed = [layer for old, new in pairs if not old.looks_like(new) for layer in (old, new)]
    else:
        changed = [*before[first:], *after[first:]]
    box = QRect()
    for layer in changed:
        box = box.united(layer.filled)
    return box


def uncovered(stack: Stack, box: QRect) -> QRegion:
    """The part of ``box`` that no layer hides all over."""
    region = QRegion(box)
    for layer in stack:
        if layer.visible and layer.opaque:
            region -= QRegion(layer.box)
    return region


def look_format(stack: Stack, size: Size) -> QImage.Format:
    """That of the stack's look: premultiplied where it can be seen through somewhere."""
    whole = QRect(0, 0, size.width, size.height)
    return Format.Format_RGB32 if uncovered(stack, whole).isEmpty() else Format.Format_ARGB32_Premultiplied


def looked(stack: Stack, size: Size) -> Raster:
    """How the stack looks; pixels of a layer that is all that is seen there are shared with it."""
    if is_flat(stack, size):
        return stack[0].image
    whole = QRect(0, 0, size.width, size.height)
    floor = next((layer for layer in reversed(stack) if layer.visible and layer.opaque and layer.box == whole), None)
    picture = Raster.blank(size.width, size.height, look_format(stack, size)) if floor is None else floor.image.share()
    compose(stack, picture, whole)
    return picture


def compose(stack: Stack, target: Raster, box: QRect) -> None:
    """Draw the stack into ``box`` of ``target`` (see ``look_format``), in place."""
    for tile in tiles(box, target.rect()):
        _compose_tile(stack, target, tile)


def composed(stack: Sequence[Layer], box: QRect) -> NDArray[np.uint8]:
    """What the stack looks like in ``box``, H x W x 4 with straight alpha: transparent where there is nothing."""
    colours = np.zeros((box.height(), box.width(), 3), np.float32)
    alphas = np.zeros((box.height(), box.width(), 1), np.float32)
    for layer in stack:
        place = layer.box.intersected(box)
        if not layer.visible or place.isEmpty():
            continue
        where = within(place, box)
        part = images.layer_part(layer.image, place.translated(-layer.x, -layer.y))
        over = _alpha(part, layer).astype(np.float32)[..., None] / 255
        under = alphas[where]
        both = over + under * (1 - over)
        mixed = part[..., :3] * over + colours[where] * under * (1 - over)
        colours[where] = np.divide(mixed, both, out=np.zeros_like(mixed), where=both > 0)
        alphas[where] = both
    return np.dstack([np.rint(colours), np.rint(alphas * 255)]).astype(np.uint8)


def _compose_tile(stack: Stack, target: Raster, tile: QRect) -> None:
    seen = [layer for layer in stack if layer.visible and layer.opacity > 0 and _shows(layer, tile)]
    floor = next((n for n in reversed(range(len(seen))) if seen[n].opaque and seen[n].box.contains(tile)), None)
    if floor is not None and floor == len(seen) - 1:
        layer = seen[floor]
        if layer.box == target.rect() and target.opaque:
            target.take(tile, layer.image)
        else:
            shown = layer.image.copy(tile.translated(-layer.x, -layer.y))
            target.write(tile, shown.convertToFormat(target.format()))
        return
    if floor is not None:
        pixels = images.native_part(seen[floor].image, tile.translated(-seen[floor].x, -seen[floor].y))
    else:
        pixels = np.zeros((tile.height(), tile.width(), 4), np.uint8)  # premultiplied
    for layer in seen if floor is None else seen[floor + 1 :]:
        place = layer.box.intersected(tile)
        where = within(place, tile)
        part = images.native_part(layer.image, place.translated(-layer.x, -layer.y))
        pixels[where] = laid_over(pixels[where], *_taken_apart(part, layer))
    images.write_native(target, tile, pixels)


def _taken_apart(part: NDArray[np.uint8], layer: Layer) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours and alpha of native pixels of a layer. The colours have a full alpha of their own: laid over by the
    other one, it becomes the alpha of both."""
    alpha = part[..., images.ALPHA].copy()
    part[..., images.ALPHA] = 255
    if layer.opacity < 1.0:
        alpha = np.rint(alpha * np.float32(layer.opacity)).astype(np.uint8)
    return part, alpha


def _shows(layer: Layer, tile: QRect) -> bool:
    """There is something of the layer in the tile. A look at the alpha alone is far cheaper than laying it over."""
    place = layer.box.intersected(tile)
    if place.isEmpty() or layer.image.opaque:
        return not place.isEmpty()
    return not layer.image.blank_in(place.translated(-layer.x, -layer.y))


def laid_over(under: NDArray[np.uint8], colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``colours`` (H x W x C) over ``under`` by ``alpha`` (H x W): rounded, and exact at 0 and 255."""
    rows = np.flatnonzero(alpha.any(axis=1))
    if not len(rows):
        return under
    if int(alpha.min()) == 255:
        return colours
    laid = under.copy()
    some = slice(int(rows[0]), int(rows[-1]) + 1)
    channels = under.shape[2]
    weight = np.repeat(alpha[some], channels, axis=1).astype(np.uint16)  # flat rows are quicker than a third axis
    mixed = colours[some].reshape(weight.shape) * weight
    np.subtract(255, weight, out=weight)
    mixed += under[some].reshape(weight.shape) * weight
    mixed += 128  # from here on: divided by 255 and rounded, exact for all that 16 bits hold here
    mixed += mixed >> 8
    mixed >>= 8
    laid[some] = mixed.astype(np.uint8).reshape(laid[some].shape)
    return laid


def seen_through(result: NDArray[np.uint8], under: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours that, laid over ``under`` by ``alpha``, look like ``result`` (H x W x 3 each); the inverse of
    ``laid_over``, exact wherever there are such colours."""
    colours = np.ascontiguousarray(result).reshape(-1, 3).copy()
    mixed = np.flatnonzero((alpha > 0) & (alpha < 255))  # a ring, mostly
    weight = alpha.reshape(-1)[mixed].astype(np.float32)[:, None]
    below = under.reshape(-1, 3)[mixed].astype(np.float32)
    colours[mixed] = np.rint(below + (colours[mixed] - below) * (255 / weight)).clip(0, 255).astype(np.uint8)
    return colours.reshape(result.shape)


def _alpha(part: NDArray[np.uint8], layer: Layer) -> NDArray[np.uint8]:
    alpha: NDArray[np.uint8] = part[..., 3].copy()
    if layer.opacity == 1.0:
        return alpha
    faded: NDArray[np.uint8] = np.rint(alpha * np.float32(layer.opacity)).astype(np.uint8)
    return faded

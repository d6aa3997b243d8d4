"""Layers: what a picture is stacked of, and how the stack looks from above."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from app.core.geometry import Size
from app.document import images
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
    image: QImage
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
    def opaque(self) -> bool:
        """It hides what is under it, all over its box."""
        return self.image.format() == QImage.Format.Format_RGB32 and self.opacity == 1.0

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
        box = box.united(layer.box)
    return box


def compose(stack: Stack, target: QImage, box: QRect) -> None:
    """Draw the stack on white into ``box`` of ``target`` (RGB32), in place."""
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


def _compose_tile(stack: Stack, target: QImage, tile: QRect) -> None:
    seen = [layer for layer in stack if layer.visible and layer.opacity > 0 and _shows(layer, tile)]
    floor = next((n for n in reversed(range(len(seen))) if seen[n].opaque and seen[n].box.contains(tile)), None)
    if floor is not None and floor == len(seen) - 1:
        layer = seen[floor]
        images.copy_picture(layer.image, tile.translated(-layer.x, -layer.y), target, tile)
        return
    pixels = np.full((tile.height(), tile.width(), 3), 255, np.uint8)
    for layer in seen[floor or 0 :]:
        place = layer.box.intersected(tile)
        where = within(place, tile)
        part = images.layer_part(layer.image, place.translated(-layer.x, -layer.y))
        pixels[where] = laid_over(pixels[where], part[..., :3], _alpha(part, layer))
    images.write_picture(target, tile, pixels)


def _shows(layer: Layer, tile: QRect) -> bool:
    """There is something of the layer in the tile. A look at the alpha alone is far cheaper than laying it over."""
    place = layer.box.intersected(tile)
    if place.isEmpty() or layer.image.format() == QImage.Format.Format_RGB32:
        return not place.isEmpty()
    return not images.blank(layer.image, place.translated(-layer.x, -layer.y))


def laid_over(under: NDArray[np.uint8], colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``colours`` (H x W x 3) over ``under`` by ``alpha`` (H x W): rounded, and exact at 0 and 255."""
    if alpha.all() and int(alpha.min()) == 255:
        return colours
    if not alpha.any():
        return under
    weight = alpha.astype(np.uint16)[..., None]
    mixed = under * (255 - weight) + colours * weight
    laid: NDArray[np.uint8] = ((mixed + 127) // 255).astype(np.uint8)
    return laid


def seen_through(result: NDArray[np.uint8], under: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours that, laid over ``under`` by ``alpha``, look like ``result`` (H x W x 3 each); the inverse of
    ``laid_over``, exact wherever there are such colours."""
    weight = np.maximum(alpha, 1).astype(np.float32)[..., None]
    below = under.astype(np.float32)
    colours: NDArray[np.uint8] = np.rint(below + (result - below) * (255 / weight)).clip(0, 255).astype(np.uint8)
    colours[alpha == 0] = result[alpha == 0]
    return colours


def _alpha(part: NDArray[np.uint8], layer: Layer) -> NDArray[np.uint8]:
    alpha: NDArray[np.uint8] = part[..., 3]
    if layer.opacity == 1.0:
        return alpha
    faded: NDArray[np.uint8] = np.rint(alpha * np.float32(layer.opacity)).astype(np.uint8)
    return faded

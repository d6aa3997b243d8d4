"""What the model is given where the picture has nothing: the colours around, drawn on smoothly."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

from app.core.request import Mask, Pixels
from app.document.document import Document
from app.document.layers import Stack, composed, uncovered
from app.document.tiles import cut, rects, within

_COARSE = 512
"""Pixels a side on which colours are drawn on: far more than their smoothness needs."""
Floats = NDArray[np.float32]


def source_under(document: Document, mask: Mask | None = None) -> Pixels:
    """The picture as the model is given it to repaint what ``mask`` (H x W) marks, or all of it: H x W x 3, read-only.

    Beyond an edge that was pulled out nothing lies under the mask. White there would shine through where a result
    begins to mix in, and would count in what painting starts from.
    """
    pixels = document.pixels()
    parts = []
    for box, bare in bare_parts(document.layers, document.box):
        hidden = bare if mask is None else np.where(mask[within(box, document.box)] > 0, bare, np.uint8(0))
        if hidden.any():
            parts.append((box, hidden))
    if not parts:
        return pixels
    filled = pixels.copy()
    _fill(filled, parts)
    filled.flags.writeable = False
    return filled


def bare_parts(stack: Stack, box: QRect) -> Iterator[tuple[QRect, Mask]]:
    """Where one sees through all layers: the tiles of ``box`` in which that may be, with how much for each pixel (255:
    nothing lies there)."""
    for part in rects(uncovered(stack, box)):
        for tile in cut(part):
            if any(layer.visible and layer.box.intersects(tile) for layer in stack):
                yield tile, 255 - composed(stack, tile)[..., 3]
            else:
                yield tile, np.full((tile.height(), tile.width()), 255, np.uint8)


def _fill(pixels: Pixels, parts: list[tuple[QRect, Mask]]) -> None:
    """Put colours under pixels that lie on white: as much of them as is seen through."""
    from PIL import Image  # not needed until something is painted, and the window must open fast

    height, width = pixels.shape[:2]
    known = np.ones((height, width), np.bool_)
    whole = QRect(0, 0, width, height)
    for box, bare in parts:
        known[within(box, whole)] = bare == 0
    step = max(1, math.ceil(max(width, height) / _COARSE))
    coarse = drawn_on(pixels[::step, ::step].astype(np.float32), known[::step, ::step].astype(np.float32))
    small = Image.fromarray(np.rint(coarse).clip(0, 255).astype(np.uint8))
    for box, bare in parts:
        place = (
            box.x() / step,
            box.y() / step,
            min(small.width, (box.x() + box.width()) / step),
            min(small.height, (box.y() + box.height()) / step),
        )
        part = small.resize((box.width(), box.height()), Image.Resampling.BILINEAR, place)
        seen = np.asarray(part, np.float32) - 255  # in the place of the white
        here = pixels[within(box, whole)]
        here[...] = np.rint(here + seen * (bare[..., None] / np.float32(255))).clip(0, 255)


def drawn_on(colours: Floats, known: Floats) -> Floats:
    """``colours`` (H x W x 3) as far as they are ``known`` (H x W, 0..1), and smoothly on from there: pull-push over a
    pyramid (Gortler and others, The Lumigraph, 1996)."""
    height, width = known.shape
    if bool((known >= 1).all()) or max(height, width) == 1:
        return colours
    weight = _paired(known)
    sums = _paired(colours * known[..., None])
    means = (sums / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    coarse = drawn_on(means, np.minimum(weight, 1).astype(np.float32))
    behind = _doubled(_doubled(coarse, 0), 1)[:height, :width]
    part = known[..., None]
    mixed: Floats = (colours * part + behind * (1 - part)).astype(np.float32)
    return mixed


def _paired(values: Floats) -> Floats:
    """The sums of 2 x 2 neighbours, half as high and wide (rounded up)."""
    odd = [(0, side % 2) for side in values.shape[:2]] + [(0, 0)] * (values.ndim - 2)
    even = np.pad(values, odd)
    rows = even[0::2] + even[1::2]
    return rows[:, 0::2] + rows[:, 1::2]


def _doubled(values: Floats, axis: int) -> Floats:
    """Twice as long along ``axis``, linear between the pixels' middles."""
    values = np.moveaxis(values, axis, 0)
    before, after = np.concatenate([values[:1], values[:-1]]), np.concatenate([values[1:], values[-1:]])
    result = np.empty((2 * len(values), *values.shape[1:]), np.float32)
    result[0::2] = 0.75 * values + 0.25 * before
    result[1::2] = 0.75 * values + 0.25 * after
    return np.moveaxis(result, 0, axis)

"""Masks made from the painted one: widened and faded for the model, and the ring in which result and picture mix."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.core.request import Mask

FULLY_MIXED = 64
"""A mask value that is pasted whole. What is painted fainter joins so late that it changes hardly more than the
autoencoder does by itself, so it is mixed in by its value."""

FINEST = 8
"""Pixels: a wider ring is laid out on a smaller mask and scaled up, so that its cost does not grow with its width."""

Sides = tuple[bool, bool, bool, bool]
"""Top, bottom, left, right."""
Widths = NDArray[np.uint16]
Values = TypeVar("Values", np.uint8, np.uint16, np.float64)


def grown(mask: Mask, radius: int) -> Mask:
    """Each value spread over a disc (an octagon, off by 8 % at most) of ``radius`` pixels."""
    for step in range(radius):
        mask = _spread(mask, step)
    return mask


def faded(mask: Mask, grow: int, feather: int) -> Mask:
    """The mask grown by ``grow`` pixels and from there falling to 0 over ``feather`` more; never under itself."""
    plateau = grown(mask, grow)
    if feather == 0:
        return plateau
    soft = Image.fromarray(grown(plateau, feather // 2))
    for _ in range(2):  # two boxes make a ramp without corners that is as wide as both together
        soft = soft.filter(ImageFilter.BoxBlur(feather / 4))
    wider: Mask = np.maximum(plateau, np.asarray(soft))
    return wider


def mixing(mask: Mask, ring: int, beyond: Sides) -> Mask:
    """How much of the result is taken, 0..255: nothing where the mask is 0, rising inside it over ``ring`` pixels.

    ``beyond``: the sides past which the mask goes on, as it does where the picture ends. Where a part of the mask is
    thinner than two rings its ring is as much narrower, so that a thin stroke is painted too. Values under
    FULLY_MIXED are mixed by their value.
    """
    by_value = np.minimum(mask, FULLY_MIXED).astype(np.float32) * (255 / FULLY_MIXED)
    if ring == 0:
        sharp: Mask = np.rint(by_value).astype(np.uint8)
        return sharp
    coarse = max(1, ring // FINEST)
    height, width = mask.shape
    rows = np.maximum.reduceat(mask, np.arange(0, height, coarse), axis=0)
    inside = np.maximum.reduceat(rows, np.arange(0, width, coarse), axis=1) > 0
    rise = Image.fromarray(_rise(inside, -(-ring // coarse), beyond))
    box = (0.0, 0.0, width / coarse, height / coarse)
    smooth = rise if coarse == 1 else rise.resize((width, height), Image.Resampling.BILINEAR, box)
    mixed: Mask = np.rint(np.minimum(by_value, np.asarray(smooth))).astype(np.uint8)
    return mixed


def _rise(inside: NDArray[np.bool_], ring: int, beyond: Sides) -> Mask:
    """From 0 outside to 255 at ``ring`` pixels inside, without corners."""
    depth = _depth(inside, 2 * ring, beyond)
    thickness = depth
    for step in range(2 * ring):
        thickness = _spread(thickness, step)
    width = np.clip(thickness / 2, 1, ring)
    part = np.clip((depth - 0.5) / width, 0, 1)
    rise: Mask = np.rint(255 * part * part * (3 - 2 * part)).astype(np.uint8)
    return rise


def _depth(inside: NDArray[np.bool_], most: int, beyond: Sides) -> Widths:
    """Pixels to the nearest one outside (1 at the edge), no further than ``most``."""
    top, bottom, left, right = (most if side else 1 for side in beyond)
    outside = np.pad(1 - inside.astype(np.uint8), [(top, bottom), (left, right)], mode="edge")
    edges = (outside[0], outside[-1], outside[:, 0], outside[:, -1])
    for edge, goes_on in zip(edges, beyond, strict=True):
        if not goes_on:
            edge[:] = 1
    depth = np.zeros(outside.shape, np.uint16)
    for step in range(most):
        depth += 1 - outside
        outside = _spread(outside, step)
    return depth[top : top + inside.shape[0], left : left + inside.shape[1]]


def _spread(values: NDArray[Values], step: int) -> NDArray[Values]:
    """The largest of each value and its neighbours: four and eight of them in turns, which makes an octagon."""
    wide = values.copy()
    np.maximum(wide[:, 1:], values[:, :-1], out=wide[:, 1:])
    np.maximum(wide[:, :-1], values[:, 1:], out=wide[:, :-1])
    below = wide if step * 5 % 12 < 5 else values
    out = wide.copy()
    np.maximum(out[1:], below[:-1], out=out[1:])
    np.maximum(out[:-1], below[1:], out=out[:-1])
    return out

"""How much of each pixel a brush covers on its way along a segment: arithmetic on arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF

_STEPS = 1023  # of the falloff: far finer than the 255 that a mask can tell apart
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Knot:
    """A point of the path, in picture pixels, and what the pen makes of the brush there: ``pressure`` 0..1 scales its
    width, ``strength`` 0..1 what it covers."""

    point: QPointF
    pressure: float
    strength: float = 1.0

    def towards(self, other: Knot, part: float) -> Knot:
        """The knot at ``part`` 0..1 of the way to another one."""
        return Knot(
            self.point + (other.point - self.point) * part,
            self.pressure + (other.pressure - self.pressure) * part,
            self.strength + (other.strength - self.strength) * part,
        )


@dataclass(frozen=True)
class Profile:
    """A brush cut through its middle: full coverage up to the radius ``inner``, none from ``outer`` on."""

    inner: float
    outer: float
    table: NDArray[np.uint8]  # from the rim inwards

    @staticmethod
    def of(inner: float, outer: float, opacity: float) -> Profile:
        """The falloff is smoothstep (3u^2 - 2u^3), from 0 to ``opacity`` (0..1)."""
        u = np.arange(_STEPS + 1) / _STEPS
        return Profile(inner, outer, np.rint(u * u * (3.0 - 2.0 * u) * 255.0 * opacity).astype(np.uint8))


def pieces(a: Knot, b: Knot, longest: float) -> Iterator[tuple[Knot, Knot]]:
    """The segment cut so that the boxes of its pieces follow it closely: a long diagonal has a huge box."""
    way = b.point - a.point
    count = max(1, math.ceil(math.hypot(way.x(), way.y()) / longest))
    yield from pairwise([a.towards(b, i / count) for i in range(count + 1)])


def reach(profile: Profile, a: Knot, b: Knot) -> QRect:
    """All pixels that the segment can touch."""
    widest = max(profile.outer * max(a.pressure, b.pressure), 1.0)
    return QRectF(a.point, b.point).normalized().adjusted(-widest, -widest, widest, widest).toAlignedRect()


def coverage(profile: Profile, box: QRect, a: Knot, b: Knot) -> NDArray[np.uint8]:
    """What the segment covers of each pixel of ``box``, H x W; radius and strength go evenly from one end's to the
    other's."""
    along, distance = _to_segment(box, a.point, b.point)
    scale: Any = np.float32(a.pressure)  # one number for a mouse, one for each pixel where the pressure changes
    if a.pressure != b.pressure:
        scale = scale + np.float32(b.pressure - a.pressure) * along
    start = np.float32(profile.inner) * scale
    width = np.maximum(np.float32(profile.outer) * scale - start, np.float32(1.0))
    np.subtract(start + width, distance, out=distance)
    distance *= np.float32(_STEPS) / width
    np.clip(distance, 0.0, _STEPS, out=distance)
    covered = profile.table[distance.astype(np.uint16)]
    if a.strength == b.strength == 1.0:
        return covered
    strength: Any = np.float32(a.strength)
    if a.strength != b.strength:
        strength = strength + np.float32(b.strength - a.strength) * along
    weakened: NDArray[np.uint8] = np.rint(covered * strength).astype(np.uint8)
    return weakened


def _to_segment(box: QRect, a: QPointF, b: QPointF) -> tuple[Floats, Floats]:
    """For each pixel centre of ``box``: where its nearest point lies on the segment (0..1), and how far away."""
    x = np.arange(box.left(), box.right() + 1, dtype=np.float32)[None, :] + np.float32(0.5 - a.x())
    y = np.arange(box.top(), box.bottom() + 1, dtype=np.float32)[:, None] + np.float32(0.5 - a.y())
    length = math.hypot(b.x() - a.x(), b.y() - a.y())
    if length == 0.0:
        return np.zeros((1, 1), np.float32), np.sqrt(x * x + y * y)
    cos, sin = np.float32((b.x() - a.x()) / length), np.float32((b.y() - a.y()) / length)
    along = x * cos + y * sin  # turned so that the segment runs from 0 to length on the first axis
    across = y * cos - x * sin
    nearest = np.clip(along, 0.0, np.float32(length))
    along -= nearest
    along *= along
    across *= across
    across += along
    nearest /= np.float32(length)
    return nearest, np.sqrt(across, out=across)

"""Sizes and boxes, and the frame that is sent to the model: pure arithmetic, no pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, order=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    def scaled(self, factor: float) -> Size:
        """Both sides times ``factor``, rounded, at least 1."""
        return Size(max(1, round(self.width * factor)), max(1, round(self.height * factor)))

    def padded(self, multiple: int) -> Size:
        """The smallest size not under this one whose sides are multiples of ``multiple``."""
        return Size(ceil_to(self.width, multiple), ceil_to(self.height, multiple))

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


@dataclass(frozen=True)
class Rect:
    """A box of pixels: left and top inclusive, right and bottom exclusive."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, size: Size) -> Rect:
        return cls(0, 0, size.width, size.height)

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array of H x W."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def inside(self, size: Size) -> bool:
        return self.x >= 0 and self.y >= 0 and self.right <= size.width and self.bottom <= size.height

    def clamped(self, size: Size) -> Rect:
        """The part of the box that lies on a picture of ``size``."""
        x, y = max(0, self.x), max(0, self.y)
        right, bottom = min(size.width, self.right), min(size.height, self.bottom)
        return Rect(x, y, max(0, right - x), max(0, bottom - y))

    def joined(self, other: Rect) -> Rect:
        """The smallest box that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def overlaps(self, other: Rect) -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def grown(self, by: int) -> Rect:
        """``by`` pixels wider on each side."""
        return Rect(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def __str__(self) -> str:
        return f"{self.width} x {self.height} at {self.x}, {self.y}"


def ceil_to(value: int, multiple: int) -> int:
    """The smallest multiple of ``multiple`` that is not under ``value``."""
    return -(-value // multiple) * multiple


@dataclass(frozen=True)
class FramePlan:
    """Which part of a picture the model is given, and how many pixels it works on.

    ``box`` lies inside the picture; ``working`` has the same aspect up to rounding and is what the model computes
    (before padding to multiples of 8).
    """

    box: Rect
    working: Size

    @property
    def scale(self) -> float:
        """Picture pixels per working pixel."""
        return math.sqrt(self.box.size.area / self.working.area)


def plan_whole(picture: Size) -> FramePlan:
    """The whole picture at its own size."""
    return FramePlan(Rect.whole(picture), picture)


def plan_reduced(picture: Size, native: int, most: float = 4.0) -> FramePlan:
    """The whole picture, made smaller when its area is over ``most`` times the model's native area."""
    limit = native * native * most
    factor = min(1.0, math.sqrt(limit / picture.area))
    return FramePlan(Rect.whole(picture), picture if factor == 1.0 else picture.scaled(factor))


def plan_around(picture: Size, mask: Rect, native: int, *, context: float = 0.5, least: int = 32) -> FramePlan:
    """A box around the mask with enough of its surroundings for the model to see, near the native area.

    ``mask``: bounds of what is painted. ``context``: padding on each side as a part of the mask's longer side, at
    least ``least`` pixels. The box grows to ``native`` a side where the picture allows, and stays inside it. A box
    larger than the native area is worked on smaller; one far under it (only in small pictures) is worked on larger,
    because a model draws badly on canvases much smaller than it was trained on.
    """
    pad = max(least, round(max(mask.width, mask.height) * context))
    width = min(picture.width, max(mask.width + 2 * pad, native))
    height = min(picture.height, max(mask.height + 2 * pad, native))
    width, height = _soften_aspect(width, height, picture)
    # whole latents of the models, so that their canvas needs no padding, where the picture has room for them
    width, height = min(picture.width, ceil_to(width, 8)), min(picture.height, ceil_to(height, 8))
    box = Rect(
        _slide(mask.x + mask.width / 2, width, picture.width),
        _slide(mask.y + mask.height / 2, height, picture.height),
        width,
        height,
    )
    return plan_box(box, native)


def plan_box(box: Rect, native: int) -> FramePlan:
    """That box, worked on smaller where it is larger than the native area, and larger where it is far under it."""
    factor = native / math.sqrt(box.size.area)
    near = 1.0 <= factor <= math.sqrt(2.0)
    return FramePlan(box, box.size if near else box.size.scaled(factor))


def group_parts(parts: Sequence[Rect], picture: Size, native: int) -> tuple[Rect, ...]:
    """Boxes of a mask's parts, joined where one frame around several is no larger than a frame around each.

    No two of the boxes overlap, and they hold all that the parts did.
    """
    groups = list(parts)
    pair = _pair_to_join(groups, picture, native)
    while pair is not None:
        first, second = pair
        groups = [box for box in groups if box not in pair] + [first.joined(second)]
        pair = _pair_to_join(groups, picture, native)
    return tuple(sorted(groups, key=lambda box: (box.y, box.x)))


def _pair_to_join(groups: Sequence[Rect], picture: Size, native: int) -> tuple[Rect, Rect] | None:
    def area(box: Rect) -> int:
        return plan_around(picture, box, native).box.size.area

    for first, second in combinations(groups, 2):
        if first.overlaps(second) or area(first.joined(second)) <= area(first) + area(second):
            return first, second
    return None


def _soften_aspect(width: int, height: int, picture: Size, most: float = 2.0) -> tuple[int, int]:
    """Models draw long thin pictures badly: the shorter side grows to half the longer one where there is room."""
    width = min(picture.width, max(width, math.ceil(height / most)))
    height = min(picture.height, max(height, math.ceil(width / most)))
    return width, height


def _slide(centre: float, length: int, limit: int) -> int:
    """Where a span of ``length`` starts so that it is centred on ``centre`` and lies within 0..limit."""
    return max(0, min(round(centre - length / 2), limit - length))

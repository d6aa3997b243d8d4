"""The picture's extent: growing, cropping and resizing its canvas, as arithmetic on boxes."""

from __future__ import annotations

from app.core.errors import RequestError
from app.core.geometry import Rect, Size
from app.core.request import MOST_SIDE

MOST_AREA = 120_000_000
"""Pixels: what a picture that is opened may have."""
Anchor = tuple[float, float]
"""Which point of the picture stays in its place, as parts of its width and height: 0, 0 is the upper left corner."""


def check_extent(area: Rect, picture: Size) -> None:
    """``area``: what the canvas is to hold, in the picture's pixels. Raises RequestError when it cannot."""
    if area.width < 1 or area.height < 1 or area.clamped(picture).size.area == 0:
        raise RequestError("Nothing of the picture would be left.", "Choose an area that holds a part of the picture.")
    if max(area.width, area.height) > MOST_SIDE:
        raise RequestError(f"The picture would be {area.size}.", f"A side may have {MOST_SIDE} pixels at most.")
    if area.size.area > MOST_AREA:
        raise RequestError(
            f"The picture would be {area.size}.", f"It may have {MOST_AREA // 1_000_000} million pixels at most."
        )


def possible(area: Rect, picture: Size) -> bool:
    """Whether ``check_extent`` lets it pass."""
    try:
        check_extent(area, picture)
    except RequestError:
        return False
    return True


def anchored(picture: Size, size: Size, anchor: Anchor) -> Rect:
    """The area of that size in which the picture's point ``anchor`` keeps its place."""
    x = round((picture.width - size.width) * anchor[0])
    y = round((picture.height - size.height) * anchor[1])
    return Rect(x, y, size.width, size.height)


def carried(box: Rect, area: Rect) -> Rect:
    """The box, given in the picture's pixels, in those of a canvas that holds ``area``."""
    return Rect(box.x - area.x, box.y - area.y, box.width, box.height)


def around(inner: Rect, outer: Rect) -> tuple[Rect, ...]:
    """What of ``outer`` lies beside ``inner``, a part of it: up to four boxes that do not overlap."""
    boxes = (
        Rect(outer.x, outer.y, outer.width, inner.y - outer.y),
        Rect(outer.x, inner.bottom, outer.width, outer.bottom - inner.bottom),
        Rect(outer.x, inner.y, inner.x - outer.x, inner.height),
        Rect(inner.right, inner.y, outer.right - inner.right, inner.height),
    )
    return tuple(box for box in boxes if box.size.area)


def overlap(box: Rect, other: Rect) -> Rect:
    """What both hold; of no area where they do not meet."""
    x, y = max(box.x, other.x), max(box.y, other.y)
    right, bottom = min(box.right, other.right), min(box.bottom, other.bottom)
    return Rect(x, y, max(0, right - x), max(0, bottom - y))

"""Crop and extend: the picture's edge pulled in or out by hand, or a box drawn that is all that stays."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF

from app.core.extent import possible
from app.core.geometry import Rect, Size
from app.core.request import MOST_SIDE
from app.document.extent import ChangeExtent
from app.ui.canvas.drag import Canvas, Drag, Order, Pointer
from app.ui.canvas.frame import GRAIN, drawn, grip_at, moved, resized

_LEAST = 8  # pixels a side that an edge leaves of the picture
_STILL = 6.0  # view pixels: two presses so near to each other are a double click


def crop(canvas: Canvas, press: Pointer) -> Drag:
    """On a handle of the picture's edge it grows or is trimmed as soon as it is let go; elsewhere a box is drawn, which
    waits: Enter, or a double click in it, crops to it."""
    if not canvas.document.has_picture:
        yield
        return
    whole = Rect.whole(canvas.document.size)
    grip = grip_at(canvas, whole, press)
    if grip is not None and grip != (0, 0):
        yield from _pull(canvas, press, whole, grip)
    else:
        yield from _draw(canvas, press)


def pulled(whole: Rect, grip: tuple[int, int], way: QPointF) -> Rect:
    """The picture's box with the sides that ``grip`` names moved. Sides that move make its measures whole grains."""
    left, right = _side(whole.x, whole.right, grip[0], way.x())
    top, bottom = _side(whole.y, whole.bottom, grip[1], way.y())
    return Rect(left, top, right - left, bottom - top)


def _side(low: int, high: int, side: int, way: float) -> tuple[int, int]:
    length = max(_LEAST, min(MOST_SIDE, math.floor((high - low + way * side) / GRAIN + 0.5) * GRAIN))
    if abs(way) < GRAIN / 2:
        length = high - low
    if side < 0:
        return high - length, high
    return (low, low + length) if side > 0 else (low, high)


def _pull(canvas: Canvas, press: Pointer, whole: Rect, grip: tuple[int, int]) -> Drag:
    area = whole
    try:
        while isinstance(pointer := (yield), Pointer):
            asked = pulled(whole, grip, pointer.picture - press.picture)
            area = asked if possible(asked, whole.size) else area
            canvas.show_extent(area)
    finally:
        canvas.show_extent(None)
    if area != whole:
        larger = area.joined(whole) == area
        canvas.push(ChangeExtent(canvas.document, area, "Extend picture" if larger else "Crop picture"))


def _draw(canvas: Canvas, press: Pointer) -> Drag:
    picture = canvas.document.size
    box, before = Rect(0, 0, 0, 0), Rect(0, 0, 0, 0)
    grip: tuple[int, int] | None = None
    start: Pointer | None = press
    try:
        while True:
            match (yield):
                case Pointer(pressed=True) as pointer:
                    if start is None and _inside(box, pointer) and _apart(pointer, press) <= _STILL:
                        break
                    start, press, before, grip = pointer, pointer, box, grip_at(canvas, box, pointer)
                case Pointer() as pointer if start is not None and _apart(pointer, start) > 0:
                    box = _changed(before, grip, start, pointer, picture)
                    canvas.show_extent(box)
                case None:
                    start = None
                    if not box.width:  # a click
                        return
                case Order.FINISH:
                    break
                case Order.BACK:
                    return
    finally:
        canvas.show_extent(None)
    if box != Rect.whole(picture):
        canvas.push(ChangeExtent(canvas.document, box, "Crop picture"))


def _changed(box: Rect, grip: tuple[int, int] | None, start: Pointer, pointer: Pointer, picture: Size) -> Rect:
    way = pointer.picture - start.picture
    if grip is None:
        return drawn(start.picture, pointer.picture, picture)
    return moved(box, way, picture) if grip == (0, 0) else resized(box, grip, way, picture)


def _inside(box: Rect, pointer: Pointer) -> bool:
    return box.x <= pointer.picture.x() < box.right and box.y <= pointer.picture.y() < box.bottom


def _apart(pointer: Pointer, other: Pointer) -> float:
    way = pointer.view - other.view
    return math.hypot(way.x(), way.y())

"""The frame: which part of the picture the model is given, drawn, moved and resized by hand."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF

from app.core.extent import carried, possible
from app.core.geometry import Rect, Size
from app.document.commands import SetFrame
from app.document.extent import ChangeExtent
from app.ui.canvas.drag import Canvas, Drag, Pointer
from app.ui.canvas.xray import HANDLE, handle_points

GRAIN = 8  # picture pixels that sides snap to: one latent
LEAST = 64  # a side: models draw nothing on less
ROOM = 2048  # picture pixels that the frame may leave it by, on each side
_NEAR = 2 * HANDLE  # view pixels around a handle that still grip it


def frame(canvas: Canvas, press: Pointer) -> Drag:
    """On a handle it is resized, inside it moves, outside a new one is drawn; all on a grain of 8 pixels. With Ctrl it
    goes beyond the picture's edge, and the picture grows to hold it."""
    picture, before = canvas.document.size, canvas.frame_box
    grip = grip_at(canvas, before, press) if before is not None else None
    box = before
    try:
        while isinstance(pointer := (yield), Pointer):
            room = ROOM if pointer.other else 0
            shift = QPointF(room, room)
            around = Size(picture.width + 2 * room, picture.height + 2 * room)
            start, end, way = press.picture + shift, pointer.picture + shift, pointer.picture - press.picture
            if before is None or grip is None:
                asked = drawn(start, end, around)
            elif grip == (0, 0):
                asked = moved(shifted(before, room), way, around)
            else:
                asked = resized(shifted(before, room), grip, way, around)
            asked = shifted(asked, -room)
            if possible(asked.joined(Rect.whole(picture)), picture):
                box = asked
            canvas.show_frame(box)
    finally:
        canvas.show_frame(None)
    if box is not None and box != before:
        set_frame(canvas, box)


def set_frame(canvas: Canvas, box: Rect) -> None:
    """As one step; a picture that cannot hold it grows."""
    document = canvas.document
    if box.inside(document.size):
        canvas.push(SetFrame(document, box))
        return
    area = box.joined(Rect.whole(document.size))
    canvas.push(ChangeExtent(document, area, "Extend picture", frame=carried(box, area)))


def shifted(box: Rect, by: int) -> Rect:
    """The box so much further right and down."""
    return Rect(box.x + by, box.y + by, box.width, box.height)


def drawn(start: QPointF, end: QPointF, picture: Size) -> Rect:
    """From corner to corner, at least the least side, within the picture."""
    left, right = _span(min(start.x(), end.x()), max(start.x(), end.x()), picture.width)
    top, bottom = _span(min(start.y(), end.y()), max(start.y(), end.y()), picture.height)
    return Rect(left, top, right - left, bottom - top)


def moved(box: Rect, way: QPointF, picture: Size) -> Rect:
    """As large as it is, within the picture."""
    x = min(picture.width - box.width, max(0, _snapped(box.x + way.x())))
    y = min(picture.height - box.height, max(0, _snapped(box.y + way.y())))
    return Rect(x, y, box.width, box.height)


def resized(box: Rect, grip: tuple[int, int], way: QPointF, picture: Size) -> Rect:
    """With the sides that ``grip`` names moved (see ``handle_points``) and the others where they are."""
    left, right = _pulled(box.x, box.right, grip[0], way.x(), picture.width)
    top, bottom = _pulled(box.y, box.bottom, grip[1], way.y(), picture.height)
    return Rect(left, top, right - left, bottom - top)


def grip_at(canvas: Canvas, box: Rect, press: Pointer) -> tuple[int, int] | None:
    """The handle under the pointer, (0, 0) for the inside, None for the outside."""
    for sides, point in handle_points(box).items():
        away = canvas.to_view(point) - press.view
        if max(abs(away.x()), abs(away.y())) <= _NEAR:
            return sides
    inside = box.x <= press.picture.x() < box.right and box.y <= press.picture.y() < box.bottom
    return (0, 0) if inside else None


def _pulled(low: int, high: int, side: int, way: float, limit: int) -> tuple[int, int]:
    least = min(LEAST, high - low)  # one that is smaller already stays at least what it is
    if side < 0:
        low = min(high - least, max(0, _snapped(low + way)))
    if side > 0:
        high = max(low + least, min(limit, _snapped(high + way)))
    return low, high


def _span(low: float, high: float, limit: int) -> tuple[int, int]:
    start, end = max(0, _snapped(low)), min(limit, _snapped(high))
    least = min(LEAST, limit)
    if end - start < least:
        start = max(0, min(start, limit - least))
        end = start + least
    return start, end


def _snapped(value: float) -> int:
    return math.floor(value / GRAIN + 0.5) * GRAIN

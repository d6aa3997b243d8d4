"""The frame by keys alone: arrows move it, with Shift they resize it, Enter sets it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from app.core.extent import possible
from app.core.geometry import Rect, Size
from app.ui.canvas.drag import Canvas, Drag, Nudge, Order
from app.ui.canvas.frame import GRAIN, LEAST, ROOM, drawn, moved, resized, set_frame, shifted

_HOW = "Arrows move the frame, Shift+arrows resize it, Ctrl goes past the edge. Enter sets it, Esc drops it."

_DROPPED = "The frame is as it was."


def keyed_frame(canvas: Canvas) -> Drag:
    """It begins as it is shown, or in the middle of what is seen where none is. Each step is told in words as well."""
    if not canvas.document.has_picture:
        canvas.say("There is no picture to set a frame on yet: open or generate one first.")
        return
    before = canvas.frame_box
    box = _in_the_middle(canvas) if before is None else before
    canvas.say(_HOW)
    try:
        while True:
            canvas.show_frame(box)
            match (yield):
                case Nudge() as nudge:
                    box = nudged(box, nudge, canvas.document.size)
                    canvas.say(told(box))
                case Order.FINISH:
                    break
                case Order.BACK:
                    canvas.say(_DROPPED)
                    return
    except GeneratorExit:
        canvas.say(_DROPPED)
        raise
    finally:
        canvas.show_frame(None)
    if box != canvas.document.frame:
        set_frame(canvas, box)
        canvas.say(f"The frame is set: {told(box)}.")


def nudged(box: Rect, nudge: Nudge, picture: Size) -> Rect:
    """The frame moved, or its right and lower side, by a grain. With Ctrl it may go beyond the picture, as far as a
    picture may be large."""
    room = ROOM if nudge.fine or not box.inside(picture) else 0
    around = Size(picture.width + 2 * room, picture.height + 2 * room)
    here, way = shifted(box, room), QPointF(nudge.x, nudge.y) * GRAIN
    asked = resized(here, (abs(nudge.x), abs(nudge.y)), way, around) if nudge.grow else moved(here, way, around)
    asked = shifted(asked, -room)
    return asked if possible(asked.joined(Rect.whole(picture)), picture) else box


def told(box: Rect) -> str:
    """512 × 384 at 64, 128"""
    return f"{box.width} × {box.height} at {box.x}, {box.y}"


def _in_the_middle(canvas: Canvas) -> Rect:
    seen = canvas.seen
    side = max(float(LEAST), min(seen.width(), seen.height()) / 2)
    room = QRectF(seen.center() - QPointF(side, side) / 2, seen.center() + QPointF(side, side) / 2)
    return drawn(room.topLeft(), room.bottomRight(), canvas.document.size)

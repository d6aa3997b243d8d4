"""The rectangle and the ellipse: dragged from corner to corner."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from app.ui.canvas.drag import Canvas, Drag, Nudge, Order, Pointer
from app.ui.canvas.mark import Marker

_STEP = 8.0  # picture pixels that an arrow key moves by
_DROPPED = "Dropped: the mask is as it was."


def rectangle(canvas: Canvas, press: Pointer) -> Drag:
    """Whole pixels from corner to corner; with Shift a square."""
    yield from _drag(canvas, press, _rectangle, "rectangle")


def ellipse(canvas: Canvas, press: Pointer) -> Drag:
    """The ellipse in the box from corner to corner; with Shift a circle."""
    yield from _drag(canvas, press, _ellipse, "ellipse")


def _drag(canvas: Canvas, press: Pointer, path_in: Callable[[QRectF], QPainterPath], name: str) -> Drag:
    marker = Marker.at(canvas, press)
    path = QPainterPath()
    try:
        while isinstance(pointer := (yield), Pointer):
            path = path_in(_box(press.picture, pointer.picture, square=pointer.straight))
            marker.outline(path)
    finally:
        canvas.show_outline(None)
    marker.shape(path, name)


def keyed_rectangle(canvas: Canvas) -> Drag:
    """By keys alone: it begins in the middle of what is seen."""
    yield from _by_keys(canvas, _rectangle, "rectangle")


def keyed_ellipse(canvas: Canvas) -> Drag:
    yield from _by_keys(canvas, _ellipse, "ellipse")


def _by_keys(canvas: Canvas, path_in: Callable[[QRectF], QPainterPath], name: str) -> Drag:
    """Arrows move it, with Shift they move its right and lower side; Enter marks it."""
    marker = Marker(canvas, canvas.area.erase, canvas.area)
    seen = canvas.seen
    box = QRectF(seen.center() - QPointF(seen.width(), seen.height()) / 6, seen.size() / 3)
    finished = False
    try:
        while not finished:
            marker.outline(path_in(box))
            match (yield):
                case Nudge() as nudge:
                    box = _nudged(box, nudge, QRectF(canvas.document.box))
                    canvas.say(_told(box))
                case Order.FINISH:
                    finished = True
                case Order.BACK:
                    canvas.say(_DROPPED)
                    return
    except GeneratorExit:
        canvas.say(_DROPPED)
        raise
    finally:
        canvas.show_outline(None)
    marker.shape(path_in(box), name)
    canvas.say(f"Marked: {_told(box)}." if not marker.erase else f"Taken away: {_told(box)}.")


def _told(box: QRectF) -> str:
    """512 × 384 at 64, 128"""
    return f"{box.width():.0f} × {box.height():.0f} at {box.x():.0f}, {box.y():.0f}"


def _nudged(box: QRectF, nudge: Nudge, picture: QRectF) -> QRectF:
    """Moved or resized by a step, at least a pixel large and not off the picture."""
    step = 1.0 if nudge.fine else _STEP
    way = QPointF(nudge.x, nudge.y) * step
    if not nudge.grow:
        x = min(max(box.x() + way.x(), picture.left()), max(picture.left(), picture.right() - box.width()))
        y = min(max(box.y() + way.y(), picture.top()), max(picture.top(), picture.bottom() - box.height()))
        return QRectF(QPointF(x, y), box.size())
    right = min(picture.right(), max(box.left() + 1.0, box.right() + way.x()))
    bottom = min(picture.bottom(), max(box.top() + 1.0, box.bottom() + way.y()))
    return QRectF(box.topLeft(), QPointF(right, bottom))


def _box(start: QPointF, end: QPointF, *, square: bool) -> QRectF:
    way = end - start
    if square:
        side = max(abs(way.x()), abs(way.y()))
        way = QPointF(math.copysign(side, way.x()), math.copysign(side, way.y()))
    return QRectF(start, start + way).normalized()


def _rectangle(box: QRectF) -> QPainterPath:
    path = QPainterPath()
    left, top = round(box.left()), round(box.top())
    path.addRect(left, top, round(box.right()) - left, round(box.bottom()) - top)
    return path


def _ellipse(box: QRectF) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(box)
    return path

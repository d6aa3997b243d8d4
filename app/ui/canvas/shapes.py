"""The rectangle and the ellipse: dragged from corner to corner."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from app.ui.canvas.drag import Canvas, Drag, Pointer
from app.ui.canvas.mark import Marker


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

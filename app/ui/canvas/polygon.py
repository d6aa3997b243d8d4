"""The polygon: corner by corner, a click each."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainterPath, QPolygonF

from app.ui.canvas.drag import Canvas, Drag, Order, Pointer
from app.ui.canvas.mark import Marker

_NEAR = 8.0  # view pixels: a press so near to the first corner, or to the last one, closes it


def polygon(canvas: Canvas, press: Pointer) -> Drag:
    """Each press sets a corner. One on the first corner, a double click or Enter closes it; Backspace takes a corner
    back. Shift keeps an edge to steps of 45 degrees."""
    marker = Marker.at(canvas, press)
    corners = [press]
    closed = False
    try:
        while not closed:
            match (yield):
                case Pointer(pressed=True) as pointer:
                    closed = _closes(pointer, corners)
                    if not closed:
                        corners.append(_turned(corners[-1], pointer))
                    marker.outline(_path(corners))
                case Pointer() as pointer:
                    marker.outline(_path([*corners, _turned(corners[-1], pointer)]))
                case Order.FINISH:
                    closed = True
                case Order.BACK:
                    corners.pop()
                    if not corners:
                        return
                    marker.outline(_path(corners))
                case None:
                    pass  # let go: it waits for the next press
    finally:
        canvas.show_outline(None)
    marker.shape(_path(corners), "polygon")


def _closes(pointer: Pointer, corners: list[Pointer]) -> bool:
    return len(corners) > 1 and any(_apart(pointer.view, corner.view) <= _NEAR for corner in (corners[0], corners[-1]))


def _turned(last: Pointer, pointer: Pointer) -> Pointer:
    """With Shift the corner lies in one of eight directions from the last one."""
    if not pointer.straight:
        return pointer
    way = pointer.picture - last.picture
    eighth = math.pi / 4
    angle = round(math.atan2(way.y(), way.x()) / eighth) * eighth
    length = way.x() * math.cos(angle) + way.y() * math.sin(angle)
    at = last.picture + QPointF(math.cos(angle), math.sin(angle)) * length
    return Pointer(view=pointer.view, picture=at)


def _path(corners: list[Pointer]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([corner.picture for corner in corners]))
    path.setFillRule(Qt.FillRule.WindingFill)
    return path


def _apart(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())

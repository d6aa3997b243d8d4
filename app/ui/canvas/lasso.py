"""The lasso: the area that a line drawn by hand goes around."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainterPath

from app.ui.canvas.drag import Canvas, Drag, Pointer
from app.ui.canvas.mark import Marker

_STEP = 1.0  # view pixels between two points of the line: nearer ones only make it slow
_EVERYTHING_INSIDE = Qt.FillRule.WindingFill  # a loop in the line leaves no hole


def lasso(canvas: Canvas, press: Pointer) -> Drag:
    """Press, go around it, let go: the line closes itself. Ctrl takes away."""
    marker = Marker.at(canvas, press)
    path, last = QPainterPath(press.picture), press.view
    try:
        while isinstance(pointer := (yield), Pointer):
            way = pointer.view - last
            if math.hypot(way.x(), way.y()) >= _STEP:
                path.lineTo(pointer.picture)
                last = pointer.view
                marker.outline(path)
    finally:
        canvas.show_outline(None)
    path.closeSubpath()
    path.setFillRule(_EVERYTHING_INSIDE)
    marker.shape(path, "lasso")

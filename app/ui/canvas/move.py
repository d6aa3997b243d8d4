"""Moving a layer: an outline follows the pointer, and letting go is one step."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from app.document.layer_commands import ChangeLayers, changed
from app.ui.canvas.drag import Canvas, Drag, Pointer

MOST_AWAY = 16384
"""Picture pixels that a layer's corner may be from the picture's, to each side."""


def move(canvas: Canvas, press: Pointer) -> Drag:
    """The chosen layer goes where it is dragged to, by whole pixels; with Shift straight along one side."""
    layer = canvas.document.active
    if layer is None:
        canvas.say("There is no layer to move yet: open or generate a picture first.")
        yield
        return
    x, y = layer.x, layer.y
    try:
        while isinstance(pointer := (yield), Pointer):
            way = pointer.picture - press.picture
            if pointer.straight:
                way = QPointF(way.x(), 0) if abs(way.x()) > abs(way.y()) else QPointF(0, way.y())
            x, y = layer.x + math.floor(way.x() + 0.5), layer.y + math.floor(way.y() + 0.5)
            outline = QPainterPath()
            outline.addRect(QRectF(x, y, layer.image.width(), layer.image.height()))
            canvas.show_outline(outline)
    finally:
        canvas.show_outline(None)
    x, y = (max(-MOST_AWAY, min(MOST_AWAY, side)) for side in (x, y))
    if (x, y) != (layer.x, layer.y):
        stack = changed(canvas.document.layers, layer.id, x=x, y=y)
        canvas.push(ChangeLayers(canvas.document, stack, layer.id, "Move layer"))

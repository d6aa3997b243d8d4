"""The pixel grid: thin lines between the picture's pixels when they are shown large."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QTransform

LEAST_ZOOM = 8.0  # device pixels per picture pixel: below, the lines would hide what they part


def draw_pixel_grid(painter: QPainter, exposed: QRect, picture: QRect, transform: QTransform, zoom: float) -> None:
    """Lines through ``exposed`` (view pixels, the painter's own); ``transform`` leads from the picture to the view."""
    if zoom < LEAST_ZOOM:
        return
    seen = transform.inverted()[0].mapRect(QRectF(exposed)).intersected(QRectF(picture))
    left, right = math.floor(seen.left()), math.ceil(seen.right())
    top, bottom = math.floor(seen.top()), math.ceil(seen.bottom())
    lines = [_line(transform, QPointF(x, top), QPointF(x, bottom)) for x in range(left, right + 1)]
    lines += [_line(transform, QPointF(left, y), QPointF(right, y)) for y in range(top, bottom + 1)]
    painter.save()
    for colour, offset in ((QColor(0, 0, 0, 70), 0.0), (QColor(255, 255, 255, 70), 1.0)):  # seen on dark and on light
        pen = QPen(colour, 1.0)
        pen.setCosmetic(True)
        painter.setPen(pen)
        shift = QPointF(offset, offset) / painter.device().devicePixelRatio()
        painter.drawLines([line.translated(shift) for line in lines])
    painter.restore()


def _line(transform: QTransform, start: QPointF, end: QPointF) -> QLineF:
    return QLineF(transform.map(start), transform.map(end))

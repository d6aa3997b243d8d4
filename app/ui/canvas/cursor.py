"""The brush outline under the pointer: what the brush will touch, readable on any picture."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.document.strokes import Brush

_SMALL = 5.0  # an outline of a smaller radius (view pixels) gets a cross, or one would lose it
_ARM = 5.0
_LARGE = 400.0  # over this radius (view pixels) it is drawn afresh each time: a picture of it would be too large


def outline_box(brush: Brush, at: QPointF, scale: float) -> QRect:
    """The part of the view that ``draw_outline`` paints."""
    reach = max(brush.size / 2 * scale, _SMALL + _ARM) + 3.0
    return QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach).toAlignedRect()


def draw_outline(painter: QPainter, brush: Brush, at: QPointF, scale: float) -> None:
    """Circles at the brush's rim and at the end of its hard core, each dark with a light line on it.

    ``at`` and ``scale`` (view pixels per picture pixel) are the view's.
    """
    radius = brush.size / 2 * scale
    if radius > _LARGE:
        _draw_rings(painter, at, radius, radius * brush.hardness)
        return
    dpr = painter.device().devicePixelRatio()
    image = _rings(round(radius, 2), round(radius * brush.hardness, 2), dpr)
    corner = at - QPointF(image.width(), image.height()) / dpr / 2
    # on whole device pixels, or the lines would be smeared
    painter.drawImage(QPointF(round(corner.x() * dpr) / dpr, round(corner.y() * dpr) / dpr), image)


@lru_cache(maxsize=4)
def _rings(radius: float, core: float, dpr: float) -> QImage:
    """The outline as a picture: smooth circles take milliseconds to draw, and the pointer moves all the time."""
    side = round(2 * (max(radius, _SMALL + _ARM) + 3.0) * dpr) | 1  # odd: the middle is a pixel's middle
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(dpr)
    image.fill(0)
    painter = QPainter(image)
    _draw_rings(painter, QPointF(side, side) / dpr / 2, radius, core)
    painter.end()
    return image


def _draw_rings(painter: QPainter, at: QPointF, radius: float, core: float) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255, 235), 1.2)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(at, radius, radius)
        if radius < _SMALL:
            _draw_cross(painter, at, radius + 2.0)
    if 3.0 < core < radius - 3.0:
        for colour, width in ((QColor(0, 0, 0, 90), 2.0), (QColor(255, 255, 255, 130), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(at, core, core)
    painter.restore()


def _draw_cross(painter: QPainter, at: QPointF, gap: float) -> None:
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        painter.drawLine(at + QPointF(x, y) * gap, at + QPointF(x, y) * (gap + _ARM))

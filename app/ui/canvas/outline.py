"""The outline of an area that is being drawn: readable on any picture, in the mask's colour inside."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

_DASH = 4.0  # view pixels
_FILL = 70  # of 255


class Outline:
    """A path over the picture, in picture pixels, or none."""

    def __init__(self) -> None:
        self._path = QPainterPath()
        self._erase = False

    @property
    def box(self) -> QRectF:
        """In picture pixels; null when nothing is shown."""
        return self._path.boundingRect()

    def show(self, path: QPainterPath | None, *, erase: bool) -> None:
        """``erase``: it will take away, and is not filled."""
        self._path = QPainterPath() if path is None else QPainterPath(path)  # a copy: its maker draws on
        self._erase = erase

    def dirty(self, box: QRectF, transform: QTransform) -> QRect:
        """What of the view an outline in ``box`` covers."""
        return transform.mapRect(box).toAlignedRect().adjusted(-3, -3, 3, 3)

    def draw(self, painter: QPainter, transform: QTransform, tint: QColor) -> None:
        """Dark and light dashes along the path; ``painter`` is in view pixels."""
        if self._path.isEmpty():
            return
        path = transform.map(self._path)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._erase:
            fill = QColor(tint)
            fill.setAlpha(_FILL)
            painter.fillPath(path, fill)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 190), 1.5))
        painter.drawPath(path)
        pen = QPen(QColor(255, 255, 255), 1.5)
        pen.setDashPattern([_DASH, _DASH])
        painter.setPen(pen)
        painter.drawPath(path)
        painter.restore()

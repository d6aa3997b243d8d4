"""The checkerboard: what one sees where there is nothing."""

from __future__ import annotations

from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPalette

_SQUARE = 8  # view pixels


def checkerboard(palette: QPalette) -> QBrush:
    """Two neutral greys, a shade from the surround."""
    ground = palette.color(QPalette.ColorRole.Dark)
    dark = ground.lightness() < 128
    first = ground.lighter(125) if dark else QColor(255, 255, 255)
    second = ground.lighter(145) if dark else QColor(236, 236, 236)
    tile = QImage(2 * _SQUARE, 2 * _SQUARE, QImage.Format.Format_RGB32)
    tile.fill(first)
    painter = QPainter(tile)
    painter.fillRect(_SQUARE, 0, _SQUARE, _SQUARE, second)
    painter.fillRect(0, _SQUARE, _SQUARE, _SQUARE, second)
    painter.end()
    return QBrush(tile)

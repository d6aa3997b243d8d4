"""The zones around a mask as they are drawn: blue where the model paints beyond it, yellow where new and old mix."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QTransform

from app.document import images
from app.document.contour import contour
from app.document.zones import Zones

BEYOND, RING = QColor(90, 190, 255), QColor(255, 225, 60)  # apart for every kind of colour blindness
_BEYOND_ALPHA, _RING_ALPHA = 0.5, 0.75
_EDGE = 4  # of 255: where the line around a zone runs


class ZonePicture:
    """Made once for Zones, drawn at any zoom: colours, and a line around all that is as wide as the screen wants it."""

    def __init__(self, zones: Zones) -> None:
        self._box = QRectF(zones.box.x, zones.box.y, zones.box.width, zones.box.height)
        self._image = _coloured(zones)
        height, width = zones.denoised.shape
        lines = contour(zones.denoised, _EDGE)
        lines = lines * np.tile([self._box.width() / width, self._box.height() / height], 2)
        lines = lines + np.tile([self._box.x(), self._box.y()], 2)
        self._lines = [QLineF(*piece) for piece in lines.tolist()]

    def draw(self, painter: QPainter, transform: QTransform) -> None:
        """``painter`` is in view pixels."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setTransform(transform, True)
        painter.drawImage(self._box, self._image, QRectF(self._image.rect()))
        for colour, width in ((QColor(0, 0, 0, 140), 3.0), (BEYOND, 1.5)):
            pen = QPen(colour, width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(self._lines)
        painter.restore()


def _coloured(zones: Zones) -> QImage:
    """H x W, premultiplied: blue where only the model's canvas is repainted, yellow where new and old mix."""
    taken = zones.mixed / 255.0
    beyond = zones.denoised / 255.0 * (1.0 - taken) * _BEYOND_ALPHA
    # strongest where half of each is taken, nothing where it is all new
    ring = (1.0 - np.abs(2.0 * taken - 1.0)) * _RING_ALPHA
    alpha = np.minimum(255.0, np.rint((beyond + ring) * 255.0)).astype(np.uint32)
    pairs = ((BEYOND.red(), RING.red()), (BEYOND.green(), RING.green()), (BEYOND.blue(), RING.blue()))
    red, green, blue = (np.rint(beyond * one + ring * other).astype(np.uint32) for one, other in pairs)
    return images.argb(((alpha << 24) | (red << 16) | (green << 8) | blue).astype(np.uint32))

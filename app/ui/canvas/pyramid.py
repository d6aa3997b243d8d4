"""A Pyramid: an image and its halvings, so that a large picture is drawn small quickly and without shimmer."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QRegion

from app.document.tiles import rects


class Pyramid:
    """Level 0 is the image itself, level k is 2^k times smaller (rounded up). Levels are made when first asked for,
    and brought up to date only where the image was ``changed``."""

    def __init__(self, base: QImage, filled: QRegion | None = None) -> None:
        """``filled``: the part of the image that is not 0, where that is known."""
        self._levels = [base]
        self._filled = QRegion(base.rect()) if filled is None else filled
        self._stale = [QRegion()]  # what to redo in each level, in the pixels of level 0

    @property
    def base(self) -> QImage:
        return self._levels[0]

    def changed(self, region: QRegion) -> None:
        """The image's pixels in ``region`` are others now."""
        self._filled = self._filled.united(region)
        self._stale = [stale.united(region) for stale in self._stale]

    def cover(self, at: QPoint, image: QImage) -> None:
        """Let the smaller levels show ``image`` at that point of level 0, until the image has ``changed`` there."""
        level = self.level(1)
        if level is self.base:
            return
        x, y = level.width() / self.base.width(), level.height() / self.base.height()
        painter = QPainter(level)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRectF(at.x() * x, at.y() * y, image.width() * x, image.height() * y)
        painter.drawImage(place, image, QRectF(image.rect()))
        painter.end()
        box = QRect(at, image.size())
        self._stale[2:] = [stale.united(box) for stale in self._stale[2:]]

    def level(self, k: int) -> QImage:
        """Level ``k``, or the smallest there is."""
        for at in range(1, k + 1):
            if at == len(self._levels) and not self._grow():
                return self._levels[-1]
            self._renew(at)
        return self._levels[k]

    def _grow(self) -> bool:
        above = self._levels[-1]
        if max(above.width(), above.height()) < 2:
            return False
        image = QImage((above.width() + 1) // 2, (above.height() + 1) // 2, above.format())
        image.fill(0)
        self._levels.append(image)
        self._stale.append(self._filled)
        return True

    def _renew(self, at: int) -> None:
        stale, image, above = self._stale[at], self._levels[at], self._levels[at - 1]
        if stale.isEmpty():
            return
        x, y = image.width() / self.base.width(), image.height() / self.base.height()
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        # bilinear at one half takes the mean of 2 x 2 pixels
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for part in rects(stale):
            box = QRectF(part.x() * x, part.y() * y, part.width() * x, part.height() * y).toAlignedRect()
            painter.setClipRect(box.adjusted(-1, -1, 1, 1))
            painter.drawImage(QRectF(image.rect()), above, QRectF(above.rect()))
        painter.end()
        self._stale[at] = QRegion()


def level_for(zoom: float) -> int:
    """The level that is drawn at between one half and its full size."""
    return 0 if zoom >= 1.0 else math.floor(-math.log2(zoom) + 1e-9)


def smooth_at(zoom: float) -> bool:
    """Enlarged pixels are shown as they are; below that, in-between values look better."""
    return zoom < 2.0 and zoom != 1.0

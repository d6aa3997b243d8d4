"""A Pyramid: an image and its halvings, so that a large picture is drawn small quickly and without shimmer."""

from __future__ import annotations

import math
from collections.abc import Iterator

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter, QRegion

from app.document.raster import Raster
from app.document.tiles import rects

_BAND = 512  # rows of level 0 that are worked on at once
_REACH = 4  # pixels that smoothing looks at, at most


class Pyramid:
    """Level 0 is the image itself, level k is 2^k times smaller (rounded up). Levels are made when first asked for,
    and brought up to date only where the image was ``changed``."""

    def __init__(self, base: QImage | Raster, filled: QRegion | None = None) -> None:
        """``filled``: the part of the image that is not 0, where that is known."""
        self._base = base
        self._levels: list[QImage] = []  # from level 1 on
        self._filled = QRegion(base.rect()) if filled is None else filled
        self._stale: list[QRegion] = []  # what to redo in each of them, in the pixels of level 0

    @property
    def base(self) -> QImage | Raster:
        return self._base

    def rebase(self, base: QImage | Raster, region: QRegion) -> None:
        """Another image of the same size takes the place of the one that there is; it differs from it in ``region``
        alone."""
        if base.format() != self._base.format():
            self._levels, self._stale = [], []
        self._base = base
        self.changed(region)

    def changed(self, region: QRegion) -> None:
        """The image's pixels in ``region`` are others now."""
        self._filled = self._filled.united(region)
        self._stale = [stale.united(region) for stale in self._stale]

    def cover(self, at: QPoint, image: QImage) -> None:
        """Let the smaller levels show ``image`` at that point of level 0, until the image has ``changed`` there."""
        level = self.level(1)
        if not self._levels:
            return
        x, y = level.width() / self._base.width(), level.height() / self._base.height()
        painter = QPainter(level)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRectF(at.x() * x, at.y() * y, image.width() * x, image.height() * y)
        painter.drawImage(place, image, QRectF(image.rect()))
        painter.end()
        box = QRect(at, image.size())
        self._stale[1:] = [stale.united(box) for stale in self._stale[1:]]

    def level(self, k: int) -> QImage:
        """Level ``k``, or the smallest there is. Level 0 of a Raster is a copy of it: ``base`` gives parts of it."""
        for at in range(k):
            if at == len(self._levels) and not self._grow():
                break
            self._renew(at)
        if k and self._levels:
            return self._levels[min(k, len(self._levels)) - 1]
        return self._base if isinstance(self._base, QImage) else self._base.copy(self._base.rect())

    def _grow(self) -> bool:
        above = self._levels[-1] if self._levels else self._base
        if max(above.width(), above.height()) < 2:
            return False
        image = QImage((above.width() + 1) // 2, (above.height() + 1) // 2, self._base.format())
        image.fill(0)
        self._levels.append(image)
        self._stale.append(self._filled)
        return True

    def _renew(self, at: int) -> None:
        """Bring one of the smaller levels up to date."""
        stale, image = self._stale[at], self._levels[at]
        if stale.isEmpty():
            return
        above = self._levels[at - 1] if at else self._base
        x, y = image.width() / self._base.width(), image.height() / self._base.height()
        u, v = above.width() / self._base.width(), above.height() / self._base.height()
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        # bilinear at one half takes the mean of 2 x 2 pixels
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for part in _bands(stale):
            painter.setClipRect(_scaled(part, x, y).adjusted(-1, -1, 1, 1))
            source = _scaled(part, u, v).adjusted(-_REACH, -_REACH, _REACH, _REACH).intersected(above.rect())
            place = QRectF(source.x() * x / u, source.y() * y / v, source.width() * x / u, source.height() * y / v)
            if isinstance(above, QImage):
                painter.drawImage(place, above, QRectF(source))
            else:
                painter.drawImage(place, above.copy(source), QRectF(QPointF(), QSizeF(source.size())))
        painter.end()
        self._stale[at] = QRegion()


def _scaled(box: QRect, x: float, y: float) -> QRect:
    return QRectF(box.x() * x, box.y() * y, box.width() * x, box.height() * y).toAlignedRect()


def _bands(region: QRegion) -> Iterator[QRect]:
    for part in rects(region):
        for top in range(part.top(), part.bottom() + 1, _BAND):
            yield part.intersected(QRect(part.left(), top, part.width(), _BAND))


def level_for(zoom: float) -> int:
    """The level that is drawn at between one half and its full size."""
    return 0 if zoom >= 1.0 else math.floor(-math.log2(zoom) + 1e-9)


def smooth_at(zoom: float) -> bool:
    """Enlarged pixels are shown as they are; below that, in-between values look better."""
    return zoom < 2.0 and zoom != 1.0

"""Areas: the inside of a shape, or of what looks alike, laid over the mask in one go."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath

from app.document import images
from app.document.blend import blended
from app.document.tiles import TileEdit, cut, within


@dataclass(frozen=True, eq=False)
class Area:
    """What is covered: ``cover`` (H x W, 255 = fully) of the picture's pixels in ``box``, nothing beside it."""

    box: QRect
    cover: NDArray[np.uint8]

    @property
    def empty(self) -> bool:
        return self.box.isEmpty() or not self.cover.any()


def inside_of(path: QPainterPath, whole: QRect) -> Area:
    """What lies inside ``path`` (picture pixels), with smooth edges; ``whole`` is the picture."""
    box = path.boundingRect().toAlignedRect().intersected(whole)
    if box.isEmpty():
        return Area(QRect(), np.zeros((0, 0), np.uint8))
    image = images.blank_mask(box.width(), box.height())
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(-box.topLeft())
    painter.fillPath(path, Qt.GlobalColor.white)
    painter.end()
    return Area(box, images.to_mask(image))


def feathered(area: Area, radius: float, whole: QRect) -> Area:
    """The area with an edge that falls off over about ``radius`` pixels to each side; at the picture's edge it stays
    as it is, as if the area went on beyond."""
    if area.empty or radius <= 0.0:
        return area
    margin = math.ceil(2 * radius)
    box = area.box.adjusted(-margin, -margin, margin, margin).intersected(whole)
    cover = np.zeros((box.height(), box.width()), np.uint8)
    cover[within(area.box, box)] = area.cover
    return Area(box, blurred(cover, radius))


def blurred(pixels: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """H x W smoothed; ``radius`` (pixels) is how far an edge spreads to each side, two deviations of the Gaussian."""
    from PIL import Image, ImageFilter  # not needed until somebody feathers, and the window must open fast

    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius / 2)))


def edits(area: Area, mask: QImage, *, opacity: float, erase: bool) -> Iterator[TileEdit]:
    """The tiles of the mask that the area changes; ``opacity`` 0..1 is how strongly it marks, or takes away."""
    if area.empty:
        return
    table = np.rint(np.arange(256) * opacity).astype(np.uint8)
    for box in cut(area.box):
        before = images.mask_part(mask, box)
        after = blended(before, table[area.cover[within(box, area.box)]], erase=erase)
        if not np.array_equal(before, after):
            before.flags.writeable = after.flags.writeable = False
            yield TileEdit(box, before, after)

"""What looks alike: the area of the picture, or of the mask, that the wand and the bucket take."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage

from app.document import images
from app.document.areas import Area
from app.document.flood import Flags, connected
from app.document.raster import Raster

_FULL = 128  # a mask value from here on bounds what the bucket fills


def alike(picture: Raster, at: QPoint, tolerance: int, *, contiguous: bool) -> Area:
    """Where the picture's colour is like the one at ``at``: no channel differs by more than ``tolerance`` (0..255).

    ``contiguous``: only what hangs together with that pixel. ``at`` must lie on the picture.
    """
    return _area(images.near_colour(picture, at, tolerance), at, contiguous=contiguous)


def enclosed(mask: QImage, at: QPoint) -> Area:
    """The gap in the mask around ``at``, bounded by what is painted at least half; on a painted pixel, that part."""
    values = images.to_mask(mask)
    painted = values >= _FULL
    return _area(painted == painted[at.y(), at.x()], at, contiguous=True)


def _area(taken: Flags, at: QPoint, *, contiguous: bool) -> Area:
    if contiguous:
        taken = connected(taken, at.x(), at.y())
    rows, columns = np.flatnonzero(taken.any(axis=1)), np.flatnonzero(taken.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    part = taken[top : rows[-1] + 1, left : columns[-1] + 1]
    return Area(QRect(left, top, part.shape[1], part.shape[0]), part.view(np.uint8) * np.uint8(255))

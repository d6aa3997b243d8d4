"""The forming picture: a job's preview drawn where the result will be, with a thin line of progress around it."""

from __future__ import annotations

import math
from itertools import pairwise

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF, QTransform

from app.core.job import Preview
from app.document import images

_LINE = 2.0  # view pixels


class FormingPicture:
    """What is shown of the running job: nothing, or the newest preview and how far the job is."""

    def __init__(self) -> None:
        self._image: QImage | None = None
        self._box = QRectF()
        self._source: Preview | None = None
        self._progress = 0.0

    @property
    def box(self) -> QRectF:
        """In picture pixels; empty when nothing is shown."""
        return self._box if self._image is not None else QRectF()

    @property
    def resting(self) -> bool:
        """It forms no more: a candidate, or a ghost."""
        return self._progress == 0.0

    def show(self, preview: Preview | None, progress: float) -> None:
        """``progress`` is 0..1, drawn from its beginning on; None shows nothing."""
        self._progress = min(1.0, max(0.0, progress))
        if preview is self._source:
            return
        self._source = preview
        self._image = None
        if preview is not None:
            # blending between pixels of unlike alpha is only right when they are premultiplied
            straight = images.to_qimage(preview.pixels)
            self._image = straight.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
            box = preview.box
            self._box = QRectF(box.x, box.y, box.width, box.height)

    def dirty(self, transform: QTransform) -> QRect:
        """What of the view it covers."""
        if self._image is None:
            return QRect()
        return transform.mapRect(self._box).toAlignedRect().adjusted(-4, -4, 4, 4)

    def draw(self, painter: QPainter, transform: QTransform, accent: QColor) -> None:
        """Paint it; ``painter`` is in view pixels."""
        if self._image is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(transform, True)
        painter.drawImage(self._box, self._image, QRectF(self._image.rect()))
        if self._progress > 0.0:  # a candidate has none: nothing stands around it
            self._draw_progress(painter, accent)
        painter.restore()

    def _draw_progress(self, painter: QPainter, accent: QColor) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = _LINE / math.sqrt(abs(painter.transform().determinant()))  # in picture pixels
        edge = self._box.adjusted(-width / 2, -width / 2, width / 2, width / 2)
        painter.setPen(QPen(QColor(0, 0, 0, 90), width))
        painter.drawRect(edge)
        painter.setPen(QPen(accent, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin))
        painter.drawPolyline(_part_of_outline(edge, self._progress))


def _part_of_outline(box: QRectF, part: float) -> QPolygonF:
    """The first ``part`` of the way around the box, clockwise from its top left corner."""
    corners = [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft(), box.topLeft()]
    left = part * 2 * (box.width() + box.height())
    line = [corners[0]]
    for start, end in pairwise(corners):
        length = abs(end.x() - start.x()) + abs(end.y() - start.y())
        reach = min(1.0, left / length) if length else 0.0
        line.append(QPointF(start + (end - start) * reach))
        left -= length
        if left <= 0.0:
            break
    return QPolygonF(line)

"""The X-ray: what will happen, drawn before it does."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QTransform

from app.core.geometry import Rect
from app.document.outlook import Outlook

HANDLE = 5.0  # half a handle's side, view pixels
_SHADE = QColor(0, 0, 0, 120)
_GAP = 6.0


class XRay:
    """Shows an Outlook: what the model is not given lies in shade, the frame has handles, its label tells the sizes.

    ``draft``: the frame that is being drawn, in the place of the planned one.
    """

    def __init__(self) -> None:
        self.outlook: Outlook | None = None
        self.draft: Rect | None = None
        self.shown = False
        self.handles = False

    @property
    def box(self) -> Rect | None:
        """The frame that is drawn, in picture pixels."""
        if self.draft is not None:
            return self.draft
        return self.outlook.plan.box if self.outlook is not None else None

    def draw(self, painter: QPainter, picture: QRectF, transform: QTransform, accent: QColor) -> None:
        """``painter`` is in view pixels, ``picture`` in its own."""
        box = self.box
        if not self.shown or box is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = _path(QRectF(box.x, box.y, box.width, box.height), transform)
        painter.fillPath(_path(picture, transform).subtracted(frame), _SHADE)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (accent, 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawPath(frame)
        if self.handles:
            _draw_handles(painter, box, transform, accent)
        self._draw_label(painter, box, transform)
        painter.restore()

    def _draw_label(self, painter: QPainter, box: Rect, transform: QTransform) -> None:
        if self.draft is not None or self.outlook is None:
            text = f"{box.width} × {box.height}"
        else:
            text, reach = self.outlook.sentence, self.outlook.reach
            if reach is not None:
                text += f"   reaches {reach.outward} px beyond the mask, joins over {reach.ring} px"
        corner = transform.mapRect(QRectF(box.x, box.y, box.width, box.height)).topLeft()
        metrics = QFontMetricsF(painter.font())
        room = QRectF(corner + QPointF(_GAP, _GAP), metrics.boundingRect(text).size()).adjusted(0, 0, 2 * _GAP, _GAP)
        room.moveLeft(max(_GAP, room.left()))
        room.moveTop(max(_GAP, room.top()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 200))
        painter.drawRoundedRect(room, 4, 4)
        painter.setPen(QColor(240, 240, 240))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)


def handle_points(box: Rect) -> dict[tuple[int, int], QPointF]:
    """The eight handles by the sides that they move: -1 the left or upper one, 1 the right or lower one, 0 neither."""
    x = {-1: float(box.x), 0: box.x + box.width / 2, 1: float(box.right)}
    y = {-1: float(box.y), 0: box.y + box.height / 2, 1: float(box.bottom)}
    return {(i, j): QPointF(x[i], y[j]) for i in x for j in y if (i, j) != (0, 0)}


def _draw_handles(painter: QPainter, box: Rect, transform: QTransform, accent: QColor) -> None:
    painter.setPen(QPen(QColor(0, 0, 0, 190), 1.0))
    painter.setBrush(accent)
    for point in handle_points(box).values():
        at = transform.map(point)
        painter.drawRect(QRectF(at.x() - HANDLE, at.y() - HANDLE, 2 * HANDLE, 2 * HANDLE))


def _path(box: QRectF, transform: QTransform) -> QPainterPath:
    path = QPainterPath()
    path.addRect(box)
    return transform.map(path)

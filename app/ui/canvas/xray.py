"""The X-ray: what will happen, drawn before it does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QTransform

from app.core.geometry import Rect
from app.core.seam import Reach
from app.document.outlook import Outlook
from app.ui.canvas.zone_picture import BEYOND, RING, ZonePicture

HANDLE = 5.0  # half a handle's side, view pixels
_SHADE = QColor(0, 0, 0, 120)
_GAP = 6.0
Label = Sequence[tuple[QColor | None, str]]  # pieces of text, each after a square of its colour


class XRay:
    """Shows Outlooks: what the model is not given lies in shade, frames have handles, labels tell the sizes, and
    around the mask is drawn where the model paints beyond it and where the result is mixed in.

    ``draft``: the frame that is being drawn, in the place of the planned ones.
    """

    def __init__(self) -> None:
        self._outlooks: tuple[Outlook, ...] = ()
        self._zones: list[ZonePicture] = []
        self.draft: Rect | None = None
        self.shown = False
        self.handles = False

    @property
    def outlooks(self) -> tuple[Outlook, ...]:
        return self._outlooks

    def show(self, outlooks: tuple[Outlook, ...]) -> None:
        """Tell these from now on."""
        self._outlooks = outlooks
        self._zones = [ZonePicture(outlook.zones) for outlook in outlooks if outlook.zones is not None]

    @property
    def box(self) -> Rect | None:
        """The frame that is drawn, in picture pixels; None also where there are several."""
        if self.draft is not None:
            return self.draft
        return self._outlooks[0].plan.box if len(self._outlooks) == 1 else None

    @property
    def boxes(self) -> tuple[Rect, ...]:
        """All frames that are drawn."""
        return tuple(outlook.plan.box for outlook in self._outlooks) if self.draft is None else (self.draft,)

    def draw(self, painter: QPainter, picture: QRectF, transform: QTransform, accent: QColor) -> None:
        """``painter`` is in view pixels, ``picture`` in its own."""
        if not self.shown or not self.boxes:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_shade(painter, picture, transform)
        if self.draft is None:
            for zones in self._zones:
                zones.draw(painter, transform)
        for box in self.boxes:
            draw_frame(painter, box, transform, accent)
        if self.handles and (held := self.box) is not None:
            draw_handles(painter, held, transform, accent)
        self._draw_labels(painter, transform)
        painter.restore()

    def _draw_shade(self, painter: QPainter, picture: QRectF, transform: QTransform) -> None:
        shade = _path(picture, transform)
        for box in self.boxes:
            shade = shade.subtracted(_frame_path(box, transform))
        painter.fillPath(shade, _SHADE)

    def _draw_labels(self, painter: QPainter, transform: QTransform) -> None:
        if self.draft is not None:
            draw_label(painter, self.draft, transform, [(None, f"{self.draft.width} × {self.draft.height}")])
            return
        for number, outlook in enumerate(self._outlooks):
            label: list[tuple[QColor | None, str]] = [(None, outlook.sentence)]
            if outlook.reach is not None and number == 0:  # it explains the colours, once
                label += _legend(outlook.reach)
            draw_label(painter, outlook.plan.box, transform, label)


def _legend(reach: Reach) -> Label:
    return [(BEYOND, f"reaches {reach.outward} px beyond the mask"), (RING, f"joins over {reach.ring} px")]


def draw_label(painter: QPainter, box: Rect, transform: QTransform, label: Label) -> None:
    metrics = QFontMetricsF(painter.font())
    swatch = metrics.height() * 0.6
    widths = [metrics.horizontalAdvance(text) + (0 if colour is None else swatch + _GAP) for colour, text in label]
    corner = transform.mapRect(QRectF(box.x, box.y, box.width, box.height)).topLeft()
    room = QRectF(corner, corner + QPointF(sum(widths) + 2 * _GAP * len(widths), metrics.height() + _GAP))
    room.translate(_GAP, _GAP)
    room.moveRight(min(painter.window().width() - _GAP, room.right()))
    room.moveLeft(max(_GAP, room.left()))
    room.moveTop(max(_GAP, room.top()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 210))
    painter.drawRoundedRect(room, 4, 4)
    x = room.left() + _GAP
    for (colour, text), width in zip(label, widths, strict=True):
        start = x
        if colour is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRect(QRectF(x, room.center().y() - swatch / 2, swatch, swatch))
            start += swatch + _GAP
        painter.setPen(QColor(240, 240, 240))
        painter.drawText(QRectF(start, room.top(), width, room.height()), Qt.AlignmentFlag.AlignVCenter, text)
        x += width + 2 * _GAP


def draw_frame(painter: QPainter, box: Rect, transform: QTransform, accent: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 160), 3.0), (accent, 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawPath(_frame_path(box, transform))


def handle_points(box: Rect) -> dict[tuple[int, int], QPointF]:
    """The eight handles by the sides that they move: -1 the left or upper one, 1 the right or lower one, 0 neither."""
    x = {-1: float(box.x), 0: box.x + box.width / 2, 1: float(box.right)}
    y = {-1: float(box.y), 0: box.y + box.height / 2, 1: float(box.bottom)}
    return {(i, j): QPointF(x[i], y[j]) for i in x for j in y if (i, j) != (0, 0)}


def draw_handles(painter: QPainter, box: Rect, transform: QTransform, accent: QColor) -> None:
    painter.setPen(QPen(QColor(0, 0, 0, 190), 1.0))
    painter.setBrush(accent)
    for point in handle_points(box).values():
        at = transform.map(point)
        painter.drawRect(QRectF(at.x() - HANDLE, at.y() - HANDLE, 2 * HANDLE, 2 * HANDLE))


def _frame_path(box: Rect, transform: QTransform) -> QPainterPath:
    return _path(QRectF(box.x, box.y, box.width, box.height), transform)


def _path(box: QRectF, transform: QTransform) -> QPainterPath:
    path = QPainterPath()
    path.addRect(box)
    return transform.map(path)

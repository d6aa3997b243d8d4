"""The picture's edge with its handles, and what would become of it: cut parts in shade, new ones hatched."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QTransform

from app.core.geometry import Rect, Size
from app.ui.canvas.xray import draw_frame, draw_handles, draw_label

_SHADE = QColor(0, 0, 0, 150)
_NEW = QColor(255, 255, 255, 40)


class ExtentLook:
    """``shown``: the tool for it is in the hand. ``draft``: the area that the canvas would hold, in the picture's
    pixels; None while nothing is being changed."""

    def __init__(self) -> None:
        self.shown = False
        self.draft: Rect | None = None

    def draw(self, painter: QPainter, picture: Size, transform: QTransform, accent: QColor) -> None:
        """``painter`` is in view pixels."""
        if not self.shown:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = Rect.whole(picture)
        area = whole if self.draft is None else self.draft
        if area != whole:
            before, after = _path(whole, transform), _path(area, transform)
            painter.fillPath(before.subtracted(after), _SHADE)
            new = after.subtracted(before)
            painter.fillPath(new, _NEW)
            hatch = QColor(accent)
            hatch.setAlpha(150)
            painter.fillPath(new, QBrush(hatch, Qt.BrushStyle.BDiagPattern))
        draw_frame(painter, area, transform, accent)
        draw_handles(painter, area, transform, accent)
        if self.draft is not None:
            draw_label(painter, area, transform, [(None, _sentence(area, picture))])
        painter.restore()


def _sentence(area: Rect, picture: Size) -> str:
    """768 × 512, 128 px more on the right"""
    sides = (
        (-area.x, "on the left"),
        (area.right - picture.width, "on the right"),
        (-area.y, "above"),
        (area.bottom - picture.height, "below"),
    )
    moved = [f"{abs(by)} px {'more' if by > 0 else 'less'} {where}" for by, where in sides if by]
    size = f"{area.width} × {area.height}"
    return f"{size}, {moved[0]}" if len(moved) == 1 else size


def _path(box: Rect, transform: QTransform) -> QPainterPath:
    path = QPainterPath()
    path.addRect(QRectF(box.x, box.y, box.width, box.height))
    return transform.map(path)

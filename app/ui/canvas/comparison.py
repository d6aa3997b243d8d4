"""The Comparison: the picture from before beside, or in the place of, the one that is there now."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from app.core.geometry import Rect

_NEAR = 9.0  # view pixels from the line that still grip it
_KNOB = 13.0  # its handle's radius
_GAP = 8.0
STEP = 0.02  # of the view's width, by one key


class Comparison(QObject):
    """``wiping``: left of a line the picture from before is seen; ``held``: it is seen everywhere. What is from before
    is a part of the picture (``remember``), or, while it is ``covered``, the document under what is drawn over it."""

    changed = Signal()  # the view looks different
    possible_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._box = QRectF()
        self._covered = False
        self.wiping = False
        self.held = False
        self._part = 0.5  # of the view's width

    @property
    def possible(self) -> bool:
        """There is a picture from before."""
        return self._covered or self._image is not None

    def hold(self, held: bool) -> None:
        """Show the picture from before, or the one of now again."""
        self.held = held and self.possible
        self.changed.emit()

    def set_wiping(self, wiping: bool) -> None:
        """Whether a line parts the view."""
        self.wiping = wiping and self.possible
        self.changed.emit()

    def cover(self, covered: bool) -> None:
        """Something is drawn over the document from now on, or nothing any more."""
        if covered != self._covered:
            self._covered = covered
            self._tell()

    @property
    def shown(self) -> bool:
        return self.wiping or self.held

    def remember(self, box: Rect, image: QImage) -> None:
        """This is what was in ``box`` (picture pixels) before."""
        self._image, self._box = image, QRectF(box.x, box.y, box.width, box.height)
        self._tell()

    def forget(self) -> None:
        """Another picture is open."""
        self._image = None
        self._tell()

    def _tell(self) -> None:
        self.wiping, self.held = self.wiping and self.possible, self.held and self.possible
        self.possible_changed.emit(self.possible)
        self.changed.emit()

    def place(self, view: QSizeF) -> float:
        """The view's x where the line is."""
        return self._part * view.width()

    def move_to(self, x: float, view: QSizeF) -> None:
        """Put the line there, within the view."""
        self._part = min(1.0, max(0.0, x / max(1.0, view.width())))
        self.changed.emit()

    def step(self, direction: int) -> None:
        """Move the line a little to the right (1) or to the left (-1)."""
        self._part = min(1.0, max(0.0, self._part + direction * STEP))
        self.changed.emit()

    def grips(self, at: QPointF, view: QSizeF) -> bool:
        """The point of the view lies on the line."""
        return self.wiping and not self.held and abs(at.x() - self.place(view)) <= _NEAR

    def before(self, view: QSizeF) -> QRectF:
        """Where in the view the picture from before is seen."""
        width = view.width() if self.held else self.place(view) if self.wiping else 0.0
        return QRectF(0.0, 0.0, width, view.height())

    def after(self, view: QSizeF) -> QRectF:
        """Where in the view the picture of now is seen."""
        return QRectF(QPointF(self.before(view).right(), 0.0), QPointF(view.width(), view.height()))

    def draw_before(self, painter: QPainter, transform: QTransform, view: QSizeF, behind: QBrush) -> None:
        """What is remembered, in its place and on its side, over ``behind``; ``painter`` is in view pixels."""
        if self._image is None or not self.shown:
            return
        painter.save()
        painter.setClipRect(self.before(view), Qt.ClipOperation.IntersectClip)
        if self._image.hasAlphaChannel():
            path = QPainterPath()
            path.addRect(self._box)
            painter.fillPath(transform.map(path), behind)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, abs(transform.determinant()) < 4.0)
        painter.setTransform(transform, True)
        painter.drawImage(self._box, self._image, QRectF(self._image.rect()))
        painter.restore()

    def draw_line(self, painter: QPainter, view: QSizeF) -> None:
        """The line with its handle, and which side is which."""
        if not self.wiping or self.held:
            return
        x, middle = self.place(view), view.height() / 2
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 150), 4.0), (QColor(255, 255, 255), 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, 0.0), QPointF(x, view.height()))
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1.0))
        painter.setBrush(QColor(255, 255, 255))
        painter.drawEllipse(QPointF(x, middle), _KNOB, _KNOB)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(40, 40, 40))
        for way in (-1, 1):
            tip, back = x + way * 0.62 * _KNOB, x + way * 0.2 * _KNOB
            painter.drawPolygon(
                QPolygonF([QPointF(tip, middle), QPointF(back, middle - 4.5), QPointF(back, middle + 4.5)])
            )
        _draw_word(painter, "Before", x, -1)
        _draw_word(painter, "After", x, 1)
        painter.restore()


def _draw_word(painter: QPainter, word: str, x: float, side: int) -> None:
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(word) + 2 * _GAP, metrics.height() + _GAP / 2
    left = x + _GAP if side > 0 else x - _GAP - width
    room = QRectF(left, _GAP, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 210))
    painter.drawRoundedRect(room, 4, 4)
    painter.setPen(QColor(240, 240, 240))
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, word)

"""The navigator: the whole picture, small, with a frame around what is seen of it; drag to move the view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPalette, QPen, QTransform
from PySide6.QtWidgets import QWidget

from app.core.geometry import Size
from app.ui.canvas.checkerboard import checkerboard
from app.ui.canvas.view import CanvasView

_SIDE, _GAP = 168, 12  # view pixels


class Navigator(QWidget):
    """Lies in the lower right corner of the canvas for as long as a part of the picture is out of sight."""

    def __init__(self, canvas: CanvasView, parent: QWidget) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._host = parent
        self.wanted = True
        self.setObjectName("navigator")
        self.setAccessibleName("Navigator")
        self.setToolTip("The whole picture; drag to move the view.")
        self.setCursor(Qt.CursorShape.SizeAllCursor)
        parent.installEventFilter(self)
        canvas.viewport.moved.connect(self.refresh)
        canvas.document.reset.connect(self.refresh)
        canvas.document.picture_changed.connect(lambda _: self.update())  # whose region is in picture pixels
        self.hide()

    def set_wanted(self, wanted: bool) -> None:
        """Whether it comes up by itself."""
        self.wanted = wanted
        self.refresh()

    def refresh(self) -> None:
        """Come, go, or show another part."""
        document = self._canvas.document
        seen = QRectF(self._canvas.rect()).adjusted(-1, -1, 1, 1)
        whole = self._canvas.viewport.transform.mapRect(QRectF(document.box))
        self.setVisible(self.wanted and document.has_picture and not seen.contains(whole))
        if self.isVisible():
            size = thumbnail_size(document.size)
            self.setGeometry(
                self._host.width() - size.width() - _GAP, self._host.height() - size.height() - _GAP,
                size.width(), size.height(),
            )  # fmt: skip
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host:
            self.refresh()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._canvas.viewport.centre_on(self._to_thumbnail().inverted()[0].map(event.position()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        image = self._canvas.thumbnail(self.width() * self.devicePixelRatioF())
        if image.hasAlphaChannel():
            painter.fillRect(self.rect(), checkerboard(self.palette()))
        painter.drawImage(QRectF(self.rect()), image, QRectF(image.rect()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_seen(painter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1.0))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _draw_seen(self, painter: QPainter) -> None:
        """What is out of sight in shade, what is seen in a frame."""
        seen = QPainterPath()
        seen.addRect(QRectF(self._canvas.rect()))
        seen = (self._canvas.viewport.transform.inverted()[0] * self._to_thumbnail()).map(seen)
        rest = QPainterPath()
        rest.addRect(QRectF(self.rect()))
        painter.fillPath(rest.subtracted(seen), QColor(0, 0, 0, 110))
        for colour, width in ((QColor(0, 0, 0, 180), 3.0), (QColor(255, 255, 255), 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawPath(seen)

    def _to_thumbnail(self) -> QTransform:
        """From the picture's pixels to the widget's."""
        size = self._canvas.document.size
        return QTransform.fromScale(self.width() / size.width, self.height() / size.height)


def thumbnail_size(picture: Size) -> QSize:
    """The picture's proportions within the navigator's room, however long and thin it is."""
    scale = _SIDE / max(picture.width, picture.height)
    return QSize(max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))

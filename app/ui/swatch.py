"""A button that shows a colour and lets the person choose another."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QColorDialog, QToolButton, QWidget

_SIDE = 18

Colour = tuple[int, int, int]


class SwatchButton(QToolButton):
    """Shows ``colour``, red, green and blue from 0 to 255; a click opens the system's way to choose."""

    colour_changed = Signal(object)
    """The Colour that the person chose."""

    def __init__(self, name: str, label: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour: Colour = (0, 0, 0)
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setToolTip(tip)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(self._ask)
        self.set_colour(self._colour)

    @property
    def colour(self) -> Colour:
        return self._colour

    def set_colour(self, colour: Colour) -> None:
        """Show a colour without saying that it changed."""
        self._colour = colour
        self.setIcon(QIcon(self._drawn()))
        self.setAccessibleDescription(f"Red {colour[0]}, green {colour[1]}, blue {colour[2]}")

    def _drawn(self) -> QPixmap:
        scale = self.devicePixelRatioF()
        pixmap = QPixmap(round(_SIDE * scale), round(_SIDE * scale))
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.setBrush(QColor(*self._colour))
        painter.drawRoundedRect(QRectF(0.5, 0.5, _SIDE - 1, _SIDE - 1), 3, 3)
        painter.end()
        return pixmap

    def _ask(self) -> None:
        dialog = QColorDialog(QColor(*self._colour), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda colour: self._take((colour.red(), colour.green(), colour.blue())))
        dialog.open()

    def _take(self, colour: Colour) -> None:
        if colour != self._colour:
            self.set_colour(colour)
            self.colour_changed.emit(colour)

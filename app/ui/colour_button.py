"""The colour in hand: a swatch whose menu holds the recent colours and the way to any other."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QGridLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from app.document.surfaces import Colour
from app.ui.canvas.colours import MOST, Colours
from app.ui.theme import GRID

_SIDE = 20
_COLUMNS = 8


class ColourButton(QToolButton):
    """Shows the colour that is painted with; its menu chooses another."""

    def __init__(self, colours: Colours, name: str) -> None:
        super().__init__()
        self._colours = colours
        self.setObjectName(name)
        self.setAccessibleName("Colour")
        self.setToolTip(
            "The colour to paint with; click for the recent ones and any other (Alt and a click picks one)."
        )
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setProperty("flat", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._recent = [self._make_recent(number) for number in range(MOST)]
        self.setMenu(self._make_menu())
        colours.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        colour, recent = self._colours.current, self._colours.recent
        self.setIcon(_icon(colour, self.palette(), self.devicePixelRatioF()))
        self.setAccessibleDescription(_words(colour))
        for number, button in enumerate(self._recent):
            button.setVisible(number < len(recent))
            its = recent[min(number, len(recent) - 1)]
            button.setIcon(_icon(its, self.palette(), self.devicePixelRatioF()))
            button.setAccessibleName(_words(its))
            button.setToolTip(f"Paint with this colour: {_words(its).lower()}.")

    def _make_recent(self, number: int) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"{self.objectName()}Recent{number}")
        button.setIconSize(QSize(_SIDE, _SIDE))
        button.setProperty("flat", True)
        button.clicked.connect(lambda: self._choose(self._colours.recent[number]))
        return button

    def _make_menu(self) -> QMenu:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.setSpacing(GRID)
        heading = QLabel("Recent colours")
        heading.setProperty("quiet", True)
        column.addWidget(heading)
        grid = QGridLayout()
        grid.setSpacing(2)
        for number, button in enumerate(self._recent):
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
        grid.setColumnStretch(_COLUMNS, 1)
        column.addLayout(grid)
        other = QPushButton("Another colour…")
        other.setObjectName(f"{self.objectName()}Other")
        other.setAccessibleName("Another colour")
        other.setToolTip("Choose any colour.")
        other.clicked.connect(self._ask)
        column.addWidget(other)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(content)
        menu.addAction(action)
        return menu

    def _choose(self, colour: Colour) -> None:
        self._colours.choose(colour)
        self.menu().close()

    def _ask(self) -> None:
        self.menu().close()
        dialog = QColorDialog(QColor(*self._colours.current), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda it: self._colours.choose((it.red(), it.green(), it.blue())))
        dialog.open()


def _words(colour: Colour) -> str:
    return f"Red {colour[0]}, green {colour[1]}, blue {colour[2]}"


def _icon(colour: Colour, palette: QPalette, scale: float) -> QIcon:
    pixmap = QPixmap(round(_SIDE * scale), round(_SIDE * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(palette.color(QPalette.ColorRole.Mid))
    painter.setBrush(QColor(*colour))
    painter.drawRoundedRect(QRectF(1.5, 1.5, _SIDE - 3, _SIDE - 3), 4, 4)
    painter.end()
    return QIcon(pixmap)

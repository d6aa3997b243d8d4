"""The rail of tools beside the canvas."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QWidget

from app.ui.theme import GRID


class ToolRail(QWidget):
    """One button for each tool and a few for the mask; each shows an action. In groups with a line between them, one
    below the other; in a low window in two columns."""

    def __init__(self, groups: list[list[QAction]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolRail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._groups = [[_tool_button(action) for action in actions] for actions in groups]
        self._lines = [_line() for _ in self._groups[1:]]
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(6, GRID, 6, GRID)
        self._grid.setSpacing(GRID // 2)
        self._arrange(1)
        self._tall = self._grid.minimumSize().height()

    def minimumSizeHint(self) -> QSize:
        """As wide as it is now, as high as with two columns."""
        rows = sum(-(-len(group) // 2) for group in self._groups)
        button = self._groups[0][0].sizeHint().height()
        lines = len(self._lines)
        gaps = (rows - 1 + lines) * self._grid.spacing() + lines
        return QSize(self._grid.minimumSize().width(), rows * button + gaps + 2 * GRID)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange(1 if self.height() >= self._tall else 2)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        row = 0
        while self._grid.takeAt(0) is not None:
            pass
        for old in range(self._grid.rowCount()):
            self._grid.setRowStretch(old, 0)
        for number, buttons in enumerate(self._groups):
            if number:
                self._grid.addWidget(self._lines[number - 1], row, 0, 1, columns)
                row += 1
            for at, button in enumerate(buttons):
                self._grid.addWidget(button, row + at // columns, at % columns)
            row += -(-len(buttons) // columns)
        self._grid.setRowStretch(row, 1)
        self.updateGeometry()


def _line() -> QFrame:
    line = QFrame()
    line.setObjectName("railLine")
    line.setFixedHeight(1)
    return line


def _tool_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setObjectName(f"{action.objectName()}Button")
    button.setAccessibleName(action.text().replace("&", ""))
    button.setIconSize(QSize(22, 22))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

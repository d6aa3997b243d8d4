"""About Limner: its version, and whose work it stands on, with their licences."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app import __version__
from app.library.licences import Licence, find_licences
from app.ui.icons import app_icon
from app.ui.theme import GRID

_ICON = 64


class AboutDialog(QDialog):
    """Shows one licence at a time beside the list of all. It does not block the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("aboutDialog")
        self.setWindowTitle("About Limner")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 520)
        licences = find_licences()
        self._list = _make_list(licences)
        self._text = _make_text()
        self._list.currentItemChanged.connect(self._show)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(self._make_head(len(licences)))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self._list, 2)
        row.addWidget(self._text, 5)
        column.addLayout(row, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self._list.setCurrentRow(0)

    def _make_head(self, count: int) -> QHBoxLayout:
        sign = QLabel()
        sign.setPixmap(app_icon().pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF()))
        title = QLabel(f"Limner {__version__}")
        title.setObjectName("aboutTitle")
        title.setProperty("heading", True)
        inside = "" if count > 1 else " Run from source, the libraries that it uses keep theirs in their own folders."
        words = QLabel(
            "A studio for painting with Stable Diffusion v1 on your own machine. Nothing leaves your computer.\n"
            f"These are the licences of what is inside.{inside}"
        )
        words.setObjectName("aboutWords")
        words.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(GRID // 2)
        column.addWidget(title)
        column.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        return row

    def _show(self, item: QListWidgetItem | None, _before: QListWidgetItem | None = None) -> None:
        if item is None:
            return
        licence: Licence = item.data(Qt.ItemDataRole.UserRole)
        try:
            self._text.setPlainText(licence.text())
        except OSError as error:
            self._text.setPlainText(f"{licence.file} cannot be read ({error.strerror}).")


def _make_list(licences: list[Licence]) -> QListWidget:
    view = QListWidget()
    view.setObjectName("licenceList")
    view.setAccessibleName("What is inside")
    view.setToolTip("Choose a component to read its licence.")
    for licence in licences:
        item = QListWidgetItem(licence.name)
        item.setToolTip(licence.kind)
        item.setData(Qt.ItemDataRole.UserRole, licence)
        view.addItem(item)
    return view


def _make_text() -> QPlainTextEdit:
    text = QPlainTextEdit()
    text.setObjectName("licenceText")
    text.setAccessibleName("Licence")
    text.setToolTip("The licence, word for word.")
    text.setReadOnly(True)
    text.setTabChangesFocus(True)
    return text

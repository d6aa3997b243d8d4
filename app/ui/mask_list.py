"""The list of masks: which there are, and which one is in use, to be painted on and to be sent."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QMenu, QToolButton, QVBoxLayout, QWidget

from app.document.document import Document
from app.document.mask_commands import (
    ChangeMasks,
    add_mask,
    choose_mask,
    combine_mask,
    delete_mask,
    duplicate_mask,
    rename_mask,
)
from app.document.masks import Combine
from app.ui.icons import icon
from app.ui.theme import GRID

_ROWS = 4  # that are seen at once
_TIP = "The masks of this picture. The chosen one is shown, painted on and sent; a double click or F2 renames it."
_WORDS = {
    Combine.ADD: ("Add “{}”", "Mark what it marks as well"),
    Combine.SUBTRACT: ("Take “{}” away", "Mark no more what it marks"),
    Combine.INTERSECT: ("Only inside “{}”", "Keep only what it marks as well"),
}


class MaskList(QWidget):
    """One row a mask, and what can be done with the one in use."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskListField")
        self._document = document
        self._list = self._make_list()
        self._combine = self._make_combine()
        self._delete = _button(
            "maskDelete", "bin", "Delete the mask", "Delete the chosen mask.", lambda: self._push(delete_mask)
        )
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID // 2)
        for button in (
            _button("maskAdd", "plus", "New mask", "Add an empty mask and choose it.", lambda: self._push(add_mask)),
            _button(
                "maskDuplicate",
                "copy",
                "Duplicate the mask",
                "Copy the chosen mask, and choose the copy.",
                lambda: self._push(duplicate_mask),
            ),
            self._combine,
            self._delete,
        ):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self._list)
        column.addLayout(buttons)
        document.masks_changed.connect(self._refresh)
        document.mask_emptied.connect(self._refresh)
        self._refresh()

    def _make_list(self) -> QListWidget:
        rows = QListWidget()
        rows.setObjectName("maskList")
        rows.setAccessibleName("Masks")
        rows.setAccessibleDescription(_TIP)
        rows.setToolTip(_TIP)
        rows.currentRowChanged.connect(self._choose)
        rows.itemChanged.connect(self._rename)
        return rows

    def _make_combine(self) -> QToolButton:
        tip = "Change the chosen mask by another one: add it, take it away, or keep only what lies inside it."
        button = _button("maskCombine", "combine", "Combine with another mask", tip, None)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        menu.setObjectName("maskCombineMenu")
        menu.aboutToShow.connect(lambda: self._fill(menu))
        button.setMenu(menu)
        return button

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        for how, (text, tip) in _WORDS.items():
            for number, mask in enumerate(self._document.masks.items):
                if number != self._document.masks.active:
                    action = menu.addAction(text.format(mask.name.replace("&", "&&")))
                    action.setToolTip(tip)
                    action.triggered.connect(lambda _=False, number=number, how=how: self._combine_with(number, how))
            menu.addSeparator()

    def _combine_with(self, number: int, how: Combine) -> None:
        if (step := combine_mask(self._document, number, how)) is not None:
            self._document.undo.push(step)

    def _push(self, make: Callable[[Document], ChangeMasks]) -> None:
        self._document.undo.push(make(self._document))

    def _choose(self, number: int) -> None:
        if number >= 0 and number != self._document.masks.active:
            self._document.undo.push(choose_mask(self._document, number))

    def _rename(self, item: QListWidgetItem) -> None:
        number = self._list.row(item)
        name = " ".join(item.text().split())
        if name and name != self._document.masks.items[number].name:
            self._document.undo.push(rename_mask(self._document, number, name))
        else:
            self._refresh()

    def _refresh(self, *_: object) -> None:
        masks = self._document.masks
        with QSignalBlocker(self._list):
            while self._list.count() > len(masks.items):
                self._list.takeItem(self._list.count() - 1)
            for number, mask in enumerate(masks.items):
                if number == self._list.count():
                    self._list.addItem("")
                item = self._list.item(number)
                item.setText(mask.name)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self._list.setCurrentRow(masks.active)
        shown = min(_ROWS, len(masks.items))
        self._list.setFixedHeight(shown * (self._list.fontMetrics().height() + GRID) + GRID)
        self._combine.setEnabled(len(masks.items) > 1)
        self._delete.setEnabled(len(masks.items) > 1 or not self._document.mask_empty)


def _button(name: str, picture: str, label: str, tip: str, act: Callable[[], object] | None) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"{name}Button")
    button.setIcon(icon(picture))
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if act is not None:
        button.clicked.connect(lambda: act())
    return button

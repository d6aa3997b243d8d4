"""Keyboard shortcuts: a list to search in, and a field that takes another key."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.actions import ACTIONS
from app.ui.canvas.key_table import CANVAS_KEYS
from app.ui.shortcuts import FIXED, ROWS, Row, Shortcuts
from app.ui.theme import GRID

_NATIVE = QKeySequence.SequenceFormat.NativeText
_ID = Qt.ItemDataRole.UserRole


class ShortcutDialog(QDialog):
    """Every action and what the canvas does by keys, and the few keys that are fixed. It does not block the window."""

    def __init__(self, shortcuts: Shortcuts, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shortcutDialog")
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 560)
        self._shortcuts = shortcuts
        self._rows = ROWS
        self._items: list[QTreeWidgetItem] = []
        self._search = self._make_search()
        self._list = self._make_list()
        self._field = self._make_field()
        self._warning = QLabel()
        self._warning.setObjectName("shortcutWarning")
        self._warning.setWordWrap(True)
        self._warning.setMinimumHeight(2 * self._warning.fontMetrics().lineSpacing())
        self._warning.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._set = _button("shortcutSet", "Set", "Use this key for the chosen action.", self._put)
        self._clear = _button("shortcutClear", "Remove", "Leave the chosen action without a key.", self._remove)
        self._reset = _button("shortcutReset", "Reset", "Give the chosen action its first keys again.", self._reset_one)
        self._reset_all = _button(
            "shortcutResetAll", "Reset all", "Give every action its first keys.", self._reset_each
        )
        self._lay_out()
        shortcuts.changed.connect(self._show)
        self._show()
        self._list.setCurrentItem(self._items[0])
        self._search.setFocus()

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setObjectName("shortcutSearch")
        search.setAccessibleName("Search the shortcuts")
        search.setPlaceholderText("Search by name or key")
        search.setToolTip("Part of an action's name, or of its key.")
        search.setClearButtonEnabled(True)
        search.textChanged.connect(self._filter)
        return search

    def _make_list(self) -> QTreeWidget:
        rows = QTreeWidget()
        rows.setObjectName("shortcutList")
        rows.setAccessibleName("Actions and their keys")
        rows.setToolTip("What can be done, and the key that does it; grey ones are fixed.")
        rows.setColumnCount(2)
        rows.setHeaderLabels(["Action", "Key"])
        rows.setRootIsDecorated(False)
        rows.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        rows.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        rows.currentItemChanged.connect(self._on_chosen)
        for row in ACTIONS:
            item = QTreeWidgetItem([row.text.replace("&", ""), ""])
            item.setData(0, _ID, row.id)
            item.setToolTip(0, row.tip)
            self._items.append(item)
        for key_row in CANVAS_KEYS:
            item = QTreeWidgetItem([f"{key_row.text} (on the canvas)", ""])
            item.setData(0, _ID, key_row.id)
            item.setToolTip(0, key_row.tip)
            self._items.append(item)
        for key, what in FIXED.items():
            item = QTreeWidgetItem([f"{what} (on the canvas)", QKeySequence(key).toString(_NATIVE)])
            item.setDisabled(True)
            self._items.append(item)
        rows.addTopLevelItems(self._items)
        return rows

    def _make_field(self) -> QKeySequenceEdit:
        field = QKeySequenceEdit()
        field.setObjectName("shortcutField")
        field.setAccessibleName("New key")
        field.setToolTip("Press the key that the chosen action should have.")
        field.setMaximumSequenceLength(1)
        field.keySequenceChanged.connect(self._warn)
        return field

    def _lay_out(self) -> None:
        label = QLabel("New key")
        label.setBuddy(self._field)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(label)
        row.addWidget(self._field, 1)
        for button in (self._set, self._clear, self._reset):
            row.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self._reset_all, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self._search)
        column.addWidget(self._list, 1)
        column.addLayout(row)
        column.addWidget(self._warning)
        column.addWidget(buttons)

    @property
    def _chosen(self) -> Row | None:
        item = self._list.currentItem()
        return self._rows.get(item.data(0, _ID)) if item is not None else None

    @property
    def _key(self) -> str:
        return self._field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _put(self) -> None:
        if self._chosen is not None and self._set.isEnabled():
            self._shortcuts.put(self._chosen.id, self._key)
            self._field.clear()

    def _remove(self) -> None:
        if self._chosen is not None:
            self._shortcuts.clear(self._chosen.id)

    def _reset_one(self) -> None:
        if self._chosen is not None:
            self._shortcuts.reset(self._chosen.id)

    def _reset_each(self) -> None:
        self._shortcuts.reset_all()

    def _show(self) -> None:
        for item in self._items:
            row = self._rows.get(item.data(0, _ID))
            if row is not None:
                keys = (QKeySequence(key).toString(_NATIVE) for key in self._shortcuts.keys(row.id))
                item.setText(1, ", ".join(keys))
        self._filter()
        self._warn()

    def _filter(self) -> None:
        words = self._search.text().casefold().split()
        for item in self._items:
            text = f"{item.text(0)} {item.text(1)}".casefold()
            item.setHidden(not all(word in text for word in words))

    def _on_chosen(self) -> None:
        self._field.clear()
        self._warn()

    def _warn(self) -> None:
        """Say what setting the key would do, before it does."""
        chosen, key = self._chosen, self._key
        fixed = chosen is None or chosen.fixed
        text, possible = "", bool(key) and not fixed
        shown = QKeySequence(key).toString(_NATIVE)
        owner = self._shortcuts.owner(key) if key else None
        if chosen is not None and chosen.fixed:
            text = f"The key of “{chosen.text}” is fixed."
        elif key in FIXED:
            text, possible = f"“{shown}” is a fixed key ({FIXED[key]}). Choose another one.", False
        elif owner is not None and chosen is not None and owner != chosen.id:
            other = self._rows[owner]
            text = f"“{shown}” is the key of “{other.text}”. Setting it here takes it away there."
            if other.fixed:
                text, possible = f"“{shown}” is the fixed key of “{other.text}”. Choose another one.", False
        self._warning.setText(text)
        self._set.setEnabled(possible)
        self._clear.setEnabled(not fixed and chosen is not None and bool(self._shortcuts.keys(chosen.id)))
        self._reset.setEnabled(chosen is not None and self._shortcuts.keys(chosen.id) != chosen.shortcuts)
        self._reset_all.setEnabled(self._shortcuts.own)


def _button(name: str, label: str, tip: str, act: object) -> QPushButton:
    button = QPushButton(label)
    button.setObjectName(name)
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setAutoDefault(False)  # Enter is a key like any other here
    button.clicked.connect(act)
    return button

"""The steps that can be undone and redone, as a list to jump in, and how much memory they may take."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QVBoxLayout, QWidget

from app.document.undo import LEAST_BUDGET, MEGABYTE, MOST_BUDGET
from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.slider import make_number
from app.ui.theme import GRID

_ROWS = 7  # that are seen at once
_TIP = "Every step of the picture and the mask; press one to go back or forward to it."


class StepsPanel(QWidget):
    """Folded away until it is wanted; only there once there is a step."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepsPanel")
        self._undo = desk.document.undo
        self._list = self._make_list()
        self._used = QLabel()
        self._used.setObjectName("undoUsed")
        self._used.setProperty("quiet", True)
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(GRID // 2)
        inner.addWidget(self._list)
        inner.addLayout(self._make_budget())
        self._content = content
        fold = fold_button(content, name="stepsButton", text="Steps", label="Steps to undo and redo", tip=_TIP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(content)
        fold.toggled.connect(self._refresh)
        self._undo.indexChanged.connect(self._refresh)
        self._undo.trimmed.connect(self._refresh)
        desk.document.packer.emptied.connect(self._show_used)
        self._refresh()

    def _make_list(self) -> QListWidget:
        rows = QListWidget()
        rows.setObjectName("stepsList")
        rows.setAccessibleName("Steps")
        rows.setAccessibleDescription(_TIP)
        rows.setToolTip(_TIP)
        rows.setFixedHeight(_ROWS * (rows.fontMetrics().height() + GRID) + GRID)
        rows.currentRowChanged.connect(self._jump)
        return rows

    def _make_budget(self) -> QHBoxLayout:
        tip = "How much memory undo may take. Over it the oldest steps are forgotten, the newest never."
        least, most = LEAST_BUDGET // MEGABYTE, MOST_BUDGET // MEGABYTE
        self._budget = make_number("undoBudgetSpin", "Undo memory", tip, least, most)
        self._budget.setSuffix(" MB")
        self._budget.setSingleStep(100)
        self._budget.setMinimumWidth(96)
        self._budget.setValue(self._undo.budget // MEGABYTE)
        self._budget.valueChanged.connect(lambda value: self._undo.set_budget(value * MEGABYTE))
        label = QLabel("Memory")
        label.setBuddy(self._budget)
        label.setToolTip(tip)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(label)
        row.addWidget(self._budget)
        row.addWidget(self._used, 1, Qt.AlignmentFlag.AlignRight)
        return row

    def _jump(self, row: int) -> None:
        if row >= 0:
            self._undo.setIndex(self._undo.floor + row)

    def _refresh(self, *_: object) -> None:
        """The first row is how things were before the first step that can be undone."""
        undo = self._undo
        self.setVisible(undo.count() > 0)
        if self._content.isHidden():  # nobody looks: a long list costs time with every stroke
            return
        first = "The beginning" if undo.floor == 0 else f"Before that, {undo.floor} forgotten"
        texts = [first, *(undo.text(number) for number in range(undo.floor, undo.count()))]
        with QSignalBlocker(self._list):
            while self._list.count() > len(texts):
                self._list.takeItem(self._list.count() - 1)
            for number, text in enumerate(texts):
                if number == self._list.count():
                    self._list.addItem(text)
                item = self._list.item(number)
                item.setText(text)
                undone = number > undo.index() - undo.floor
                item.setForeground(self.palette().placeholderText() if undone else self.palette().text())
            self._list.setCurrentRow(undo.index() - undo.floor)
        self._show_used()

    def _show_used(self) -> None:
        if self._content.isHidden():
            return
        self._used.setText(f"{self._undo.stored_bytes / MEGABYTE:,.0f} MB in use")
        with QSignalBlocker(self._budget):
            self._budget.setValue(self._undo.budget // MEGABYTE)

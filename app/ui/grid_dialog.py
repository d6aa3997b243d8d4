"""Asking for a grid: what changes along its sides, how many pictures that makes, and how long they will take."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import RequestError
from app.core.grid import AXES, Axis, Grid, make_grid, read_axis
from app.core.request import Request
from app.jobs.queue import JobQueue
from app.ui.slider import calm_wheel
from app.ui.theme import GRID
from app.ui.words import counted, minutes

_HOW = "Single values, 1-10, 1-10 (+2) or 1-10 [4], several with commas between."


class GridDialog(QDialog):
    """``request`` makes what the panels ask for at this moment, or raises RequestError."""

    asked = Signal(object)
    """A Grid."""

    def __init__(self, request: Callable[[], Request], queue: JobQueue, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("gridDialog")
        self.setWindowTitle("Paint a grid")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._request = request
        self._queue = queue
        self._grid: Grid | None = None
        self._kinds = (self._make_kind("gridAcross", "Across", False), self._make_kind("gridDown", "Down", True))
        self._values = (self._make_values("gridAcrossValues", "Across"), self._make_values("gridDownValues", "Down"))
        self._told = QLabel()
        self._told.setObjectName("gridTold")
        self._told.setWordWrap(True)
        self._told.setMinimumHeight(3 * self._told.fontMetrics().height())
        self._told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._paint = QPushButton("Paint")
        self._paint.setObjectName("gridPaint")
        self._paint.setAccessibleName("Paint the grid")
        self._paint.setToolTip("Line all of these pictures up and show them on a sheet (Enter).")
        self._paint.clicked.connect(self._ask)
        self._lay_out()
        self._kinds[0].setCurrentIndex(self._kinds[0].findData("guidance"))
        self._on_kind(0)
        self._on_kind(1)
        self._values[0].setFocus()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(GRID)
        grid.setColumnStretch(2, 1)
        for row, (text, kind, values) in enumerate(zip(("Across", "Down"), self._kinds, self._values, strict=True)):
            label = QLabel(text)
            label.setBuddy(kind)
            grid.addWidget(label, row, 0)
            grid.addWidget(kind, row, 1)
            grid.addWidget(values, row, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addLayout(grid)
        column.addWidget(self._told)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self._paint, QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = buttons.button(QDialogButtonBox.StandardButton.Cancel)
        cancel.setToolTip("Close, and paint nothing (Esc).")
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setMinimumWidth(520)

    def _make_kind(self, name: str, label: str, may_be_none: bool) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(name)
        combo.setAccessibleName(f"{label}: what changes")
        combo.setToolTip("What changes from cell to cell along this side.")
        if may_be_none:
            combo.addItem("Nothing", "")
        for kind in AXES.values():
            combo.addItem(kind.label, kind.id)
        calm_wheel(combo)
        number = int(may_be_none)
        combo.currentIndexChanged.connect(lambda _: self._on_kind(number))
        return combo

    def _make_values(self, name: str, label: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(name)
        field.setAccessibleName(f"{label}: values")
        field.setToolTip(_HOW)
        field.textChanged.connect(self._refresh)
        return field

    def _on_kind(self, number: int) -> None:
        if not hasattr(self, "_paint"):
            return
        id, field = self._kinds[number].currentData(), self._values[number]
        field.setEnabled(bool(id))
        field.setPlaceholderText(f"such as {AXES[id].hint}" if id else "")
        self._refresh()

    def _refresh(self) -> None:
        try:
            self._grid = self._read()
        except RequestError as error:
            self._grid = None
            self._told.setText(f"{error.message} {error.remedy}")
        else:
            self._told.setText(self._in_words(self._grid))
        self._paint.setEnabled(self._grid is not None)

    def _read(self) -> Grid:
        axes: list[Axis | None] = [
            read_axis(kind.currentData(), field.text()) if kind.currentData() else None
            for kind, field in zip(self._kinds, self._values, strict=True)
        ]
        across, down = axes
        assert across is not None  # only the other side may be nothing
        return make_grid(self._request(), across, down)

    def _in_words(self, grid: Grid) -> str:
        requests = [request for row in grid.cells for request in row]
        each = [self._queue.expected(request) for request in requests]
        text = counted(len(requests), "picture")
        if None in each:
            return f"{text}. How long that takes is known once this model has painted something."
        return f"{text}, about {minutes(sum(seconds for seconds in each if seconds is not None))}."

    def _ask(self) -> None:
        self._refresh()  # with what the panels say by now
        if self._grid is not None:
            self.asked.emit(self._grid)
            self.accept()

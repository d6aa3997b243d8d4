"""The mask as a whole: larger, smaller, softer, smoother."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.mask_work import MASK_EDITS, MaskEdit
from app.ui.slider import LabelledSlider, Place, Scale
from app.ui.theme import GRID

_COLUMNS = 3
_AMOUNT = Scale(
    name="maskAmount",
    label="By",
    tip="How many pixels of the picture the buttons below grow, shrink, feather or smooth by.",
    least=1, most=100, step=1, default=8, decimals=0, suffix=" px", curve=2.0,
)  # fmt: skip


class MaskPanel(QWidget):
    """Folded away until it is wanted; only there while there is a picture to put a mask on."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskPanel")
        self._desk = desk
        self._amount = LabelledSlider(_AMOUNT, label=Place.BESIDE)
        content = self._make_content()
        tip = "Grow, shrink, feather and smooth the mask."
        fold = fold_button(content, name="maskButton", text="Mask", label="Mask settings", tip=tip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(content)
        desk.document.reset.connect(self._refresh)
        desk.document.changed.connect(self._refresh)
        desk.document.mask_emptied.connect(self._refresh)
        self._refresh()

    def _make_content(self) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID // 2)
        grid.addWidget(self._amount, 0, 0, 1, _COLUMNS)
        self._buttons = [self._make_button(row) for row in MASK_EDITS.values()]
        for number, button in enumerate(self._buttons):
            grid.addWidget(button, 1 + number // _COLUMNS, number % _COLUMNS)
        return content

    def _make_button(self, row: MaskEdit) -> QPushButton:
        button = QPushButton(row.label)
        button.setObjectName(f"mask_{row.id}Button")
        button.setAccessibleName(f"{row.label} the mask")
        button.setToolTip(row.tip)
        button.clicked.connect(lambda: self._desk.wishes.edit_mask.emit(row.id, round(self._amount.value)))
        return button

    def _refresh(self, *_: object) -> None:
        self.setVisible(self._desk.document.has_picture or not self._desk.document.mask_empty)
        for button in self._buttons:
            button.setEnabled(not self._desk.document.mask_empty)

"""The mask as a whole: larger, smaller, softer, smoother, and how it is shown."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.ui.canvas.mask_look import LEAST_OPACITY, MaskLook, MaskStyle
from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.mask_list import MaskList
from app.ui.mask_work import MASK_EDITS, MaskEdit
from app.ui.segments import Segments
from app.ui.slider import LabelledSlider, Place, Scale
from app.ui.theme import GRID

_COLUMNS = 3
_AMOUNT = Scale(
    name="maskAmount",
    label="By",
    tip="How many pixels of the picture the buttons below grow, shrink, feather or smooth by.",
    least=1, most=100, step=1, default=8, decimals=0, suffix=" px", curve=2.0,
)  # fmt: skip
_OPACITY = Scale(
    name="maskOpacity",
    label="Opacity",
    tip="More shows the mask more strongly, less lets the picture through; what is repainted stays the same.",
    least=LEAST_OPACITY, most=1.0, step=0.01, default=0.5,
)  # fmt: skip
_STYLES = (
    (MaskStyle.COLOUR, "Colour", "Show the mask in a colour that stands out from what is under it."),
    (MaskStyle.HATCH, "Hatch", "Show the mask as stripes: readable on a picture of any colours."),
    (MaskStyle.OUTLINE, "Outline", "Show only a line around what is marked, weak areas too."),
    (MaskStyle.HEAT, "Strength", "Show how strongly each place is marked: dark blue a little, yellow fully."),
)


class MaskPanel(QWidget):
    """Folded away until it is wanted; only there while there is a picture to put a mask on."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskPanel")
        self._desk = desk
        self._amount = LabelledSlider(_AMOUNT, label=Place.BESIDE)
        self._styles = Segments(_STYLES)
        self._styles.chosen.connect(lambda style: desk.mask_looks.update(style=style))
        self._opacity = LabelledSlider(_OPACITY, label=Place.BESIDE)
        self._opacity.value_changed.connect(lambda value: desk.mask_looks.update(opacity=value))
        content = self._make_content()
        tip = "Choose among several masks, grow, shrink, feather and smooth one, and choose how it is shown."
        fold = fold_button(content, name="maskButton", text="Mask", label="Mask settings", tip=tip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(content)
        desk.mask_looks.changed.connect(self._show_look)
        self._show_look(desk.mask_looks.look)
        desk.document.reset.connect(self._refresh)
        desk.document.changed.connect(self._refresh)
        desk.document.mask_emptied.connect(self._refresh)
        self._refresh()

    def _make_content(self) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID // 2)
        grid.addWidget(MaskList(self._desk.document), 0, 0, 1, _COLUMNS)
        grid.setRowMinimumHeight(1, GRID // 2)
        grid.addWidget(self._amount, 2, 0, 1, _COLUMNS)
        self._buttons = [self._make_button(row) for row in MASK_EDITS.values()]
        for number, button in enumerate(self._buttons):
            grid.addWidget(button, 3 + number // _COLUMNS, number % _COLUMNS)
        below = 3 + -(-len(self._buttons) // _COLUMNS)
        grid.setRowMinimumHeight(below, GRID // 2)
        grid.addWidget(self._styles, below + 1, 0, 1, _COLUMNS)
        grid.addWidget(self._opacity, below + 2, 0, 1, _COLUMNS)
        return content

    def _make_button(self, row: MaskEdit) -> QPushButton:
        button = QPushButton(row.label)
        button.setObjectName(f"mask_{row.id}Button")
        button.setAccessibleName(f"{row.label} the mask")
        button.setToolTip(row.tip)
        button.clicked.connect(lambda: self._desk.wishes.edit_mask.emit(row.id, round(self._amount.value)))
        return button

    def _show_look(self, look: MaskLook) -> None:
        self._styles.choose(look.style)
        self._opacity.set_value(look.opacity)
        self._opacity.setVisible(look.style is not MaskStyle.OUTLINE)

    def _refresh(self, *_: object) -> None:
        self.setVisible(self._desk.document.has_picture or not self._desk.document.mask_empty)
        for button in self._buttons:
            button.setEnabled(not self._desk.document.mask_empty)

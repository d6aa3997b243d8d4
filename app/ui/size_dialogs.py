"""The two questions about sizes: how large the canvas is to be, and how large the picture is to be drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import RequestError
from app.core.extent import Anchor, anchored, check_extent
from app.core.geometry import Rect, Size
from app.core.request import MOST_SIDE
from app.ui.slider import named_number
from app.ui.theme import GRID

_PLACES = (("top left", "top", "top right"), ("left", "middle", "right"), ("bottom left", "bottom", "bottom right"))
_LEAST = 8


class _SizeDialog(QDialog):
    """Width and height, and what is wrong with them. It does not block the window."""

    def __init__(self, name: str, title: str, picture: Size, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picture = picture
        self.width_spin = self._spin(f"{name}Width", "Width", picture.width)
        self.height_spin = self._spin(f"{name}Height", "Height", picture.height)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(2 * GRID)
        self.grid.setVerticalSpacing(GRID)
        for row, (label, spin) in enumerate((("Width", self.width_spin), ("Height", self.height_spin))):
            self.grid.addWidget(QLabel(label), row, 0)
            self.grid.addWidget(spin, row, 1)
        self.line = QLabel()
        self.line.setObjectName(f"{name}Line")
        self.line.setProperty("quiet", True)
        self.line.setWordWrap(True)
        self.line.setMinimumWidth(300)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(self.grid)
        column.addWidget(self.line)
        column.addWidget(self.buttons)

    @property
    def size_asked(self) -> Size:
        return Size(self.width_spin.value(), self.height_spin.value())

    def show_area(self, area: Rect, words: str) -> None:
        """Say ``words``, or why the picture cannot have this area."""
        try:
            check_extent(area, self.picture)
        except RequestError as error:
            words, possible = str(error), False
        else:
            possible = True
        self.line.setText(words)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(possible)

    def _spin(self, name: str, label: str, value: int) -> QSpinBox:
        spin = named_number(QSpinBox(), name, label, f"{label} in pixels.")
        spin.setRange(min(_LEAST, value), MOST_SIDE)
        spin.setSuffix(" px")
        spin.setValue(value)
        return spin


class CanvasSizeDialog(_SizeDialog):
    """Another size of the canvas around the picture, which keeps its own."""

    chosen = Signal(object, bool)
    """A Rect of the picture's pixels that the canvas is to hold, and whether what is new is to be marked."""

    def __init__(self, picture: Size, parent: QWidget) -> None:
        super().__init__("canvasSize", "Canvas size", picture, parent)
        self._anchor: Anchor = (0.5, 0.5)
        self.grid.addWidget(QLabel("Picture stays"), 2, 0, Qt.AlignmentFlag.AlignTop)
        self.grid.addLayout(self._make_anchors(), 2, 1)
        self._mark = QCheckBox("Mark what is new")
        self._mark.setObjectName("canvasSizeMark")
        self._mark.setAccessibleName("Mark what is new")
        self._mark.setToolTip("Put the new part under the mask, so that the model fills it.")
        self._mark.setChecked(True)
        self.grid.addWidget(self._mark, 3, 1)
        self.width_spin.valueChanged.connect(self._show)
        self.height_spin.valueChanged.connect(self._show)
        self.accepted.connect(lambda: self.chosen.emit(self._area, self._mark.isChecked()))
        self._show()

    @property
    def _area(self) -> Rect:
        return anchored(self.picture, self.size_asked, self._anchor)

    def _show(self) -> None:
        now, then = self.picture, self.size_asked
        more = ", ".join(
            f"{abs(by)} px {'more' if by > 0 else 'less'} {way}"
            for by, way in ((then.width - now.width, "across"), (then.height - now.height, "down"))
            if by
        )
        self.show_area(self._area, f"The picture is not scaled: {more or 'as it is'}.")

    def _make_anchors(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(2)
        group = QButtonGroup(self)
        for row, names in enumerate(_PLACES):
            for column, name in enumerate(names):
                button = QToolButton()
                button.setObjectName(f"anchor{row}{column}")
                button.setCheckable(True)
                button.setChecked(name == "middle")
                button.setFixedSize(28, 28)
                button.setText("•")
                button.setProperty("anchor", True)  # the chosen one is told from the others
                button.setAccessibleName(f"Picture at the {name}")
                button.setToolTip(f"The picture stays at the {name} of the canvas.")
                button.clicked.connect(lambda _=False, at=(column / 2, row / 2): self._keep_at(at))
                group.addButton(button)
                grid.addWidget(button, row, column)
        grid.setColumnStretch(3, 1)
        return grid

    def _keep_at(self, anchor: Anchor) -> None:
        self._anchor = anchor
        self._show()


class ScaleDialog(_SizeDialog):
    """Another size of the picture and all that belongs to it, with its aspect kept."""

    chosen = Signal(object)
    """A Size."""

    def __init__(self, picture: Size, parent: QWidget) -> None:
        super().__init__("scalePicture", "Scale picture", picture, parent)
        self.width_spin.valueChanged.connect(lambda value: self._follow(value / picture.width, self.height_spin))
        self.height_spin.valueChanged.connect(lambda value: self._follow(value / picture.height, self.width_spin))
        self.accepted.connect(lambda: self.chosen.emit(self.size_asked))
        self._follow(1.0, self.height_spin)

    def _follow(self, factor: float, other: QSpinBox) -> None:
        side = self.picture.height if other is self.height_spin else self.picture.width
        other.blockSignals(True)
        other.setValue(max(1, round(side * factor)))
        other.blockSignals(False)
        size = self.size_asked
        words = f"{factor:.0%} of {self.picture.width} × {self.picture.height}; width and height go together."
        self.show_area(Rect.whole(size), words)

"""The layers of the picture: which there are, how they lie and look, and which one is edited."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.icons import icon
from app.ui.layer_edits import LayerEdits
from app.ui.layer_list import LayerList
from app.ui.slider import LabelledSlider, Place, Scale
from app.ui.theme import GRID

_OPACITY = Scale(
    name="layerOpacity",
    label="Opacity",
    tip="More hides what is under the layer, less lets it through.",
    least=0, most=100, step=1, default=100, decimals=0, suffix=" %",
)  # fmt: skip


class LayersPanel(QWidget):
    """Folded away until it is wanted; only there while there are layers. One row a layer, the uppermost first."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layersPanel")
        self._document = desk.document
        self._edits = LayerEdits(desk.document, self)
        self._view = LayerList(desk.document, self._edits)
        self._opacity = LabelledSlider(_OPACITY, label=Place.BESIDE)
        self._opacity.value_changed.connect(lambda percent: self._edits.fade(percent / 100))
        edits = self._edits
        self._add = _button("layerAdd", "layer-add", "Add layer", "An empty layer to paint on.", edits.add_paint)
        self._copy = _button("layerDuplicate", "copy", "Duplicate layer", "The same layer again.", edits.duplicate)
        tip = "Lay it into the layer below; the picture looks the same."
        self._merge = _button("layerMerge", "merge-down", "Merge down", tip, edits.merge_down)
        tip = "Move the layer up; dragging works too (Ctrl+Up)."
        self._up = _button("layerUp", "chevron-up", "Layer up", tip, lambda: edits.shift_order(1))
        tip = "Move the layer down; dragging works too (Ctrl+Down)."
        self._down = _button("layerDown", "chevron-down", "Layer down", tip, lambda: edits.shift_order(-1))
        self._bin = _button(
            "layerRemove", "bin", "Delete layer", "Delete the layer (Delete); undo brings it back.", edits.remove
        )
        content = self._make_content()
        tip = "What the picture is stacked of: results and paint over the picture, each to hide, fade or move."
        self._fold = fold_button(content, name="layersButton", text="Layers", label="Layers", tip=tip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(content)
        desk.document.layers_changed.connect(self._refresh)
        self._refresh()

    def _make_content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("layersContent")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._opacity)
        column.addWidget(self._view)
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        for button in (self._add, self._copy, self._merge, self._up, self._down):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._bin)
        column.addLayout(row)
        return content

    def _refresh(self) -> None:
        layers, active = self._document.layers, self._document.active
        self.setVisible(bool(layers))
        self._fold.setText(f"Layers ({len(layers)})" if len(layers) > 1 else "Layers")
        self._view.follow()
        place = layers.index(active) if active is not None else -1
        for widget in (self._opacity, self._copy, self._bin):
            widget.setEnabled(active is not None)
        self._merge.setEnabled(place > 0)
        self._down.setEnabled(place > 0)
        self._up.setEnabled(0 <= place < len(layers) - 1)
        if active is not None:
            self._opacity.set_value(round(active.opacity * 100))


def _button(name: str, picture: str, label: str, tip: str, act: Callable[[], object]) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setIcon(icon(picture))
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.clicked.connect(lambda: act())
    return button

"""How a repainted part joins its picture, as rows for the settings: what the model sees, where it starts, the edges."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QWidget

from app.core.request import FrameChoice
from app.core.seam import MOST_REACH, Fill
from app.ui.desk import Desk
from app.ui.params import bind, bind_part
from app.ui.planned import PlannedSpin
from app.ui.slider import calm_wheel, named_number
from app.ui.swatch import SwatchButton
from app.ui.theme import GRID

_FRAMES = (
    (FrameChoice.AUTO, "Around the mask"),
    (FrameChoice.PARTS, "Around each part"),
    (FrameChoice.WHOLE, "Whole picture"),
)
_FILLS = (
    (Fill.ORIGINAL, "What is there"),
    (Fill.BLURRED, "Its colours, blurred"),
    (Fill.EDGES, "Colours from the edge"),
    (Fill.NOISE, "Noise"),
    (Fill.COLOUR, "One colour"),
)
_AUTO = "Auto follows strength and size."
_WIDTHS = (
    ("grow", "Grow", f"How far beyond the mask the model may go to fit the edge; the picture stays there. {_AUTO}"),
    ("feather", "Feather", f"From there on, less and less is repainted over this far. {_AUTO}"),
    ("ring", "Blend", f"How far inside the mask’s edge the new and the old picture mix. {_AUTO}"),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A name and what it names; both are shown, or neither."""

    label: QLabel
    field: QWidget

    def show(self, shown: bool) -> None:
        self.label.setVisible(shown)
        self.field.setVisible(shown)


def seam_rows(desk: Desk) -> tuple[Row, ...]:
    """They only matter while a part is repainted: whoever lays them out hides them otherwise."""
    frame = _combo("frameCombo", "Frame", "What the model is shown: more of the picture, or more detail.", _FRAMES)
    bind(desk.store, "frame", frame)
    widths = [_width(desk, *row) for row in _WIDTHS]
    match = QCheckBox("Match the surroundings")
    match.setObjectName("colourMatchCheck")
    match.setAccessibleName("Match colours to the surroundings")
    match.setToolTip("Bring the colours of what was painted to those right around the mask.")
    bind_part(desk.store, "seam", "colour_match", match)
    return Row(QLabel("Frame"), frame), Row(QLabel("Start"), _fill(desk)), *widths, Row(QLabel("Colours"), match)


def _fill(desk: Desk) -> QWidget:
    """What painting starts from; the colour beside it while that is one colour."""
    tip = "What painting starts from under the mask; it matters less at full strength."
    fill = _combo("fillCombo", "Start", tip, _FILLS)
    bind_part(desk.store, "seam", "fill", fill)
    swatch = SwatchButton(
        "fillColour", "Colour to start from", "The colour that painting starts from; click for another."
    )
    bind_part(desk.store, "seam", "colour", swatch)
    holder = QWidget()
    holder.setFocusProxy(fill)
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GRID // 2)
    row.addWidget(fill, 1)
    row.addWidget(swatch)

    def show() -> None:
        swatch.setVisible(desk.store.params.seam.fill is Fill.COLOUR)

    desk.store.changed.connect(show)
    show()
    return holder


def _width(desk: Desk, name: str, label: str, tip: str) -> Row:
    spin = named_number(PlannedSpin(MOST_REACH), f"{name}Spin", label, tip)
    bind_part(desk.store, "seam", name, spin)
    return Row(QLabel(label), spin)


def _combo(name: str, label: str, tip: str, rows: tuple[tuple[object, str], ...]) -> QComboBox:
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setAccessibleName(label)
    combo.setAccessibleDescription(tip)
    combo.setToolTip(tip)
    calm_wheel(combo)
    for value, text in rows:
        combo.addItem(text, value)
    return combo

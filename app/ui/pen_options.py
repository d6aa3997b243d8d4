"""How the brush follows the hand: smoothing, and what a pen's pressure does; behind one button, rarely touched."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox, QMenu, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from app.document.strokes import LEAST_CURVE, MOST_CURVE, Brush
from app.ui.canvas.view import CanvasView
from app.ui.icons import icon
from app.ui.slider import LabelledSlider, Scale
from app.ui.theme import GRID

_SMOOTHING = Scale(
    name="brushSmoothing",
    label="Smoothing",
    tip="More steadies an unsteady hand: the line is drawn behind the pointer as on a string; 0 follows it exactly.",
    least=0, most=1, step=0.01, default=0,
)  # fmt: skip
_CURVE = Scale(
    name="penCurve",
    label="Pen firmness",
    tip="More asks for a firmer hand to reach the full brush; less lets a light one do; 1 is as the pen says.",
    least=LEAST_CURVE, most=MOST_CURVE, step=0.05, default=1, curve=2.0,
)  # fmt: skip
_SWITCHES = (
    ("pen_size", "Pressure changes the size", "A lighter touch of the pen paints a thinner line."),
    ("pen_opacity", "Pressure changes the opacity", "A lighter touch of the pen marks less strongly."),
)


class PenOptions(QToolButton):
    """The button; its menu holds the settings of the brush in hand."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__()
        self._canvas = canvas
        self.setObjectName("penOptions")
        self.setIcon(icon("pen"))
        self.setIconSize(QSize(18, 18))
        self.setAccessibleName("Pen and smoothing")
        self.setToolTip("Smoothing of the line, and what a pen's pressure does.")
        self.setProperty("flat", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._sliders = {
            "smoothing": self._make_slider("smoothing", _SMOOTHING),
            "pen_curve": self._make_slider("pen_curve", _CURVE),
        }
        self._switches = {field: self._make_switch(field, label, tip) for field, label, tip in _SWITCHES}
        self.setMenu(self._make_menu())
        canvas.brush_changed.connect(self._show)
        self._show(canvas.brush)

    def _make_menu(self) -> QMenu:
        content = QWidget()
        content.setMinimumWidth(280)
        column = QVBoxLayout(content)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.setSpacing(GRID)
        for widget in (self._sliders["smoothing"], *self._switches.values(), self._sliders["pen_curve"]):
            column.addWidget(widget)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(content)
        menu.addAction(action)
        return menu

    def _make_slider(self, field: str, scale: Scale) -> LabelledSlider:
        slider = LabelledSlider(scale)
        slider.value_changed.connect(lambda value: self._edit(field, value))
        return slider

    def _make_switch(self, field: str, label: str, tip: str) -> QCheckBox:
        switch = QCheckBox(label)
        switch.setObjectName(f"{field}Switch")
        switch.setAccessibleName(label)
        switch.setToolTip(tip)
        switch.toggled.connect(lambda on: self._edit(field, on))
        return switch

    def _edit(self, field: str, value: float) -> None:
        self._canvas.set_brush(replace(self._canvas.brush, **{field: value}))  # type: ignore[arg-type]

    def _show(self, brush: Brush) -> None:
        for field, slider in self._sliders.items():
            slider.set_value(getattr(brush, field))
        for field, switch in self._switches.items():
            switch.setChecked(getattr(brush, field))

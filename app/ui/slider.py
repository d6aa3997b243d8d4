"""A slider with its name, and its number in a field that can be typed in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QGridLayout, QLabel, QSlider, QSpinBox, QWidget

from app.ui.theme import GRID

_TICKS = 200
_ARROWS = 38  # what a number field has beside its text


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What a slider ranges over. ``name`` begins its object names (guidanceSlider, guidanceSpin); ``tip`` is the
    sentence that says what more and less do. The slider itself counts in ``step``, unless ``curve`` is above 1: then
    small values have more room on it."""

    name: str
    label: str
    tip: str
    least: float
    most: float
    step: float
    default: float
    decimals: int = 2
    suffix: str = ""
    curve: float = 1.0

    @property
    def ends(self) -> tuple[int, int]:
        """The slider's own range: values in steps, or ticks along the curve."""
        return (0, _TICKS) if self.curve != 1.0 else (round(self.least / self.step), round(self.most / self.step))

    def value_at(self, tick: int) -> float:
        if self.curve == 1.0:
            return tick * self.step
        return self.least + (self.most - self.least) * math.pow(tick / _TICKS, self.curve)

    def tick_of(self, value: float) -> int:
        if self.curve == 1.0:
            return round(value / self.step)
        part = (value - self.least) / (self.most - self.least)
        return round(_TICKS * math.pow(max(0.0, part), 1 / self.curve))


class Place(Enum):
    """Where a slider's name stands."""

    ABOVE = "above"
    BESIDE = "beside"


class LabelledSlider(QWidget):
    """Slider and number show one value. The wheel works only with the focus; a double click sets the default."""

    value_changed = Signal(float)

    def __init__(self, scale: Scale, parent: QWidget | None = None, *, label: Place = Place.ABOVE) -> None:
        super().__init__(parent)
        self._scale = scale
        self._value = scale.default
        self.setObjectName(f"{scale.name}Field")
        self.slider = self._make_slider()
        self.number = self._make_number()
        self._label = QLabel(scale.label)
        self._label.setBuddy(self.number)
        self._label.setToolTip(scale.tip)
        if label is Place.BESIDE:  # in a row, every pixel counts; above each other, they should be of one width
            longest = max((self.number.textFromValue(end) for end in (scale.least, scale.most)), key=len) + scale.suffix
            self.number.setFixedWidth(self.number.fontMetrics().horizontalAdvance(longest) + _ARROWS)
        self._lay_out(label)
        self._show()
        self.slider.valueChanged.connect(lambda at: self._edit(scale.value_at(at)))
        self.number.valueChanged.connect(self._edit)

    @property
    def value(self) -> float:
        return self._value

    def set_value(self, value: float) -> None:
        """Show a value without saying that it changed."""
        self._value = self._rounded(value)
        self._show()

    @property
    def track_width(self) -> int:
        """The width that the slider itself takes at least; without it the name and the number remain."""
        return self.slider.minimumWidth() + GRID

    @property
    def track_shown(self) -> bool:
        return not self.slider.isHidden()

    def show_track(self, shown: bool) -> None:
        self.slider.setVisible(shown)

    def set_label(self, label: str, tip: str) -> None:
        """Another name for the same scale."""
        self._label.setText(label)
        for widget in (self._label, self.slider, self.number):
            widget.setToolTip(tip)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick and watched is self.slider:
            self._edit(self._scale.default)
            return True
        return super().eventFilter(watched, event)

    def _make_slider(self) -> QSlider:
        scale = self._scale
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setObjectName(f"{scale.name}Slider")
        slider.setAccessibleName(scale.label)
        slider.setAccessibleDescription(scale.tip)
        slider.setToolTip(scale.tip)
        slider.setRange(*scale.ends)
        slider.setPageStep(max(1, (slider.maximum() - slider.minimum()) // 10))
        slider.setMinimumWidth(48)
        calm_wheel(slider)
        slider.installEventFilter(self)
        return slider

    def _make_number(self) -> QDoubleSpinBox:
        scale = self._scale
        number = QDoubleSpinBox()
        number.setObjectName(f"{scale.name}Spin")
        number.setAccessibleName(f"{scale.label}, as a number")
        number.setAccessibleDescription(scale.tip)
        number.setToolTip(scale.tip)
        number.setDecimals(scale.decimals)
        number.setRange(scale.least, scale.most)
        number.setSingleStep(scale.step)
        number.setSuffix(scale.suffix)
        number.setAlignment(Qt.AlignmentFlag.AlignRight)
        number.setFixedWidth(80)
        calm_wheel(number)
        return number

    def _lay_out(self, label: Place) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(0)
        above = label is Place.ABOVE
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self.slider, int(above), int(not above))
        grid.addWidget(self.number, int(above), 1 + int(not above))

    def _edit(self, value: float) -> None:
        value = self._rounded(value)
        if value != self._value:
            self._value = value
            self._show()
            self.value_changed.emit(value)

    def _rounded(self, value: float) -> float:
        scale = self._scale
        return round(min(scale.most, max(scale.least, value)), scale.decimals)

    def _show(self) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.number):
            self.slider.setValue(self._scale.tick_of(self._value))
            if self.number.value() != self._value:  # a number that is being typed is left as it stands
                self.number.setValue(self._value)


class _CalmWheel(QObject):
    """Lets a widget have the wheel only while it has the focus, so that scrolling a panel changes no values."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()  # the panel scrolls instead
            return True
        return super().eventFilter(watched, event)


def calm_wheel(widget: QWidget) -> None:
    """Make the wheel work only while the widget has the focus."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_CalmWheel(widget))


def make_number(name: str, label: str, tip: str, least: int, most: int) -> QSpinBox:
    """A box for a whole number."""
    spin = QSpinBox()
    spin.setRange(least, most)
    return named_number(spin, name, label, tip)


Spin = TypeVar("Spin", bound=QAbstractSpinBox)


def named_number(spin: Spin, name: str, label: str, tip: str) -> Spin:
    """The box with its names and our manners."""
    spin.setObjectName(name)
    spin.setAccessibleName(label)
    spin.setAccessibleDescription(tip)
    spin.setToolTip(tip)
    spin.setMinimumWidth(64)  # its own wish, room for the largest number, would push a narrow panel apart
    spin.setAlignment(Qt.AlignmentFlag.AlignRight)
    calm_wheel(spin)
    return spin

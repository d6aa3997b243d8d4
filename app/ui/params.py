"""What is set in the panels, as one value with one signal, and how a widget is bound to a part of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal, SignalInstance
from PySide6.QtWidgets import QAbstractButton, QComboBox, QPlainTextEdit, QSpinBox, QWidget

from app.core.params import Params
from app.ui.planned import PlannedSpin
from app.ui.seed import SeedSpin
from app.ui.slider import LabelledSlider
from app.ui.swatch import SwatchButton

MOST_SEED = 2**31 - 1
"""The largest seed that is drawn; models make no difference between seeds of any size."""
MOST_STEPS = 150
MOST_COUNT = 16
MOST_GUIDANCE = 20.0
MOST_CLIP_SKIP = 12
"""The layers of Stable Diffusion v1's text encoder."""
LEAST_SIDE, MOST_SIDE = 64, 2048
"""The room that the panels give: what is set lies in it."""


def random_seed() -> int:
    return random.randint(0, MOST_SEED)


class ParamStore(QObject):
    """Holds the Params; ``update`` is their only writer."""

    changed = Signal(object, object)
    """The new Params and the set of the names that changed."""

    def __init__(self, params: Params | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._params = params or Params()

    @property
    def params(self) -> Params:
        return self._params

    def update(self, **changes: Any) -> None:
        """Replace some values; what is equal already is no change. Raises TypeError for a name that is not there."""
        new = replace(self._params, **changes)
        names = {name for name in changes if getattr(new, name) != getattr(self._params, name)}
        if names:
            self._params = new
            self.changed.emit(new, names)


@dataclass(frozen=True)
class _Port:
    """How one kind of widget is listened to, read and written."""

    edited: SignalInstance
    read: Callable[[], Any]
    write: Callable[[Any], None]


def bind(store: ParamStore, name: str, widget: QWidget) -> None:
    """Keep one parameter and one widget equal, whichever of them changes.

    The widget's signals are blocked while it is written, so nothing comes back. Raises TypeError for a kind of
    widget that nobody has taught us.
    """
    _connect(store, name, widget, lambda whole: whole, lambda _, value: value)


def bind_part(store: ParamStore, name: str, part: str, widget: QWidget) -> None:
    """The same for one field of a parameter that is itself a value of several."""
    _connect(
        store, name, widget, lambda whole: getattr(whole, part), lambda whole, value: replace(whole, **{part: value})
    )


def _connect(
    store: ParamStore, name: str, widget: QWidget, take: Callable[[Any], Any], put: Callable[[Any, Any], Any]
) -> None:
    """``take``: what the widget shows of the parameter. ``put``: the parameter with that replaced."""
    port = _port(widget)

    def show() -> None:
        value = take(getattr(store.params, name))  # newer than what came along when one change led to another
        if port.read() != value:  # a text that is being typed keeps its cursor
            with QSignalBlocker(widget):
                port.write(value)

    def on_changed(_: Params, names: set[str]) -> None:
        if name in names:
            show()

    def on_edited(*_: object) -> None:
        store.update(**{name: put(getattr(store.params, name), port.read())})

    show()
    store.changed.connect(on_changed)
    port.edited.connect(on_edited)


@singledispatch
def _port(widget: QWidget) -> _Port:
    raise TypeError(f"a {type(widget).__name__} cannot be bound")


@_port.register
def _(widget: QSpinBox) -> _Port:
    return _Port(widget.valueChanged, widget.value, widget.setValue)


@_port.register
def _(widget: SeedSpin) -> _Port:
    return _Port(widget.value_changed, widget.value, widget.setValue)


@_port.register
def _(widget: PlannedSpin) -> _Port:
    return _Port(widget.valueChanged, widget.width_or_none, widget.show_width)


@_port.register
def _(widget: QPlainTextEdit) -> _Port:
    return _Port(widget.textChanged, widget.toPlainText, widget.setPlainText)


@_port.register
def _(widget: SwatchButton) -> _Port:
    return _Port(widget.colour_changed, lambda: widget.colour, widget.set_colour)


@_port.register
def _(widget: QAbstractButton) -> _Port:
    return _Port(widget.toggled, widget.isChecked, widget.setChecked)


@_port.register
def _(widget: QComboBox) -> _Port:
    """A combo's value is the data of its row; one that it does not have leaves no row chosen."""
    return _Port(
        widget.currentIndexChanged,
        widget.currentData,
        lambda value: widget.setCurrentIndex(widget.findData(value)),
    )


@_port.register
def _(widget: LabelledSlider) -> _Port:
    return _Port(widget.value_changed, lambda: widget.value, widget.set_value)

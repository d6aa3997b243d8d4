"""Qt's events read as what they mean on the canvas."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPointingDevice, QSinglePointEvent, QTabletEvent, QTransform, QWheelEvent

from app.ui.canvas.drag import Nudge, Pointer

_WHEEL_FACTOR = 1.25  # for one notch, 120 units
_TRACKPAD_FACTOR = 1.004  # for one pixel of scrolling with two fingers
_NOTCH = 40.0  # view pixels that a trackpad without pixels of its own pans by 120 units


class Key(Enum):
    """What a key asks for."""

    HAND = auto()
    SWAP = auto()
    CANCEL = auto()
    LARGER = auto()
    SMALLER = auto()
    HARDER = auto()
    SOFTER = auto()
    FINISH = auto()
    BACK = auto()
    PEEK = auto()
    BEFORE = auto()


_PRESSED = {
    Qt.Key.Key_Space: Key.HAND,
    Qt.Key.Key_X: Key.SWAP,
    Qt.Key.Key_V: Key.PEEK,
    Qt.Key.Key_Z: Key.BEFORE,
    Qt.Key.Key_Return: Key.FINISH,
    Qt.Key.Key_Enter: Key.FINISH,
    Qt.Key.Key_Backspace: Key.BACK,
}
HELD = {Qt.Key.Key_Space: Key.HAND, Qt.Key.Key_V: Key.PEEK, Qt.Key.Key_Z: Key.BEFORE}
"""Keys that count until they are let go."""
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_TYPED = {"]": Key.LARGER, "[": Key.SMALLER, "}": Key.HARDER, "{": Key.SOFTER}


def key_of(event: QKeyEvent) -> Key | None:
    """None: the key means nothing here."""
    if event.key() == Qt.Key.Key_Escape:
        return Key.CANCEL
    if not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier and event.key() in _PRESSED:
        return _PRESSED[Qt.Key(event.key())]
    return _TYPED.get(event.text())  # by what is typed: the brackets lie elsewhere on other keyboards


def nudge_of(event: QKeyEvent) -> Nudge | None:
    """What an arrow key moves; None for any other key."""
    way = _ARROWS.get(Qt.Key(event.key()))
    if way is None:
        return None
    held = event.modifiers()
    return Nudge(
        x=way[0],
        y=way[1],
        grow=bool(held & Qt.KeyboardModifier.ShiftModifier),
        fine=bool(held & Qt.KeyboardModifier.ControlModifier),
    )


def opacity_of(event: QKeyEvent) -> float | None:
    """What a digit sets: 1 to 9 are 10 to 90 %, 0 is 100 %. None for any other key, and with a modifier."""
    keypad = Qt.KeyboardModifier.KeypadModifier
    if event.modifiers() not in (Qt.KeyboardModifier.NoModifier, keypad) or event.text() not in "1234567890":
        return None
    return (int(event.text()) or 10) / 10 if event.text() else None


def pointer_of(event: QSinglePointEvent, to_view: QTransform) -> Pointer:
    """Where the event is and what the pen says; ``to_view`` leads from the picture to the view."""
    at: QPointF = event.position()
    pointer = Pointer(
        view=at,
        picture=to_view.inverted()[0].map(at),
        straight=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier),
        other=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier),
    )
    if isinstance(event, QTabletEvent):
        eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
        return replace(pointer, pressure=max(0.05, event.pressure()), eraser=eraser)
    return pointer


def pan_of(event: QWheelEvent) -> QPointF | None:
    """How far two fingers on a trackpad move the view, in its pixels; None for a wheel, and with Ctrl, which zooms."""
    if not _two_fingers(event) or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        return None
    pixels = event.pixelDelta()
    return QPointF(pixels) if not pixels.isNull() else QPointF(event.angleDelta()) * (_NOTCH / 120)


def _two_fingers(event: QWheelEvent) -> bool:
    """Only trackpads tell where a scroll begins and ends; some say what they are."""
    touchpad = event.device() is not None and event.device().type() == QPointingDevice.DeviceType.TouchPad
    return touchpad or event.phase() != Qt.ScrollPhase.NoScrollPhase


def zoom_factor(event: QWheelEvent) -> float:
    """How much larger the wheel, or two fingers with Ctrl, ask the picture to be."""
    pixels = event.pixelDelta()
    if not pixels.isNull() and _two_fingers(event):
        return float(_TRACKPAD_FACTOR ** pixels.y())
    return float(_WHEEL_FACTOR ** (event.angleDelta().y() / 120))

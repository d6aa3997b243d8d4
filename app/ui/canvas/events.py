"""Qt's events read as what they mean on the canvas."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPointingDevice, QSinglePointEvent, QTabletEvent, QTransform, QWheelEvent

from app.ui.canvas.drag import Nudge, Pointer

_WHEEL_FACTOR = 1.25  # for one notch, 120 units
_TRACKPAD_FACTOR = 1.004  # for one pixel of scrolling with two fingers
_NOTCH = 40.0  # view pixels that a trackpad without pixels of its own pans by 120 units


_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


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

"""Pointer and keys as a person gives them to the canvas, with positions finer than a view pixel."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

LEFT, MIDDLE, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.NoButton
RIGHT = Qt.MouseButton.RightButton
PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def mouse(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPointF,
    button: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = PLAIN,
) -> None:
    held = NONE if kind == QEvent.Type.MouseButtonRelease else button
    cause = NONE if kind == QEvent.Type.MouseMove else button
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), cause, held, modifiers)
    QApplication.sendEvent(widget, event)


def press(widget: QWidget, at: QPointF, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = PLAIN) -> None:
    mouse(widget, QEvent.Type.MouseButtonPress, at, button, modifiers)


def move(widget: QWidget, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
    mouse(widget, QEvent.Type.MouseMove, at, button)


def release(widget: QWidget, at: QPointF, button: Qt.MouseButton = LEFT) -> None:
    mouse(widget, QEvent.Type.MouseButtonRelease, at, button)


def drag(
    widget: QWidget, *points: QPointF, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = PLAIN
) -> None:
    press(widget, points[0], button, modifiers)
    for point in points[1:]:
        move(widget, point, button)
    release(widget, points[-1], button)


def key(widget: QWidget, kind: QEvent.Type, code: Qt.Key, text: str = "", again: bool = False) -> bool:
    """True when the widget took it."""
    event = QKeyEvent(kind, code, PLAIN, text, again)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def wheel(widget: QWidget, at: QPointF, units: int) -> None:
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, units), NONE, PLAIN, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(widget, event)


def pen(widget: QWidget, kind: QEvent.Type, at: QPointF, pressure: float, eraser: bool = False) -> None:
    types = QPointingDevice.PointerType
    device = QPointingDevice(
        "pen",
        1,
        QPointingDevice.DeviceType.Stylus,
        types.Eraser if eraser else types.Pen,
        QPointingDevice.Capability.Pressure | QPointingDevice.Capability.Position,
        1,
        1,
    )
    held = NONE if kind == QEvent.Type.TabletRelease else LEFT
    event = QTabletEvent(kind, device, at, widget.mapToGlobal(at), pressure, 0.0, 0.0, 0.0, 0.0, 0.0, PLAIN, LEFT, held)
    QApplication.sendEvent(widget, event)

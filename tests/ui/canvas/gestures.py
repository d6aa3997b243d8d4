"""Pointer and keys as a person gives them to the canvas, with positions finer than a view pixel."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtTest import QTest
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


def wheel(
    widget: QWidget,
    at: QPointF,
    units: int,
    *,
    pixels: QPoint | None = None,
    modifiers: Qt.KeyboardModifier = PLAIN,
    phase: Qt.ScrollPhase = Qt.ScrollPhase.NoScrollPhase,
) -> None:
    """Notches of a wheel, 120 units each; with a phase and pixels, two fingers on a trackpad."""
    angle = QPoint(0, units)
    event = QWheelEvent(at, widget.mapToGlobal(at), pixels or QPoint(), angle, NONE, modifiers, phase, False)
    QApplication.sendEvent(widget, event)


class Fingers:
    """Fingers on the widget: each is put down, moved and lifted by its number; ``tell`` hands over what they did."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._touch = QTest.touchEvent(widget, _screen(), False)

    def put(self, number: int, at: QPointF) -> Fingers:
        self._touch.press(number, at.toPoint(), self._widget)
        return self

    def move(self, number: int, at: QPointF) -> Fingers:
        self._touch.move(number, at.toPoint(), self._widget)
        return self

    def lift(self, number: int, at: QPointF) -> Fingers:
        self._touch.release(number, at.toPoint(), self._widget)
        return self

    def tell(self) -> None:
        self._touch.commit(True)


@cache
def _screen() -> QPointingDevice:
    return QTest.createTouchDevice()


def pen(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPointF,
    pressure: float,
    eraser: bool = False,
    button: Qt.MouseButton = LEFT,
) -> None:
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
    held = NONE if kind == QEvent.Type.TabletRelease else button
    event = QTabletEvent(
        kind, device, at, widget.mapToGlobal(at), pressure, 0.0, 0.0, 0.0, 0.0, 0.0, PLAIN, button, held
    )
    QApplication.sendEvent(widget, event)

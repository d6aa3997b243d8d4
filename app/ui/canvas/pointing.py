"""The Pointing: mouse, pen, wheel and trackpad over the canvas, led to the tools and to the view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QMouseEvent, QNativeGestureEvent, QTabletEvent, QTouchEvent, QWheelEvent

from app.ui.canvas.comparison import Comparison
from app.ui.canvas.events import pan_of, pointer_of, zoom_factor
from app.ui.canvas.tool_proxy import ToolProxy
from app.ui.canvas.toolbox import Toolbox
from app.ui.canvas.tools import RESIZE_BRUSH, TOOLS, WIPE, Tool
from app.ui.canvas.touch import Touch
from app.ui.canvas.viewport import Viewport

_BUTTONS = Qt.MouseButton.LeftButton | Qt.MouseButton.MiddleButton | Qt.MouseButton.RightButton


class Pointing(QObject):
    """Decides which tool a press is for, and knows where the pointer is: ``hover``, in view pixels."""

    moved = Signal()  # ``hover`` is another point, or the pointer has gone
    told = Signal(object)  # QPoint in picture pixels, or None
    grabbed = Signal(QCursor)  # a drag has begun that has a cursor of its own

    def __init__(self, toolbox: Toolbox, proxy: ToolProxy, viewport: Viewport, comparison: Comparison) -> None:
        super().__init__(viewport)
        self._comparison = comparison
        self._touch = Touch(toolbox, proxy, viewport)
        self._toolbox = toolbox
        self._proxy = proxy
        self._viewport = viewport
        self.hover: QPointF | None = None

    @property
    def on_wipe(self) -> bool:
        """The pointer is over the line between before and after."""
        return self.hover is not None and self._comparison.grips(self.hover, self._viewport.camera.view)

    def press(self, event: QMouseEvent | QTabletEvent) -> bool:
        """False for a button that means nothing here. A pen's tip is the left one."""
        self.hover_at(event.position())
        match event.button():
            case Qt.MouseButton.LeftButton if self.on_wipe:
                self._press(WIPE, event)
            case Qt.MouseButton.LeftButton if self._toolbox.active.colours and _alt(event):
                self._press(TOOLS["picker"], event)
            case Qt.MouseButton.LeftButton:
                self._press(self._toolbox.active, event)
            case Qt.MouseButton.MiddleButton:
                self._press(TOOLS["pan"], event)
            case Qt.MouseButton.RightButton if self._toolbox.active.paints:
                self._press(RESIZE_BRUSH, event)
            case _:
                return False
        return True

    def move(self, event: QMouseEvent | QTabletEvent) -> None:
        pointer = pointer_of(event, self._viewport.transform)
        self.hover_at(pointer.view)
        self._proxy.move(pointer)

    def release(self, event: QMouseEvent) -> None:
        if not event.buttons() & _BUTTONS:  # else another button still holds the drag
            self._release(event)

    def pen(self, event: QTabletEvent) -> None:
        match event.type():
            case QEvent.Type.TabletPress:
                self.press(event)
            case QEvent.Type.TabletRelease:
                self._release(event)
            case _:
                self.move(event)

    def touch(self, event: QTouchEvent) -> None:
        self._touch.take(event)

    def wheel(self, event: QWheelEvent) -> None:
        if (way := pan_of(event)) is not None:
            self._viewport.pan_by(way)
            return
        self._viewport.zoom_to(self._viewport.zoom * zoom_factor(event), event.position())

    def gesture(self, event: QNativeGestureEvent) -> bool:
        """Two fingers on a trackpad. False for a gesture that means nothing here."""
        match event.gestureType():
            case Qt.NativeGestureType.RotateNativeGesture:
                self._viewport.rotate_by(event.value(), event.position())
            case Qt.NativeGestureType.ZoomNativeGesture:
                self._viewport.zoom_to(self._viewport.zoom * (1.0 + event.value()), event.position())
            case _:
                return False
        return True

    def hover_at(self, point: QPointF | None) -> None:
        """The pointer is there, or no longer over the view."""
        self.hover = point
        self.moved.emit()
        self.tell()

    def tell(self) -> None:
        """Say which pixel the pointer is over."""
        if self.hover is None:
            self.told.emit(None)
            return
        at = self._viewport.to_picture(self.hover)
        # floor, not round: a pixel is the square from its number to the next
        self.told.emit(QPoint(int(at.x() // 1), int(at.y() // 1)))

    def _press(self, tool: Tool, event: QMouseEvent | QTabletEvent) -> None:
        if self._proxy.press(tool, pointer_of(event, self._viewport.transform)) and tool.held_cursor is not None:
            self.grabbed.emit(QCursor(tool.held_cursor))

    def _release(self, event: QMouseEvent | QTabletEvent) -> None:
        self._proxy.release(pointer_of(event, self._viewport.transform))


def _alt(event: QMouseEvent | QTabletEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)

"""The CanvasView: the widget that shows the Document and hands the pointer to the current tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.core.job import Preview
from app.document.commands import SetFrame
from app.document.document import Document
from app.document.outlook import Outlook
from app.document.strokes import Brush
from app.ui.canvas.cursor import draw_outline, outline_box
from app.ui.canvas.drag import Order
from app.ui.canvas.events import HELD, Key, key_of, opacity_of, pointer_of, zoom_factor
from app.ui.canvas.mask_look import MaskLook
from app.ui.canvas.outline import Outline
from app.ui.canvas.scene import Scene
from app.ui.canvas.tool_proxy import ToolProxy
from app.ui.canvas.toolbox import Toolbox
from app.ui.canvas.tools import RESIZE_BRUSH, TOOLS, Tool
from app.ui.canvas.viewport import Viewport
from app.ui.canvas.xray import XRay


class CanvasView(QWidget):
    """The picture, seen through a Viewport: painting and pointer go through the same transform.

    The widget paints and forwards: what is seen is the Scene's, where it lies the Viewport's, which tool and brush the
    Toolbox's, and the drag itself the ToolProxy's business.
    """

    zoom_changed = Signal(float)
    pointer_moved = Signal(object)  # QPoint in picture pixels, or None
    tool_changed = Signal(str)
    brush_changed = Signal(object)  # the Brush of the current tool
    xray_changed = Signal(bool)  # it is to be seen, or no more
    hint_changed = Signal(str)  # what the current tool's keys do

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._scene = Scene(document)
        self._toolbox = Toolbox(self)
        self._viewport = Viewport(self, document)
        self._marked = Outline()
        self._xray = XRay()
        self._proxy = ToolProxy(document, self._toolbox, self._viewport, self._scene.mask, self._marked, self._xray)
        self._hover: QPointF | None = None
        self._xray_wanted = False
        self._outline = QRect()  # where the brush outline is on the screen
        self._tab_focus = False
        self._set_up_widget()
        self._connect()
        self._viewport.fit()

    def _set_up_widget(self) -> None:
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription("The picture. Paint over it with the brush to mark what should be repainted.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self._show_cursor()

    def _connect(self) -> None:
        self._document.picture_changed.connect(self._on_picture_changed)
        self._document.mask_changed.connect(self._proxy.follow_mask)
        self._document.mask_changed.connect(self._wake_mask)
        self._document.reset.connect(self._on_reset)
        self._proxy.mask_shown.connect(self._on_mask_shown)
        self._proxy.committed.connect(self._follow_tint)
        self._proxy.outlined.connect(lambda box: self.update(self._marked.dirty(box, self._viewport.transform)))
        self._proxy.frame_shown.connect(self.update)
        self._proxy.pin_changed.connect(self._update_outline)
        self._proxy.ended.connect(self._show_cursor)
        self._viewport.moved.connect(self._on_moved)
        self._viewport.zoom_changed.connect(self.zoom_changed)
        self._toolbox.active_changed.connect(self._show_cursor)
        self._toolbox.tool_changed.connect(self._proxy.cancel_all)
        self._toolbox.tool_changed.connect(self._follow_xray)
        self._toolbox.tool_changed.connect(self.tool_changed)
        self._toolbox.hint_changed.connect(self.hint_changed)
        self._toolbox.brush_changed.connect(self._update_outline)
        self._toolbox.brush_changed.connect(self.brush_changed)

    # -- what the window uses

    @property
    def document(self) -> Document:
        return self._document

    @property
    def toolbox(self) -> Toolbox:
        """The tools with their settings."""
        return self._toolbox

    @property
    def tool(self) -> str:
        """The chosen tool's id; holding Space does not change it."""
        return self._toolbox.chosen

    def set_tool(self, id: str) -> None:
        """Choose a tool of TOOLS. A stroke that is being drawn is dropped."""
        self._toolbox.choose(id)

    @property
    def hint(self) -> str:
        return self._toolbox.hint

    @property
    def brush(self) -> Brush:
        """The current tool's brush; a tool that does not paint shows the mask brush's."""
        return self._toolbox.brush

    def set_brush(self, brush: Brush) -> None:
        """Change the current tool's brush. It counts from the next stroke on."""
        self._toolbox.set_brush(brush)

    def brushes(self) -> dict[str, dict[str, float]]:
        """Every tool's brush, for the settings."""
        return self._toolbox.brushes()

    def restore_brushes(self, values: Mapping[str, Any]) -> None:
        """Take over what ``brushes`` gave."""
        self._toolbox.restore_brushes(values)

    @property
    def zoom(self) -> float:
        """Device pixels per picture pixel: 1.0 is one to one."""
        return self._viewport.zoom

    @property
    def viewport(self) -> Viewport:
        """What of the picture is seen, and how."""
        return self._viewport

    def thumbnail(self, width: float) -> QImage:
        """The picture at about so many pixels' width, or what is there of it."""
        return self._scene.thumbnail(width)

    def set_pixel_grid(self, shown: bool) -> None:
        """Whether lines part the pixels when they are shown large."""
        self._scene.pixel_grid = shown
        self.update()

    def to_view(self, point: QPointF) -> QPointF:
        return self._viewport.to_view(point)

    def to_picture(self, point: QPointF) -> QPointF:
        return self._viewport.to_picture(point)

    def fit(self) -> None:
        """Show all of the picture, also after the view is resized."""
        self._viewport.fit()

    def zoom_to(self, factor: float, anchor: QPointF | None = None) -> None:
        """Zoom with the point under ``anchor`` (view pixels; the middle if None) staying where it is."""
        self._viewport.zoom_to(factor, anchor)

    def zoom_in(self) -> None:
        self._viewport.zoom_in()

    def zoom_out(self) -> None:
        self._viewport.zoom_out()

    def actual_size(self) -> None:
        """One picture pixel is one device pixel."""
        self._viewport.zoom_to(1.0)

    def show_preview(self, preview: Preview | None, progress: float = 0.0) -> None:
        """Draw a job's preview in its place, ``progress`` 0..1 as a line around it; None removes it."""
        transform = self._viewport.transform
        self.update(self._scene.forming.dirty(transform))
        self._scene.forming.show(preview, progress)
        self.update(self._scene.forming.dirty(transform))

    @property
    def mask_visible(self) -> bool:
        return self._scene.mask.visible

    def set_mask_visible(self, visible: bool) -> None:
        self._scene.mask.visible = visible
        self._scene.mask.resting = False
        self.update()

    def rest_mask(self) -> None:
        """Take the mask out of sight until the pointer next moves over the canvas or the mask changes: what has just
        been painted under it is to be seen."""
        self._scene.mask.resting = True
        self.update()

    def _wake_mask(self) -> None:
        if self._scene.mask.resting:
            self._scene.mask.resting = False
            self.update()

    def show_outlook(self, outlook: Outlook | None) -> None:
        """What the X-ray tells from now on."""
        self._xray.outlook = outlook
        if self._xray.shown:
            self.update()

    @property
    def xray_shown(self) -> bool:
        """The X-ray is to be seen, by itself or because the frame is in the hand."""
        return self._xray.shown

    def set_xray(self, shown: bool) -> None:
        """Whether what will happen is drawn over the picture."""
        self._xray_wanted = shown
        self._follow_xray()

    def _follow_xray(self) -> None:
        self._xray.handles = self._toolbox.chosen == "frame"
        self._xray.shown = self._xray_wanted or self._xray.handles
        self.xray_changed.emit(self._xray.shown)
        self.update()

    def set_mask_look(self, look: MaskLook) -> None:
        """How the mask is shown from now on."""
        self._scene.mask.look = look
        self.update()

    def set_blank_hint(self, shown: bool) -> None:
        """Whether the canvas shows its checkerboard while there is no picture; off under a card that covers it."""
        self._scene.checkered = shown
        self.update()

    def cancel_stroke(self) -> bool:
        """Drop the drag that is going on, without a trace in the document. False when there was none."""
        return self._proxy.cancel()

    # -- what has changed

    def _on_picture_changed(self, box: QRect) -> None:
        self._scene.picture_changed(box)
        self._on_mask_shown(box)

    def _on_mask_shown(self, box: QRect) -> None:
        self._follow_tint()
        self.update(self._scene.dirty(box, self._viewport.transform, self._viewport.zoom))

    def _follow_tint(self) -> None:
        if not self._proxy.drafting and self._scene.choose_tint():
            self.update()

    def _on_reset(self) -> None:
        self._scene.reset()
        self._scene.choose_tint()
        self._proxy.follow_reset()
        self._viewport.fit()

    def _on_moved(self) -> None:
        self.update()
        if self._hover is not None:
            self._tell_pointer(self._hover)

    # -- pointer

    def _press(self, tool: Tool, event: QMouseEvent | QTabletEvent) -> None:
        if self._proxy.press(tool, pointer_of(event, self._viewport.transform)) and tool.held_cursor is not None:
            self.setCursor(tool.held_cursor)

    def _move(self, event: QMouseEvent | QTabletEvent) -> None:
        pointer = pointer_of(event, self._viewport.transform)
        self._hover_at(pointer.view)
        self._proxy.move(pointer)

    def _release(self, event: QMouseEvent | QTabletEvent) -> None:
        self._proxy.release(pointer_of(event, self._viewport.transform))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press(self._toolbox.active, event)
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._press(TOOLS["pan"], event)
        elif event.button() == Qt.MouseButton.RightButton and self._toolbox.active.paints:
            self._press(RESIZE_BRUSH, event)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        buttons = Qt.MouseButton.LeftButton | Qt.MouseButton.MiddleButton | Qt.MouseButton.RightButton
        if not event.buttons() & buttons:
            self._release(event)  # else another button still holds the drag

    def tabletEvent(self, event: QTabletEvent) -> None:
        match event.type():
            case QEvent.Type.TabletPress:
                self._press(self._toolbox.active, event)
            case QEvent.Type.TabletRelease:
                self._release(event)
            case _:
                self._move(event)
        event.accept()  # or Qt would repeat it as a mouse event

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._viewport.zoom_to(self.zoom * zoom_factor(event), event.position())
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover_at(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_at(None)

    def _hover_at(self, point: QPointF | None) -> None:
        if point is not None and point != self._hover:
            self._wake_mask()
        self._hover = point
        self._update_outline()
        self._tell_pointer(point)

    def _tell_pointer(self, point: QPointF | None) -> None:
        if point is None:
            self.pointer_moved.emit(None)
            return
        at = self.to_picture(point)
        # floor, not round: a pixel is the square from its number to the next
        self.pointer_moved.emit(QPoint(int(at.x() // 1), int(at.y() // 1)))

    # -- keys

    def event(self, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.ShortcutOverride if isinstance(event, QKeyEvent) and self._wants(event):
                event.accept()  # the key comes here, not to a shortcut of the window
                return True
            case QEvent.Type.NativeGesture if isinstance(event, QNativeGestureEvent):
                return self._pinched(event)
            case QEvent.Type.DevicePixelRatioChange:
                self._viewport.refit()
        return super().event(event)

    def _wants(self, event: QKeyEvent) -> bool:
        match key_of(event):
            case Key.CANCEL:
                return self._proxy.dragging
            case Key.FINISH:
                return self._proxy.waiting
            case Key.BACK:
                return self._proxy.waiting or self._frame_by_hand
            case None:
                return opacity_of(event) is not None
        return True

    @property
    def _frame_by_hand(self) -> bool:
        """The frame tool is in the hand, over a frame that was set with it."""
        return self._toolbox.chosen == "frame" and self._document.frame is not None and not self._proxy.dragging

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match key_of(event):
            case Key.HAND:
                self._toolbox.hold_hand(True)
            case Key.PEEK:
                self._scene.mask.peeking = True
                self.update()
            case Key.SWAP:
                self._toolbox.swap()
            case Key.LARGER | Key.SMALLER as key:
                self._toolbox.step_size(1 if key is Key.LARGER else -1)
            case Key.HARDER | Key.SOFTER as key:
                self._toolbox.step_hardness(1 if key is Key.HARDER else -1)
            case Key.FINISH if self._proxy.order(Order.FINISH):
                pass
            case Key.BACK if self._proxy.order(Order.BACK):
                pass
            case Key.BACK if self._frame_by_hand:
                self._document.undo.push(SetFrame(self._document, None))
            case Key.CANCEL if self.cancel_stroke():
                pass
            case None if (opacity := opacity_of(event)) is not None:
                self._toolbox.set_opacity(opacity)
            case _:
                event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        key = HELD.get(Qt.Key(event.key()))
        if key is None or event.isAutoRepeat():
            event.ignore()
        elif key is Key.HAND:
            self._toolbox.hold_hand(False)
        else:
            self._stop_peeking()

    def _stop_peeking(self) -> None:
        self._scene.mask.peeking = False
        self.update()

    def _pinched(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() == Qt.NativeGestureType.RotateNativeGesture:
            self._viewport.rotate_by(event.value(), event.position())
            return True
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._viewport.zoom_to(self.zoom * (1.0 + event.value()), event.position())
            return True
        return False

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        camera = self._viewport.camera
        self._scene.draw(painter, event.rect(), camera.transform(), camera.zoom, self.palette())
        accent = self.palette().color(QPalette.ColorRole.Accent)
        self._xray.draw(painter, QRectF(self._document.box), camera.transform(), accent)
        self._marked.draw(painter, camera.transform(), self._scene.mask.tint)
        if (at := self._outline_at) is not None and self._toolbox.active.paints:
            draw_outline(painter, self.brush, at, camera.scale)
        if self._tab_focus:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2.0))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._viewport.refit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._tab_focus = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._tab_focus = False
        self._toolbox.hold_hand(False)  # its release will go elsewhere
        self._stop_peeking()
        self.update()

    def _show_cursor(self) -> None:
        cursor = self._toolbox.active.cursor
        self.setCursor(Qt.CursorShape.BlankCursor if cursor is None else cursor)
        self._update_outline()

    def _update_outline(self) -> None:
        """Paint again where the outline was and where it is now."""
        self.update(self._outline)
        self._outline = QRect()
        if (at := self._outline_at) is not None:
            self._outline = outline_box(self.brush, at, self._viewport.camera.scale)
            self.update(self._outline)

    @property
    def _outline_at(self) -> QPointF | None:
        return self._hover if self._proxy.pinned is None else self._proxy.pinned

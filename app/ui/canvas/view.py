"""The CanvasView: the widget that shows the Document and hands the pointer to the current tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
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
    QRegion,
    QResizeEvent,
    QTabletEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.core.job import Preview
from app.document.document import Document
from app.document.outlook import Outlook
from app.document.strokes import Brush
from app.jobs.background import Background
from app.ui.canvas.comparison import Comparison
from app.ui.canvas.cursor import draw_outline, outline_box
from app.ui.canvas.extent_look import ExtentLook
from app.ui.canvas.key_table import Bindings
from app.ui.canvas.keys import Keys
from app.ui.canvas.mask_look import MaskLook
from app.ui.canvas.outline import Outline
from app.ui.canvas.pointing import Pointing
from app.ui.canvas.scene import Scene
from app.ui.canvas.tool_proxy import ToolProxy
from app.ui.canvas.toolbox import Toolbox
from app.ui.canvas.tools import WIPE
from app.ui.canvas.viewport import Viewport
from app.ui.canvas.xray import XRay


class CanvasView(QWidget):
    """The picture, seen through a Viewport: painting and pointer go through the same transform.

    The widget paints and forwards: what is seen is the Scene's, where it lies the Viewport's, which tool and brush the
    Toolbox's, the drag itself the ToolProxy's, and what pointer and keys mean the Pointing's and the Keys' business.
    """

    zoom_changed = Signal(float)
    pointer_moved = Signal(object)  # QPoint in picture pixels, or None
    tool_changed = Signal(str)
    brush_changed = Signal(object)  # the Brush of the current tool
    xray_changed = Signal(bool)  # it is to be seen, or no more
    hint_changed = Signal(str)  # what the current tool's keys do
    said = Signal(str)  # a sentence for the person: what a key did, or why nothing happened

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._scene = Scene(document)
        self._toolbox = Toolbox(self)
        self._viewport = Viewport(self, document)
        self._marked = Outline()
        self._xray = XRay()
        self._extent = ExtentLook()
        self._proxy = ToolProxy(
            document,
            self._toolbox,
            self._viewport,
            self._scene.mask,
            self._marked,
            self._scene.paint,
            self._xray,
            self._extent,
            self._scene.comparison,
        )
        self._keys = Keys(document, self._toolbox, self._proxy, self._scene.comparison)
        self._pointing = Pointing(self._toolbox, self._proxy, self._viewport, self._scene.comparison)
        self._hovered: QPointF | None = None  # where the pointer was seen last
        self._on_wipe = False
        self._xray_wanted = False
        self._drafted = False
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
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self._show_cursor()

    def _connect(self) -> None:
        self._document.picture_changed.connect(self._on_picture_changed)
        self._document.mask_changed.connect(self._proxy.follow_mask)
        self._document.mask_changed.connect(self._wake_mask)
        self._document.reset.connect(self._on_reset)
        self._proxy.mask_shown.connect(self._on_mask_shown)
        self._proxy.picture_shown.connect(self._update_picture)
        self._proxy.paint_dropped.connect(self._on_paint_dropped)
        self._proxy.said.connect(self.hint_changed)
        self._proxy.said.connect(self.said)
        self._proxy.committed.connect(self._follow_tint)
        self._proxy.outlined.connect(lambda box: self.update(self._marked.dirty(box, self._viewport.transform)))
        self._proxy.frame_shown.connect(self.update)
        self._proxy.pin_changed.connect(self._update_outline)
        self._proxy.ended.connect(self._show_cursor)
        self._keys.peeking.connect(self._on_peeking)
        self._keys.looking_back.connect(self.comparison.hold)
        self.comparison.changed.connect(self._on_hover)
        self.comparison.changed.connect(self.update)
        self._pointing.moved.connect(self._on_hover)
        self._pointing.told.connect(self.pointer_moved)
        self._pointing.grabbed.connect(self.setCursor)
        self._viewport.moved.connect(self._on_moved)
        self._viewport.zoom_changed.connect(self.zoom_changed)
        self._toolbox.active_changed.connect(self._show_cursor)
        self._toolbox.tool_changed.connect(self._proxy.cancel_all)
        self._toolbox.tool_changed.connect(self._follow_xray)
        self._toolbox.tool_changed.connect(self._follow_extent)
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
        """The chosen tool's id; holding the hand does not change it."""
        return self._toolbox.chosen

    def set_tool(self, id: str) -> None:
        """Choose a tool of TOOLS. A stroke that is being drawn is dropped."""
        self._toolbox.choose(id)

    @property
    def hint(self) -> str:
        return self._toolbox.hint

    def set_bindings(self, bindings: Bindings) -> None:
        """Which keys do what here from now on. What is held counts no more."""
        self._keys.let_go()
        self._keys.bindings = bindings
        self._toolbox.set_bindings(bindings)

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

    def work_in(self, background: Background) -> None:
        """Where areas of large pictures are found from now on."""
        self._proxy.background = background

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
        self._scene.comparison.cover(not self._scene.forming.box.isEmpty())

    @property
    def comparison(self) -> Comparison:
        """Before and after."""
        return self._scene.comparison

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

    def show_outlooks(self, outlooks: tuple[Outlook, ...]) -> None:
        """What the X-ray tells from now on."""
        self._xray.show(outlooks)
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

    def _follow_extent(self) -> None:
        self._extent.shown = self._toolbox.chosen == "crop"
        self._viewport.set_roomy(self._extent.shown)
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

    def _on_picture_changed(self, region: QRegion) -> None:
        self._scene.picture_changed(region)
        self._on_mask_shown(region.boundingRect())

    def _on_mask_shown(self, box: QRect) -> None:
        self._follow_tint()
        if self._drafted != self._scene.mask.drafting:  # what rests over the picture gives way to the stroke
            self._drafted = self._scene.mask.drafting
            self.update(self._scene.forming.dirty(self._viewport.transform))
        self._update_picture(box)

    def _update_picture(self, box: QRect) -> None:
        self.update(self._scene.dirty(box, self._viewport.transform, self._viewport.zoom))

    def _on_paint_dropped(self, region: QRegion) -> None:
        self._scene.drop_paint(region)
        self._update_picture(region.boundingRect())

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
        if self._pointing.hover is not None:
            self._pointing.tell()

    def _on_hover(self) -> None:
        if self._pointing.hover is not None and self._pointing.hover != self._hovered:
            self._wake_mask()
        self._hovered = self._pointing.hover
        if self._on_wipe != self._pointing.on_wipe:
            self._on_wipe = self._pointing.on_wipe
            if not self._proxy.dragging:
                self._show_cursor()
        self._update_outline()

    def _on_peeking(self, peeking: bool) -> None:
        self._scene.mask.peeking = peeking
        self.update()

    # -- pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(self._pointing.press(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointing.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointing.release(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        self._pointing.pen(event)
        event.accept()  # or Qt would repeat it as a mouse event

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._pointing.wheel(event)
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._pointing.hover_at(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._pointing.hover_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self._keys.press(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.setAccepted(self._keys.release(event))

    def event(self, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.ShortcutOverride if isinstance(event, QKeyEvent) and self._keys.wants(event):
                event.accept()  # the key comes here, not to a shortcut of the window
                return True
            case QEvent.Type.NativeGesture if isinstance(event, QNativeGestureEvent):
                return self._pointing.gesture(event)
            case QEvent.Type.TouchBegin | QEvent.Type.TouchUpdate | QEvent.Type.TouchEnd | QEvent.Type.TouchCancel if (
                isinstance(event, QTouchEvent)
            ):
                self._pointing.touch(event)
                event.accept()  # or Qt would repeat the first finger as a mouse
                return True
            case QEvent.Type.DevicePixelRatioChange:
                self._viewport.refit()
        return super().event(event)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        camera = self._viewport.camera
        self._scene.draw(painter, event.rect(), camera.transform(), camera.zoom, self.palette())
        accent = self.palette().color(QPalette.ColorRole.Accent)
        self._scene.draw_over(painter, camera.transform(), camera.view, self.palette())
        self._xray.draw(painter, QRectF(self._document.box), camera.transform(), accent)
        if self._document.has_picture:
            self._extent.draw(painter, self._document.size, camera.transform(), accent)
        self._marked.draw(painter, camera.transform(), self._scene.mask.tint)
        if (at := self._outline_at) is not None and self._toolbox.active.paints and not self._on_wipe:
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
        self._keys.let_go()
        self.update()

    def _show_cursor(self) -> None:
        cursor = WIPE.cursor if self._on_wipe else self._toolbox.active.cursor
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
        return self._pointing.hover if self._proxy.pinned is None else self._proxy.pinned

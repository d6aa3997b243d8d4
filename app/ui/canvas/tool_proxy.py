"""The ToolProxy: hands the pointer to a tool, and is the canvas that the tool sees."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSizeF, Signal
from PySide6.QtGui import QPainterPath, QRegion, QUndoCommand

from app.core.geometry import Rect
from app.document.document import Document
from app.document.paint_draft import PaintDraft
from app.document.strokes import Brush, Stroke
from app.document.surfaces import Colour
from app.jobs.background import Background
from app.ui.canvas.area import AreaSettings
from app.ui.canvas.comparison import Comparison
from app.ui.canvas.drag import Drag, Nudge, Order, Pointer
from app.ui.canvas.extent_look import ExtentLook
from app.ui.canvas.outline import Outline
from app.ui.canvas.overlay import MaskOverlay
from app.ui.canvas.paint_preview import PaintPreview
from app.ui.canvas.toolbox import Toolbox
from app.ui.canvas.tools import Tool
from app.ui.canvas.viewport import Viewport
from app.ui.canvas.xray import XRay

log = logging.getLogger(__name__)

T = TypeVar("T")
_AT_ONCE = 1_000_000  # pixels in which an area is found within a frame of the screen


@dataclass(frozen=True)
class _Running:
    """A drag and the tool that it belongs to."""

    tool: Tool
    drag: Drag
    keyed: bool = False  # it was begun by a key

    def sent(self, what: Pointer | Order | Nudge | None) -> bool:
        """Hand it over. False when the drag has come to its end with that."""
        try:
            self.drag.send(what)
        except StopIteration:
            return False
        return True


class ToolProxy(QObject):
    """One drag at a time. It is a generator (see ``drag.py``) that lives here from press to release; what it draws is a
    draft, shown in the overlay or as an outline and nowhere else, until the tool commits it as one command. A drag that
    goes on after the release waits here for its next press; the view may be moved meanwhile."""

    mask_shown = Signal(QRect)  # the mask looks different in this box, in picture pixels
    picture_shown = Signal(QRect)  # the picture looks different in this box, with the stroke that is painted on a layer
    paint_dropped = Signal(QRegion)  # it is shown there no more
    said = Signal(str)  # a sentence for the person
    committed = Signal()  # the stroke is part of the mask: it looks as before
    outlined = Signal(QRectF)  # the outline looks different in this box, in picture pixels
    frame_shown = Signal()  # the frame, or the picture's edge, is drawn elsewhere
    pin_changed = Signal()  # ``pinned``, where the brush outline stays for now, is another
    ended = Signal()  # the drag is over, or was dropped

    def __init__(
        self,
        document: Document,
        toolbox: Toolbox,
        viewport: Viewport,
        overlay: MaskOverlay,
        outline: Outline,
        paint: PaintPreview,
        xray: XRay,
        extent: ExtentLook,
        comparison: Comparison,
    ) -> None:
        super().__init__(viewport)
        self._document = document
        self._toolbox = toolbox
        self._viewport = viewport
        self._overlay = overlay
        self._outline = outline
        self._paint = paint
        self._xray = xray
        self._extent = extent
        self._comparison = comparison
        self._held: _Running | None = None  # a button is down
        self._waiting: _Running | None = None  # it will be pressed again
        self._draft: Stroke | None = None
        self._committing = False
        self._last_point: QPointF | None = None
        self.pinned: QPointF | None = None  # view pixels
        self.background: Background | None = None  # for what takes as long as the picture is large

    # -- what the widget does

    @property
    def dragging(self) -> bool:
        return self._held is not None or self._waiting is not None

    @property
    def waiting(self) -> bool:
        """A drag goes on between two presses."""
        return self._held is None and self._waiting is not None

    @property
    def drafting(self) -> bool:
        """A stroke is being drawn."""
        return self._draft is not None or self._paint.draft is not None

    def press(self, tool: Tool, pointer: Pointer) -> bool:
        """False when another button has begun a drag already."""
        if self._held is not None:
            return False
        pointer = replace(pointer, pressed=True)
        waiting = self._waiting
        if waiting is not None and waiting.tool is tool and waiting.keyed:
            self.cancel()  # the pointer begins anew
        elif waiting is not None and waiting.tool is tool:
            self._waiting = None
            if waiting.sent(pointer):
                self._held = waiting
            return True
        running = _Running(tool, tool.drag(self, pointer))
        next(running.drag)
        self._held = running
        return True

    def move(self, pointer: Pointer) -> None:
        if self._held is not None:
            self._held.sent(pointer)
        else:
            self._tell_waiting(pointer)

    def release(self, pointer: Pointer) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        painted = self.drafting
        if held.sent(None):
            self._waiting = held
        if painted:
            self._last_point = pointer.picture
        self.ended.emit()

    def begin(self, tool: Tool) -> bool:
        """Start the tool by a key; it waits for orders. False when it knows no such way, or something goes on."""
        if tool.keyed is None or self.dragging:
            return False
        running = _Running(tool, tool.keyed(self), keyed=True)
        if running.sent(None):  # else it has said why it cannot
            self._waiting = running
        return True

    def order(self, order: Order | Nudge) -> bool:
        """Give a drag that waits a key's word. False when none does."""
        if not self.waiting:
            return False
        self._tell_waiting(order)
        return True

    def cancel(self) -> bool:
        """Drop the drag that is going on, the one under the button first, without a trace in the document. False when
        there was none."""
        running = self._held or self._waiting
        if running is None:
            return False
        if running is self._held:
            self._held = None
        else:
            self._waiting = None
        running.drag.close()
        self.ended.emit()
        return True

    def cancel_all(self) -> None:
        """Drop whatever is going on: another tool, or another picture."""
        while self.cancel():
            pass

    def _tell_waiting(self, what: Pointer | Order | Nudge) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.sent(what):
            self._waiting = waiting

    def follow_mask(self, region: QRegion) -> None:
        """The document's mask was written."""
        if self._committing:
            self._overlay.settle()
            self.committed.emit()
        else:
            self._overlay.refresh(region, self._draft)
            self.mask_shown.emit(region.boundingRect())

    def follow_reset(self) -> None:
        """The document has another picture."""
        self.cancel_all()
        self._last_point = None

    # -- what the tool does: the Canvas protocol

    @property
    def document(self) -> Document:
        return self._document

    @property
    def brush(self) -> Brush:
        return self._toolbox.brush

    @property
    def area(self) -> AreaSettings:
        return self._toolbox.area

    @property
    def last_point(self) -> QPointF | None:
        return self._last_point

    def show_draft(self, stroke: Stroke) -> None:
        self._draft = stroke

    def draft_changed(self, box: QRect) -> None:
        self._overlay.refresh(QRegion(box), self._draft)
        if not box.isEmpty():
            self.mask_shown.emit(box)

    def drop_draft(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            self.draft_changed(draft.box)

    def commit_draft(self, command: QUndoCommand) -> None:
        self._draft = None
        self._committing = True
        try:
            self._document.undo.push(command)
        finally:
            self._committing = False

    @property
    def colour(self) -> Colour:
        return self._toolbox.colours.current

    def pick(self, colour: Colour) -> None:
        self._toolbox.colours.choose(colour)

    def use_colour(self) -> None:
        self._toolbox.colours.use()

    def show_paint(self, draft: PaintDraft) -> None:
        self._paint.begin(draft)

    def paint_changed(self, box: QRect) -> None:
        if not box.isEmpty():
            self._paint.refresh(box)
            self.picture_shown.emit(box)

    def end_paint(self, command: QUndoCommand | None) -> None:
        region = self._paint.region
        self._paint.clear()
        if command is not None:
            self._document.undo.push(command)
        self.paint_dropped.emit(region)

    def say(self, sentence: str) -> None:
        self.said.emit(sentence)

    def work_out(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        document = self._document
        before = document.origin.opened, document.size

        def deliver(found: T) -> None:
            if (document.origin.opened, document.size) == before:
                done(found)

        if self.background is None or document.size.area <= _AT_ONCE:
            done(work())
        else:
            self.background.run(work, deliver, self._failed)

    def _failed(self, error: Exception) -> None:
        log.error("an area could not be found", exc_info=error)
        self.said.emit("That did not work; the picture is as it was.")

    def show_outline(self, path: QPainterPath | None, *, erase: bool = False) -> None:
        before = self._outline.box
        self._outline.show(path, erase=erase)
        changed = before.united(self._outline.box)
        if not changed.isNull():
            self.outlined.emit(changed)

    def push(self, command: QUndoCommand) -> None:
        self._document.undo.push(command)

    @property
    def frame_box(self) -> Rect | None:
        return self._xray.box

    def show_frame(self, frame: Rect | None) -> None:
        self._xray.draft = frame
        self.frame_shown.emit()

    def show_extent(self, area: Rect | None) -> None:
        self._extent.draft = area
        self.frame_shown.emit()

    def to_view(self, point: QPointF) -> QPointF:
        return self._viewport.to_view(point)

    def set_brush(self, brush: Brush) -> None:
        self._toolbox.set_brush(brush)

    def pin_cursor(self, at: QPointF | None) -> None:
        self.pinned = at
        self.pin_changed.emit()

    def pan_by(self, by: QPointF) -> None:
        self._viewport.pan_by(by)

    @property
    def seen(self) -> QRectF:
        view = QRectF(QPointF(), self._view)
        whole = QRectF(self._document.box)
        return self._viewport.transform.inverted()[0].mapRect(view).intersected(whole)

    @property
    def wipe_place(self) -> float:
        return self._comparison.place(self._view)

    def move_wipe(self, x: float) -> None:
        self._comparison.move_to(x, self._view)

    @property
    def _view(self) -> QSizeF:
        return self._viewport.camera.view

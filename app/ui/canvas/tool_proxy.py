"""The ToolProxy: hands the pointer to a tool, and is the canvas that the tool sees."""

from __future__ import annotations

import contextlib

from PySide6.QtCore import QObject, QPointF, QRect, Signal
from PySide6.QtGui import QRegion, QUndoCommand

from app.document.document import Document
from app.document.strokes import Brush, Stroke
from app.ui.canvas.drag import Drag, Pointer
from app.ui.canvas.overlay import MaskOverlay
from app.ui.canvas.toolbox import Toolbox
from app.ui.canvas.tools import Tool
from app.ui.canvas.viewport import Viewport


class ToolProxy(QObject):
    """One drag at a time. It is a generator (see ``drag.py``) that lives here from press to release; the stroke that it
    draws is a draft, shown in the overlay and nowhere else, until the tool commits it as one command."""

    mask_shown = Signal(QRect)  # the mask looks different in this box, in picture pixels
    committed = Signal()  # the stroke is part of the mask: it looks as before
    ended = Signal()  # the drag is over, or was dropped

    def __init__(self, document: Document, toolbox: Toolbox, viewport: Viewport, overlay: MaskOverlay) -> None:
        super().__init__(viewport)
        self._document = document
        self._toolbox = toolbox
        self._viewport = viewport
        self._overlay = overlay
        self._drag: Drag | None = None
        self._draft: Stroke | None = None
        self._committing = False
        self._last_point: QPointF | None = None

    # -- what the widget does

    @property
    def dragging(self) -> bool:
        return self._drag is not None

    @property
    def drafting(self) -> bool:
        """A stroke is being drawn."""
        return self._draft is not None

    def press(self, tool: Tool, pointer: Pointer) -> bool:
        """False when another button has begun a drag already."""
        if self._drag is not None:
            return False
        self._drag = tool.drag(self, pointer)
        next(self._drag)
        return True

    def move(self, pointer: Pointer) -> None:
        if self._drag is not None:
            self._drag.send(pointer)

    def release(self, pointer: Pointer) -> None:
        drag, self._drag = self._drag, None
        if drag is None:
            return
        painted = self.drafting
        with contextlib.suppress(StopIteration):
            drag.send(None)
        if painted:
            self._last_point = pointer.picture
        self.ended.emit()

    def cancel(self) -> bool:
        """Drop the drag that is going on, without a trace in the document. False when there was none."""
        drag, self._drag = self._drag, None
        if drag is None:
            return False
        drag.close()
        self.ended.emit()
        return True

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
        self.cancel()
        self._last_point = None

    # -- what the tool does: the Canvas protocol

    @property
    def document(self) -> Document:
        return self._document

    @property
    def brush(self) -> Brush:
        return self._toolbox.brush

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

    def pan_by(self, by: QPointF) -> None:
        self._viewport.pan_by(by)

"""What a tool sees: the pointer, the canvas it works on, and a drag as one generator."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QUndoCommand

from app.document.document import Document
from app.document.strokes import Brush, Stroke


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """Where the pointer is: ``view`` in view pixels, ``picture`` in picture pixels. ``pressure`` is 1 for a mouse.
    ``straight``: Shift is held. ``eraser``: the pen's other end."""

    view: QPointF
    picture: QPointF
    pressure: float = 1.0
    straight: bool = False
    eraser: bool = False


# Started with the press; each move is sent into it, then None for the release. Closing it instead drops the drag.
Drag = Generator[None, Pointer | None, None]


class Canvas(Protocol):
    """What a tool may use."""

    @property
    def document(self) -> Document: ...

    @property
    def brush(self) -> Brush: ...

    @property
    def last_point(self) -> QPointF | None:
        """Where the last stroke ended."""
        ...

    def show_draft(self, stroke: Stroke) -> None:
        """Draw this stroke over the mask from now on."""
        ...

    def drop_draft(self) -> None:
        """Draw the mask as it was before the stroke."""
        ...

    def commit_draft(self, command: QUndoCommand) -> None:
        """The stroke becomes part of the document by this command, just as it is drawn."""
        ...

    def draft_changed(self, box: QRect) -> None: ...

    def pan_by(self, by: QPointF) -> None: ...

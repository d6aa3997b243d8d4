"""What a tool sees: the pointer, the canvas it works on, and a drag as one generator."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, TypeVar

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainterPath, QUndoCommand

from app.core.geometry import Rect
from app.document.document import Document
from app.document.paint_draft import PaintDraft
from app.document.strokes import Brush, Stroke
from app.document.surfaces import Colour
from app.ui.canvas.area import AreaSettings

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """Where the pointer is: ``view`` in view pixels, ``picture`` in picture pixels. ``pressure`` is 1 for a mouse.
    ``straight``: Shift is held. ``other``: Ctrl is held, which turns adding into taking away. ``eraser``: the pen's
    other end. ``pressed``: a button went down here; only drags that outlive a release see it again."""

    view: QPointF
    picture: QPointF
    pressure: float = 1.0
    straight: bool = False
    other: bool = False
    eraser: bool = False
    pressed: bool = False


class Order(Enum):
    """A key's word to a drag that waits between two presses."""

    FINISH = auto()
    BACK = auto()


@dataclass(frozen=True, kw_only=True)
class Nudge:
    """An arrow key's word to a drag that waits: ``x`` and ``y`` are -1, 0 or 1. ``grow``: Shift is held, which resizes.
    ``fine``: Ctrl is held, for single pixels."""

    x: int
    y: int
    grow: bool = False
    fine: bool = False


# Started with the press, or by a key without one; each move is sent into it, then None for the release. Closing it
# instead drops the drag. One that goes on after the release waits: it is sent where the pointer hovers, the next press,
# orders and nudges.
Drag = Generator[None, Pointer | Order | Nudge | None, None]


class Canvas(Protocol):
    """What a tool may use."""

    @property
    def document(self) -> Document: ...

    @property
    def brush(self) -> Brush: ...

    @property
    def area(self) -> AreaSettings: ...

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

    @property
    def colour(self) -> Colour:
        """What is painted with."""
        ...

    def pick(self, colour: Colour) -> None:
        """Paint with this colour from now on."""
        ...

    def use_colour(self) -> None:
        """The colour has been painted with: it belongs to the recent ones."""
        ...

    def show_paint(self, draft: PaintDraft) -> None:
        """Draw this stroke on its layer from now on."""
        ...

    def paint_changed(self, box: QRect) -> None: ...

    def end_paint(self, command: QUndoCommand | None) -> None:
        """The stroke becomes part of the document by this command, just as it is drawn, or is dropped."""
        ...

    def say(self, sentence: str) -> None:
        """Tell the person why nothing happens."""
        ...

    def work_out(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Call ``work``, which may look at pixels that are shared and at nothing else, and ``done`` with what comes of
        it: at once, or a little later where the picture is large, if it is still what it was."""
        ...

    def show_outline(self, path: QPainterPath | None, *, erase: bool = False) -> None:
        """Draw this path (picture pixels) over the picture from now on, as what will be marked or taken away."""
        ...

    def push(self, command: QUndoCommand) -> None:
        """Change the document by this command, which no draft has shown before."""
        ...

    @property
    def frame_box(self) -> Rect | None:
        """The frame as it is shown, planned or set."""
        ...

    def show_frame(self, frame: Rect | None) -> None:
        """Draw this frame in the place of the one that there is, until None."""
        ...

    def show_extent(self, area: Rect | None) -> None:
        """Draw what the picture would be if it held this area, until None."""
        ...

    def to_view(self, point: QPointF) -> QPointF:
        """From the picture to the view."""
        ...

    def set_brush(self, brush: Brush) -> None:
        """Change the chosen tool's brush."""
        ...

    def pin_cursor(self, at: QPointF | None) -> None:
        """Keep the brush outline at this point of the view, until None lets it follow the pointer again."""
        ...

    def pan_by(self, by: QPointF) -> None: ...

    @property
    def seen(self) -> QRectF:
        """The part of the picture that is in view, in picture pixels."""
        ...

    @property
    def wipe_place(self) -> float:
        """The view's x of the line between before and after."""
        ...

    def move_wipe(self, x: float) -> None: ...

"""The brush and the eraser: one stroke from press to release."""

from __future__ import annotations

from dataclasses import replace

from app.document.commands import PaintMask
from app.document.strokes import Brush, Stroke
from app.ui.canvas.drag import Canvas, Drag, Order, Pointer

DEFAULTS = {"brush": Brush(size=64.0, hardness=0.7), "eraser": Brush(size=64.0, hardness=0.7, erase=True)}
_SIZES = (*range(1, 10), *range(10, 20, 2), *range(20, 50, 5), *range(50, 100, 10), *range(100, 200, 20))
SIZES = (*_SIZES, *range(200, 500, 50), *range(500, 1001, 100))


def paint(canvas: Canvas, press: Pointer) -> Drag:
    """Press, moves, release; with Shift the stroke starts where the last one ended. Closing it leaves no trace."""
    stroke = Stroke(replace(canvas.brush, erase=canvas.brush.erase or press.eraser), canvas.document.mask)
    canvas.show_draft(stroke)
    try:
        if press.straight and canvas.last_point is not None:
            canvas.draft_changed(stroke.line_to(canvas.last_point, press.pressure))
        pointer: Pointer | Order | None = press
        while isinstance(pointer, Pointer):
            canvas.draft_changed(stroke.line_to(pointer.picture, pointer.pressure))
            pointer = yield
    except BaseException:  # closed by Escape, most of all
        canvas.drop_draft()
        raise
    edits = stroke.finished()
    if not edits:  # off the picture, or over what is painted fully
        canvas.drop_draft()
        return
    text = "Erase mask" if stroke.brush.erase else "Paint mask"
    canvas.commit_draft(PaintMask(canvas.document, edits, text))


def next_size(size: float, direction: int) -> float:
    """The next size in a row that steps by about a tenth; ``direction`` is 1 or -1."""
    if direction > 0:
        return float(next((step for step in SIZES if step > size), SIZES[-1]))
    return float(next((step for step in reversed(SIZES) if step < size), SIZES[0]))


def next_hardness(hardness: float, direction: int) -> float:
    """A tenth more or less, on whole tenths."""
    return min(1.0, max(0.0, round(hardness * 10 + direction) / 10))

"""The brush and the eraser: one stroke from press to release."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPointF

from app.document.commands import PaintMask
from app.document.strokes import Brush, Stroke
from app.ui.canvas.drag import Canvas, Drag, Nudge, Order, Pointer

DEFAULTS = {
    "brush": Brush(size=64.0, hardness=0.7),
    "eraser": Brush(size=64.0, hardness=0.7, erase=True),
    "paint": Brush(size=32.0, hardness=0.8),
    "paint_eraser": Brush(size=32.0, hardness=0.8, erase=True),
}
_LONGEST_STRING = 80.0  # view pixels, at full smoothing
_SIZES = (*range(1, 10), *range(10, 20, 2), *range(20, 50, 5), *range(50, 100, 10), *range(100, 200, 20))
SIZES = (*_SIZES, *range(200, 500, 50), *range(500, 1001, 100))


def paint(canvas: Canvas, press: Pointer) -> Drag:
    """Press, moves, release; with Shift the stroke starts where the last one ended. Closing it leaves no trace."""
    stroke = Stroke(replace(canvas.brush, erase=canvas.brush.erase or press.eraser), canvas.document.mask)
    canvas.show_draft(stroke)
    try:
        yield from drawn(canvas, press, lambda point, pressure: canvas.draft_changed(stroke.line_to(point, pressure)))
    except BaseException:  # closed by Escape, most of all
        canvas.drop_draft()
        raise
    edits = stroke.finished()
    if not edits:  # off the picture, or over what is painted fully
        canvas.drop_draft()
        return
    text = "Erase mask" if stroke.brush.erase else "Paint mask"
    canvas.commit_draft(PaintMask(canvas.document, edits, text))


def drawn(canvas: Canvas, press: Pointer, line_to: Callable[[QPointF, float], object]) -> Drag:
    """The path of a stroke from press to release, point by point with its pressure."""
    hand = SteadyHand(canvas.brush.smoothing * _LONGEST_STRING)
    if press.straight and canvas.last_point is not None:
        line_to(canvas.last_point, press.pressure)
    pointer: Pointer | Order | Nudge | None = press
    while isinstance(pointer, Pointer):
        for point in hand.led_to(pointer):
            line_to(point, pointer.pressure)
        pointer = yield
    for point in hand.let_go():
        line_to(point, hand.pressure)


class SteadyHand:
    """Draws the brush behind the pointer as on a string, so that small shakes do not reach the line.

    ``length``: of the string, in view pixels; at 0 the brush is at the pointer. Letting go brings it there.
    """

    def __init__(self, length: float) -> None:
        self._length = length
        self._brush: Pointer | None = None  # where the brush is
        self._pointer: Pointer | None = None
        self.pressure = 1.0

    def led_to(self, pointer: Pointer) -> list[QPointF]:
        """Where the brush goes on the picture, none while the string is slack."""
        self._pointer, self.pressure = pointer, pointer.pressure
        if self._brush is None or self._length == 0.0:
            self._brush = pointer
            return [pointer.picture]
        way = pointer.view - self._brush.view
        distance = math.hypot(way.x(), way.y())
        if distance <= self._length:
            return []
        part = 1.0 - self._length / distance
        at = self._brush.picture + (pointer.picture - self._brush.picture) * part
        self._brush = replace(pointer, view=self._brush.view + way * part, picture=at)
        return [at]

    def let_go(self) -> list[QPointF]:
        """The rest of the way."""
        if self._length == 0.0 or self._pointer is None:
            return []
        return [self._pointer.picture]


def next_size(size: float, direction: int) -> float:
    """The next size in a row that steps by about a tenth; ``direction`` is 1 or -1."""
    if direction > 0:
        return float(next((step for step in SIZES if step > size), SIZES[-1]))
    return float(next((step for step in reversed(SIZES) if step < size), SIZES[0]))


def next_hardness(hardness: float, direction: int) -> float:
    """A tenth more or less, on whole tenths."""
    return min(1.0, max(0.0, round(hardness * 10 + direction) / 10))

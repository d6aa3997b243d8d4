"""Right drag: the brush grows and hardens under the pointer, without a way to the sliders."""

from __future__ import annotations

from dataclasses import replace

from app.ui.canvas.drag import Canvas, Drag, Pointer

_DOUBLING = 120.0  # view pixels to the right that double the size
_SOFTENING = 250.0  # view pixels up, from hard to soft


def resize_brush(canvas: Canvas, press: Pointer) -> Drag:
    """Right and left change the size, down and up the hardness; the outline stays where the drag began."""
    before = canvas.brush
    canvas.pin_cursor(press.view)
    try:
        while isinstance(pointer := (yield), Pointer):
            way = pointer.view - press.view
            size = before.size * 2 ** (way.x() / _DOUBLING)
            canvas.set_brush(replace(before, size=round(size, 1), hardness=before.hardness + way.y() / _SOFTENING))
    except GeneratorExit:  # closed by Escape
        canvas.set_brush(before)
        raise
    finally:
        canvas.pin_cursor(None)

"""The hand: moves the view over the picture."""

from __future__ import annotations

from app.ui.canvas.drag import Canvas, Drag, Pointer


def pan(canvas: Canvas, press: Pointer) -> Drag:
    """The point under the hand stays under it."""
    last = press
    while isinstance(pointer := (yield), Pointer):
        canvas.pan_by(pointer.view - last.view)
        last = pointer

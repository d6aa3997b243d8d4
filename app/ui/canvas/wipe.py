"""The line between before and after, dragged."""

from __future__ import annotations

from app.ui.canvas.drag import Canvas, Drag, Pointer


def wipe(canvas: Canvas, press: Pointer) -> Drag:
    """It goes with the pointer and keeps its distance to it."""
    away = canvas.wipe_place - press.view.x()
    while isinstance(pointer := (yield), Pointer):
        canvas.move_wipe(pointer.view.x() + away)

"""How an area gets from a tool into the mask."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QPainterPath

from app.document.areas import Area, edits, feathered, inside_of
from app.document.commands import PaintMask
from app.ui.canvas.drag import Canvas, Pointer


@dataclass(frozen=True)
class Marker:
    """Lays areas over the mask as the tool's settings say; Ctrl, or the pen's other end, does the opposite."""

    canvas: Canvas
    erase: bool

    @staticmethod
    def at(canvas: Canvas, press: Pointer) -> Marker:
        """``press`` is where it began: what is held then counts until its end."""
        return Marker(canvas, canvas.area.erase != (press.other or press.eraser))

    def outline(self, path: QPainterPath) -> None:
        """Show what would be marked."""
        self.canvas.show_outline(path, erase=self.erase)

    def shape(self, path: QPainterPath, name: str) -> None:
        """Mark the inside of ``path`` as one step."""
        self.area(inside_of(path, self.canvas.document.box), name)

    def area(self, area: Area, name: str) -> None:
        """Mark ``area`` as one step; one that changes nothing is no step."""
        document, settings = self.canvas.document, self.canvas.area
        area = feathered(area, settings.feather, document.box)
        changed = list(edits(area, document.mask, opacity=settings.opacity, erase=self.erase))
        if changed:
            self.canvas.push(PaintMask(document, changed, f"Erase {name}" if self.erase else f"Mark {name}"))

"""How an area gets from a tool into the mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QImage, QPainterPath

from app.document.areas import Area, edits, feathered, inside_of
from app.document.commands import PaintMask
from app.document.tiles import TileEdit
from app.ui.canvas.area import AreaSettings
from app.ui.canvas.drag import Canvas, Pointer


@dataclass(frozen=True)
class Marker:
    """Lays areas over the mask as the tool's settings say; Ctrl, or the pen's other end, does the opposite."""

    canvas: Canvas
    erase: bool
    settings: AreaSettings

    @staticmethod
    def at(canvas: Canvas, press: Pointer) -> Marker:
        """``press`` is where it began: what is held then counts until its end."""
        return Marker(canvas, canvas.area.erase != (press.other or press.eraser), canvas.area)

    def outline(self, path: QPainterPath) -> None:
        """Show what would be marked."""
        self.canvas.show_outline(path, erase=self.erase)

    def shape(self, path: QPainterPath, name: str) -> None:
        """Mark the inside of ``path`` as one step."""
        document = self.canvas.document
        area = feathered(inside_of(path, document.box), self.settings.feather, document.box)
        self._push(self._edits(area, document.mask), name)

    def found(self, find: Callable[[QImage], Area], name: str) -> None:
        """Mark what ``find`` gives as one step. It is given the mask, and looks at shared pixels alone."""
        document = self.canvas.document
        held = [QImage(document.mask)]  # shares the pixels; who writes them gets a copy of their own
        key = document.mask.cacheKey()

        def work() -> tuple[Area, list[TileEdit]]:
            mask = held.pop()  # and lets go of it at the end: the document's mask is written then, and not copied
            area = feathered(find(mask), self.settings.feather, mask.rect())
            return area, self._edits(area, mask)

        def done(found: tuple[Area, list[TileEdit]]) -> None:
            area, changed = found
            if document.mask.cacheKey() != key:  # another area, or a stroke, came before
                changed = self._edits(area, document.mask)
            self._push(changed, name)

        self.canvas.work_out(work, done)

    def _edits(self, area: Area, mask: QImage) -> list[TileEdit]:
        return list(edits(area, mask, opacity=self.settings.opacity, erase=self.erase))

    def _push(self, changed: list[TileEdit], name: str) -> None:
        """One that changes nothing is no step."""
        if changed:
            text = f"Erase {name}" if self.erase else f"Mark {name}"
            self.canvas.push(PaintMask(self.canvas.document, changed, text))

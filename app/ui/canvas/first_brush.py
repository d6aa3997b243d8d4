"""The size of the brush for someone who has not chosen one yet."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.document.document import Document
from app.document.strokes import Brush
from app.ui.canvas.view import CanvasView

_LEAST, _MOST = 8.0, 200.0


class FirstBrush(QObject):
    """Keeps the brushes at an eighth of the picture's shorter side, so that a first stroke is a stroke.

    It lets go for good as soon as the person sets a size (``chosen``).
    """

    def __init__(self, document: Document, canvas: CanvasView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._canvas = canvas
        self._size = 0.0
        self.chosen = False
        self._follow()
        document.reset.connect(self._follow)
        canvas.brush_changed.connect(self._on_brush)

    def _follow(self) -> None:
        if self.chosen:
            return
        size = self._document.size
        self._size = float(round(min(_MOST, max(_LEAST, min(size.width, size.height) / 8))))
        self._canvas.restore_brushes({tool: {"size": self._size} for tool in self._canvas.brushes()})

    def _on_brush(self, brush: Brush) -> None:
        self.chosen = self.chosen or brush.size != self._size

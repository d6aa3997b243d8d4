"""The table of tools: adding one is a file with its drag, and a row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import Qt

from app.ui.canvas.brush import paint
from app.ui.canvas.drag import Canvas, Drag, Pointer
from app.ui.canvas.pan import pan


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One row. ``icon`` names a file of the icon set, ``shortcut`` is in Qt's portable notation, ``hint`` is one short
    line for the status bar. ``cursor`` None: the view draws the brush outline instead of a cursor."""

    id: str
    label: str
    icon: str
    shortcut: str
    hint: str
    drag: Callable[[Canvas, Pointer], Drag]
    cursor: Qt.CursorShape | None = None
    held_cursor: Qt.CursorShape | None = None  # while dragging

    @property
    def paints(self) -> bool:
        """It has a Brush."""
        return self.cursor is None


_KEYS = "[ ] size   { } hardness   Shift straight line   X %s   Space pan"
_ROWS = (
    Tool(id="brush", label="Brush", icon="brush", shortcut="B", hint=_KEYS % "eraser", drag=paint),
    Tool(id="eraser", label="Eraser", icon="eraser", shortcut="E", hint=_KEYS % "brush", drag=paint),
    Tool(
        id="pan",
        label="Pan",
        icon="pan",
        shortcut="H",
        hint="Drag to move the view   Wheel zoom",
        drag=pan,
        cursor=Qt.CursorShape.OpenHandCursor,
        held_cursor=Qt.CursorShape.ClosedHandCursor,
    ),
)
TOOLS: Mapping[str, Tool] = MappingProxyType({row.id: row for row in _ROWS})

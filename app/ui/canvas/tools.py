"""The table of tools: adding one is a file with its drag, and a row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from PySide6.QtCore import Qt

from app.ui.canvas.brush import paint
from app.ui.canvas.crop import crop
from app.ui.canvas.drag import Canvas, Drag, Pointer
from app.ui.canvas.frame import frame
from app.ui.canvas.keyed_frame import keyed_frame
from app.ui.canvas.lasso import lasso
from app.ui.canvas.move import move
from app.ui.canvas.paint import erase_colour, fill, paint_colour, picker
from app.ui.canvas.pan import pan
from app.ui.canvas.polygon import polygon
from app.ui.canvas.resize_brush import resize_brush
from app.ui.canvas.shapes import ellipse, keyed_ellipse, keyed_rectangle, rectangle
from app.ui.canvas.wand import bucket, wand
from app.ui.canvas.wipe import wipe

_CROSS = Qt.CursorShape.CrossCursor


class Options(Enum):
    """Which settings a tool has."""

    NONE = auto()
    BRUSH = auto()
    AREA = auto()
    WAND = auto()
    FRAME = auto()
    CROP = auto()
    PAINT = auto()
    FILL = auto()
    COLOUR = auto()


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One row. ``icon`` names a file of the icon set, ``shortcut`` is in Qt's portable notation, ``tip`` says what it
    does, ``hint`` is one short line for the status bar (Bindings.told puts the keys into it). ``cursor`` None: the view
    draws the brush outline instead of a cursor."""

    id: str
    label: str
    icon: str
    shortcut: str
    tip: str
    hint: str
    drag: Callable[[Canvas, Pointer], Drag]
    options: Options = Options.NONE
    cursor: Qt.CursorShape | None = None
    held_cursor: Qt.CursorShape | None = None  # while dragging
    keyed: Callable[[Canvas], Drag] | None = None  # how it works without a pointer; Enter begins it
    by_arrows: bool = False  # the arrows begin it as well

    @property
    def paints(self) -> bool:
        """It has a Brush."""
        return self.options in (Options.BRUSH, Options.PAINT)

    @property
    def marks(self) -> bool:
        """It has AreaSettings."""
        return self.options in (Options.AREA, Options.WAND, Options.FILL)

    @property
    def colours(self) -> bool:
        """It puts down colour: with Alt it picks one instead."""
        return self.options in (Options.PAINT, Options.FILL)


_SIZES = "<smaller> <larger> size   <softer> <harder> hardness   <opacity> opacity"
_PAINT = _SIZES + "   Right drag size and hardness   Shift straight line   <swap> %s   <hand> pan"
_COLOUR = "Alt pick colour   " + _SIZES + "   Shift straight line   <swap> %s   <hand> pan"
_MARK = "%s   Ctrl take away   <swap> add or take away   <opacity> opacity"
_ROWS = (
    Tool(
        id="brush",
        label="Brush",
        icon="brush",
        shortcut="B",
        tip="Paint over what should change",
        hint=_PAINT % "eraser",
        drag=paint,
        options=Options.BRUSH,
    ),
    Tool(
        id="eraser",
        label="Eraser",
        icon="eraser",
        shortcut="E",
        tip="Take the mask away again",
        hint=_PAINT % "brush",
        drag=paint,
        options=Options.BRUSH,
    ),
    Tool(
        id="rectangle",
        label="Rectangle",
        icon="rectangle",
        shortcut="R",
        tip="Mark a rectangle from corner to corner",
        hint=_MARK % "Shift square   Enter by keys: arrows move, Shift+arrows resize, Enter mark",
        drag=rectangle,
        keyed=keyed_rectangle,
        options=Options.AREA,
        cursor=_CROSS,
    ),
    Tool(
        id="ellipse",
        label="Ellipse",
        icon="ellipse",
        shortcut="O",
        tip="Mark an ellipse from corner to corner",
        hint=_MARK % "Shift circle   Enter by keys: arrows move, Shift+arrows resize, Enter mark",
        drag=ellipse,
        keyed=keyed_ellipse,
        options=Options.AREA,
        cursor=_CROSS,
    ),
    Tool(
        id="lasso",
        label="Lasso",
        icon="lasso",
        shortcut="L",
        tip="Draw around what should change",
        hint=_MARK % "Let go to close",
        drag=lasso,
        options=Options.AREA,
        cursor=_CROSS,
    ),
    Tool(
        id="polygon",
        label="Polygon",
        icon="polygon",
        shortcut="P",
        tip="Click around what should change, corner by corner",
        hint=_MARK % "Double click or Enter close   Backspace one corner back   Shift 45°   Esc drop",
        drag=polygon,
        options=Options.AREA,
        cursor=_CROSS,
    ),
    Tool(
        id="wand",
        label="Wand",
        icon="wand",
        shortcut="W",
        tip="Mark what has the colour under the pointer",
        hint=_MARK % "Click a colour",
        drag=wand,
        options=Options.WAND,
        cursor=_CROSS,
    ),
    Tool(
        id="bucket",
        label="Bucket",
        icon="bucket",
        shortcut="G",
        tip="Fill what the mask goes around: draw an outline first, then click into it",
        hint=_MARK % "Click into an outline of mask",
        drag=bucket,
        options=Options.AREA,
        cursor=_CROSS,
    ),
    Tool(
        id="paint",
        label="Colour brush",
        icon="paint",
        shortcut="Shift+B",
        tip="Paint in colour on a layer of its own: hints for the model, under the mask or for refining",
        hint=_COLOUR % "eraser",
        drag=paint_colour,
        options=Options.PAINT,
    ),
    Tool(
        id="paint_eraser",
        label="Layer eraser",
        icon="paint-eraser",
        shortcut="Shift+E",
        tip="Erase the chosen layer, paint or result, down to what lies under it",
        hint=_PAINT % "colour brush",
        drag=erase_colour,
        options=Options.BRUSH,
    ),
    Tool(
        id="fill",
        label="Fill",
        icon="fill",
        shortcut="Shift+G",
        tip="Fill what has one colour with another, on a layer to paint on",
        hint="Click a colour to fill it   Ctrl erase it   Alt pick the colour   <opacity> opacity",
        drag=fill,
        options=Options.FILL,
        cursor=_CROSS,
    ),
    Tool(
        id="picker",
        label="Pick colour",
        icon="picker",
        shortcut="I",
        tip="Take the colour under the pointer to paint with",
        hint="Click or drag over the picture   Alt picks in the middle of painting",
        drag=picker,
        options=Options.COLOUR,
        cursor=_CROSS,
    ),
    Tool(
        id="move",
        label="Move layer",
        icon="move",
        shortcut="Shift+V",
        tip="Move the chosen layer",
        hint="Drag the layer   Shift along one side   Alt+arrows in the list of layers move it by pixels",
        drag=move,
        cursor=Qt.CursorShape.SizeAllCursor,
    ),
    Tool(
        id="frame",
        label="Frame",
        icon="frame",
        shortcut="F",
        tip="Choose which part of the picture the model is given",
        hint="Drag a handle, inside to move, outside for a new one   Arrows move, Shift+arrows resize, Enter sets   "
        "Ctrl past the edge   Backspace follow the mask",
        drag=frame,
        keyed=keyed_frame,
        by_arrows=True,
        options=Options.FRAME,
        cursor=_CROSS,
    ),
    Tool(
        id="crop",
        label="Crop and extend",
        icon="crop",
        shortcut="Shift+C",
        tip="Pull the picture's edge out to paint beyond it, or in to trim it",
        hint="Pull a handle out to extend, in to trim   Draw a box, Enter or double click to crop to it   Esc drop",
        drag=crop,
        options=Options.CROP,
        cursor=_CROSS,
    ),
    Tool(
        id="pan",
        label="Pan",
        icon="pan",
        shortcut="H",
        tip="Move the view",
        hint="Drag to move the view   Wheel zoom   Ctrl+0 fit   Ctrl+1 100 %",
        drag=pan,
        cursor=Qt.CursorShape.OpenHandCursor,
        held_cursor=Qt.CursorShape.ClosedHandCursor,
    ),
)
TOOLS: Mapping[str, Tool] = MappingProxyType({row.id: row for row in _ROWS})

RESIZE_BRUSH = Tool(
    id="resize_brush",
    label="Brush size",
    icon="",
    shortcut="",
    tip="Change size and hardness by dragging",
    hint="",
    drag=resize_brush,
    options=Options.BRUSH,
)
"""The right button's own tool: no row, because nobody chooses it."""

WIPE = Tool(
    id="wipe",
    label="Before and after",
    icon="",
    shortcut="",
    tip="Move the line between before and after",
    hint="",
    drag=wipe,
    cursor=Qt.CursorShape.SplitHCursor,
    held_cursor=Qt.CursorShape.SplitHCursor,
)
"""The line between before and after is gripped in the place of any tool."""

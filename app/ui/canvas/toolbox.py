"""The Toolbox: which tool is in the hand, and the settings of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.document.strokes import Brush
from app.ui.canvas.area import AreaSettings
from app.ui.canvas.brush import DEFAULTS, next_hardness, next_size
from app.ui.canvas.colours import Colours
from app.ui.canvas.key_table import Bindings
from app.ui.canvas.rack import Rack
from app.ui.canvas.tools import TOOLS, Tool

BRUSH_FIELDS = ("size", "hardness", "opacity", "pen_size", "pen_opacity", "pen_curve", "smoothing")
_SWAP = {"brush": "eraser", "eraser": "brush", "paint": "paint_eraser", "paint_eraser": "paint"}


class Toolbox(QObject):
    """The chosen tool, and the hand in its place while its key is held."""

    active_changed = Signal()  # another tool would be used now
    tool_changed = Signal(str)
    brush_changed = Signal(object)  # the Brush of the current tool
    area_changed = Signal(object)  # the AreaSettings of the current tool
    hint_changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rack = Rack(DEFAULTS, kept=BRUSH_FIELDS, fixed=("erase",))
        self._areas = Rack(
            {id: AreaSettings() for id, tool in TOOLS.items() if tool.marks},
            kept=("opacity", "feather", "tolerance", "contiguous"),
        )
        self.colours = Colours(self)
        self._bindings = Bindings()
        self._chosen = "brush"
        self._hand_held = False

    @property
    def chosen(self) -> str:
        """The chosen tool's id; holding the hand does not change it."""
        return self._chosen

    @property
    def active(self) -> Tool:
        """What a press would use."""
        return TOOLS["pan" if self._hand_held else self._chosen]

    def choose(self, id: str) -> None:
        """A tool of TOOLS; KeyError for another."""
        if id == self._chosen:
            return
        TOOLS[id]  # an unknown one fails here, before anything has changed
        self._chosen = id
        self.active_changed.emit()
        self.tool_changed.emit(id)
        self.hint_changed.emit(self.hint)
        if id in self._rack:
            self.brush_changed.emit(self.brush)
        if id in self._areas:
            self.area_changed.emit(self.area)

    def swap(self) -> None:
        """Brush to eraser and back; a tool that marks areas takes away from now on, or adds again."""
        if self._chosen in self._areas:
            if TOOLS[self._chosen].colours:
                return
            self.set_area(replace(self.area, erase=not self.area.erase))
            return
        self.choose(_SWAP.get(self._chosen, "brush"))

    def hold_hand(self, held: bool) -> None:
        """The hand takes the place of the chosen tool, or gives it back."""
        self._hand_held = held
        self.active_changed.emit()

    @property
    def hint(self) -> str:
        """What the chosen tool's keys do."""
        return self._bindings.told(TOOLS[self._chosen].hint)

    def set_bindings(self, bindings: Bindings) -> None:
        """The keys that hints tell from now on."""
        self._bindings = bindings
        self.hint_changed.emit(self.hint)

    @property
    def brush(self) -> Brush:
        """The chosen tool's brush; a tool that does not paint shows the mask brush's."""
        return self._rack[self._chosen if self._chosen in self._rack else "brush"]

    def set_brush(self, brush: Brush) -> None:
        """Change the chosen tool's brush. It counts from the next stroke on."""
        if self._chosen not in self._rack or brush == self.brush:
            return
        self._rack.put(self._chosen, brush)
        self.brush_changed.emit(self.brush)

    @property
    def area(self) -> AreaSettings:
        """How the chosen tool marks areas; one that marks none shows plain settings."""
        return self._areas[self._chosen] if self._chosen in self._areas else AreaSettings()

    def set_area(self, area: AreaSettings) -> None:
        """Change how the chosen tool marks areas."""
        if self._chosen not in self._areas or area == self.area:
            return
        self._areas.put(self._chosen, area)
        self.area_changed.emit(area)

    def set_opacity(self, opacity: float) -> None:
        """0..1, of the chosen tool, whichever kind it is."""
        self.set_brush(replace(self.brush, opacity=opacity))
        self.set_area(replace(self.area, opacity=opacity))

    def step_size(self, direction: int) -> None:
        """One step larger (1) or smaller (-1)."""
        self.set_brush(replace(self.brush, size=next_size(self.brush.size, direction)))

    def step_hardness(self, direction: int) -> None:
        """One step harder (1) or softer (-1)."""
        self.set_brush(replace(self.brush, hardness=next_hardness(self.brush.hardness, direction)))

    def brushes(self) -> dict[str, dict[str, float]]:
        """Every tool's brush, for the settings."""
        return self._rack.values()

    def restore_brushes(self, values: Mapping[str, Any]) -> None:
        self._rack.restore(values)
        self.brush_changed.emit(self.brush)

    def areas(self) -> dict[str, dict[str, float]]:
        """How every tool marks areas, for the settings."""
        return self._areas.values()

    def restore_areas(self, values: Mapping[str, Any]) -> None:
        self._areas.restore(values)
        self.area_changed.emit(self.area)

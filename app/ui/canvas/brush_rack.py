"""The rack of brushes: each tool that paints keeps its own size, hardness and opacity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.document.strokes import Brush
from app.ui.canvas.brush import DEFAULTS

_KEPT = ("size", "hardness", "opacity")


class BrushRack:
    """Tool id -> Brush. Whether a brush erases belongs to the tool and never changes."""

    def __init__(self) -> None:
        self._brushes = dict(DEFAULTS)

    def __contains__(self, tool: str) -> bool:
        return tool in self._brushes

    def __getitem__(self, tool: str) -> Brush:
        return self._brushes[tool]

    def put(self, tool: str, brush: Brush) -> None:
        self._brushes[tool] = replace(brush, erase=DEFAULTS[tool].erase)

    def values(self) -> dict[str, dict[str, float]]:
        """To be kept in the settings."""
        return {tool: {name: getattr(brush, name) for name in _KEPT} for tool, brush in self._brushes.items()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what was kept; whatever is not a brush's number is passed over."""
        for tool in self._brushes:
            kept = values.get(tool)
            if isinstance(kept, Mapping):
                now = self._brushes[tool]
                size, hardness, opacity = (_number(kept.get(name), getattr(now, name)) for name in _KEPT)
                self.put(tool, Brush(size=size, hardness=hardness, opacity=opacity))


def _number(value: object, otherwise: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    try:
        number = float(value)
    except OverflowError:  # JSON has whole numbers of any length
        return otherwise
    return number if math.isfinite(number) else otherwise

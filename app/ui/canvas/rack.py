"""The rack: each tool keeps settings of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from app.document.strokes import Brush
from app.ui.canvas.area import AreaSettings

Settings = TypeVar("Settings", Brush, AreaSettings)


class Rack(Generic[Settings]):
    """Tool id -> its settings. ``kept`` names those that outlive a run; ``fixed`` those that belong to the tool and
    never change."""

    def __init__(self, defaults: Mapping[str, Settings], kept: Sequence[str], fixed: Sequence[str] = ()) -> None:
        self._defaults: Mapping[str, Settings] = defaults
        self._settings: dict[str, Settings] = dict(defaults)
        self._kept, self._fixed = kept, fixed

    def __contains__(self, tool: str) -> bool:
        return tool in self._settings

    def __getitem__(self, tool: str) -> Settings:
        return self._settings[tool]

    def put(self, tool: str, settings: Settings) -> None:
        fixed = {name: getattr(self._defaults[tool], name) for name in self._fixed}
        self._settings[tool] = replace(settings, **fixed)

    def values(self) -> dict[str, dict[str, float]]:
        """To be kept in the settings."""
        return {
            tool: {name: getattr(settings, name) for name in self._kept} for tool, settings in self._settings.items()
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what was kept; whatever is not a number or a switch where one belongs is passed over."""
        for tool, now in self._settings.items():
            kept = values.get(tool)
            if isinstance(kept, Mapping):
                read: dict[str, Any] = {name: _like(getattr(now, name), kept.get(name)) for name in self._kept}
                self.put(tool, replace(now, **read))


def _like(now: float, kept: object) -> float:
    """What was kept if it is of the kind of what is there now, else that."""
    if isinstance(now, bool) or isinstance(kept, bool):
        return kept if isinstance(kept, bool) and isinstance(now, bool) else now
    if not isinstance(kept, int | float):
        return now
    try:
        number = float(kept)
    except OverflowError:  # JSON has whole numbers of any length
        return now
    return number if math.isfinite(number) else now

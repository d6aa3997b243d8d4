"""The colour that is painted with, and those before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.document.surfaces import Colour

MOST = 16
_FIRST = ((24, 24, 24), (250, 250, 250), (200, 60, 50), (230, 160, 50), (240, 220, 90), (80, 150, 70), (60, 120, 190),
          (110, 80, 160))  # fmt: skip


class Colours(QObject):
    """``current``, and the ``recent`` ones, the newest first; a colour is recent once it has been painted with."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.current: Colour = _FIRST[2]
        self.recent: tuple[Colour, ...] = _FIRST

    def choose(self, colour: Colour) -> None:
        """Paint with this one from now on."""
        if colour != self.current:
            self.current = colour
            self.changed.emit()

    def use(self) -> None:
        """The current one has been painted with."""
        recent = (self.current, *(colour for colour in self.recent if colour != self.current))[:MOST]
        if recent != self.recent:
            self.recent = recent
            self.changed.emit()

    def values(self) -> dict[str, Any]:
        """For the settings."""
        return {"current": list(self.current), "recent": [list(colour) for colour in self.recent]}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what ``values`` gave; whatever is no colour is passed over."""
        kept = values.get("recent")
        recent = tuple(colour for each in kept if (colour := _read(each))) if isinstance(kept, list) else ()
        self.recent = recent[:MOST] or self.recent
        self.current = _read(values.get("current")) or self.current
        self.changed.emit()


def _read(value: object) -> Colour | None:
    match value:
        case [int(red), int(green), int(blue)] if all(0 <= part <= 255 for part in (red, green, blue)):
            return red, green, blue
    return None

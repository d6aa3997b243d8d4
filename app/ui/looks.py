"""How the mask is to be shown, as one value with one signal: panels write it, the canvas follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.ui.canvas.mask_look import MaskLook, MaskStyle


class MaskLooks(QObject):
    """Holds the MaskLook; ``update`` is its only writer."""

    changed = Signal(object)
    """The new MaskLook."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = MaskLook()

    @property
    def look(self) -> MaskLook:
        return self._look

    def update(self, **changes: Any) -> None:
        """Replace some values; what is equal already is no change. Raises TypeError for a name that is not there."""
        look = replace(self._look, **changes)
        if look != self._look:
            self._look = look
            self.changed.emit(look)

    def next_style(self) -> None:
        """The style after this one, round and round."""
        styles = list(MaskStyle)
        self.update(style=styles[(styles.index(self._look.style) + 1) % len(styles)])

    def values(self) -> dict[str, Any]:
        """To be kept in the settings."""
        return {"style": self._look.style.value, "opacity": self._look.opacity}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what was kept; whatever is not usable is passed over."""
        style, opacity = values.get("style"), values.get("opacity")
        if isinstance(style, str) and style in {each.value for each in MaskStyle}:
            self.update(style=MaskStyle(style))
        if isinstance(opacity, int | float) and not isinstance(opacity, bool) and 0.0 <= opacity <= 1.0:
            self.update(opacity=opacity)

"""Which keys do what: those of the tables of actions and of the canvas, and what the person has chosen instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from app.ui.actions import ACTIONS, ActionRow
from app.ui.canvas.key_table import CANVAS_KEYS, Bindings, CanvasKey, plain

FIXED: Mapping[str, str] = MappingProxyType(
    {
        "Return": "Finish the area, or begin one",
        "Backspace": "One corner back; let the frame follow the mask",
        **dict.fromkeys(("Left", "Right", "Up", "Down"), "Move the area, the frame or the line"),
        **dict.fromkeys(("Shift+Left", "Shift+Right", "Shift+Up", "Shift+Down"), "Resize the area or the frame"),
        "Tab": "The next control",
        "Shift+Tab": "The control before",
    }
)
"""Keys that belong to the canvas and to Qt, and what they do: nothing else can have them."""

Row = ActionRow | CanvasKey
_ALL: tuple[Row, ...] = (*ACTIONS, *CANVAS_KEYS)
ROWS: Mapping[str, Row] = MappingProxyType({row.id: row for row in _ALL})
"""All that a key can be chosen for: the actions, and what the canvas does while it has the focus."""
Keys = tuple[str, ...]  # in Qt's portable notation, the first is shown


class Shortcuts(QObject):
    """Holds the keys of every action, and of what the canvas does by keys; ``put``, ``clear`` and ``reset`` are their
    writers. Invariant: no key belongs to two."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = ROWS
        self._own: dict[str, Keys] = {}  # by the ids of the actions whose keys are not those of the table

    def keys(self, id: str) -> Keys:
        """Of this action. KeyError for one that is not there."""
        return self._own.get(id, self._rows[id].shortcuts)

    def shown(self, id: str) -> str:
        """Its first key as the system writes it; empty when it has none."""
        keys = self.keys(id)
        return QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if keys else ""

    def told(self, text: str, id: str) -> str:
        """The text with the key behind it: “Open a picture (Ctrl+O)”."""
        return f"{text} ({shown})" if (shown := self.shown(id)) else text

    @property
    def bindings(self) -> Bindings:
        """The canvas's keys."""
        return Bindings({row.id: self.keys(row.id) for row in CANVAS_KEYS})

    def owner(self, key: str) -> str | None:
        """The action that has this key."""
        return next((id for id in self._rows if plain(key) in map(plain, self.keys(id))), None)

    def put(self, id: str, key: str) -> None:
        """Make this the action's first key; the action that had it loses it. ValueError for one that is fixed."""
        key = plain(key)
        if not key or key in FIXED or self._rows[id].fixed:
            raise ValueError(f"{key} cannot be a key of {id}")
        owner = self.owner(key)
        if owner is not None and self._rows[owner].fixed:
            raise ValueError(f"{key} belongs to {owner}")
        if owner is not None and owner != id:
            self._set(owner, tuple(each for each in self.keys(owner) if plain(each) != key))
        self._set(id, (key, *(each for each in self.keys(id)[1:] if plain(each) != key)))
        self.changed.emit()

    def clear(self, id: str) -> None:
        """Leave the action without a key. ValueError for a fixed one."""
        if self._rows[id].fixed:
            raise ValueError(f"the key of {id} is fixed")
        self._set(id, ())
        self.changed.emit()

    def reset(self, id: str) -> None:
        """Its keys of the table again; whoever has one of them loses it."""
        for key in self._rows[id].shortcuts:
            owner = self.owner(key)
            if owner is not None and owner != id:
                self._set(owner, tuple(each for each in self.keys(owner) if plain(each) != plain(key)))
        self._own.pop(id, None)
        self.changed.emit()

    def reset_all(self) -> None:
        self._own.clear()
        self.changed.emit()

    @property
    def own(self) -> bool:
        """There is a key that is not the table's."""
        return bool(self._own)

    def values(self) -> dict[str, list[str]]:
        """To be kept in the settings."""
        return {id: list(keys) for id, keys in self._own.items()}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what was kept; what is no key, is fixed, or would belong to two is passed over."""
        self._own.clear()
        for id, keys in values.items():
            row = self._rows.get(id)
            if row is None or row.fixed or not isinstance(keys, list):
                continue
            named = [plain(key) for key in keys if isinstance(key, str)]
            self._set(id, tuple(key for key in named if key and key not in FIXED))
        for id in list(self._own):
            taken = {plain(key) for other in self._rows if other != id for key in self.keys(other)}
            self._set(id, tuple(key for key in self.keys(id) if key not in taken))
        self.changed.emit()

    def _set(self, id: str, keys: Keys) -> None:
        if keys == self._rows[id].shortcuts:
            self._own.pop(id, None)
        else:
            self._own[id] = keys

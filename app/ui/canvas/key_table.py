"""The keys of the canvas, as a table: what each asks for, and which key that is unless the person chose another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence


class Key(Enum):
    """What a key asks for."""

    HAND = auto()
    SWAP = auto()
    CANCEL = auto()
    LARGER = auto()
    SMALLER = auto()
    HARDER = auto()
    SOFTER = auto()
    OPACITY = auto()
    FINISH = auto()
    BACK = auto()
    PEEK = auto()
    BEFORE = auto()


@dataclass(frozen=True, kw_only=True)
class CanvasKey:
    """One row. ``held``: it counts until it is let go. ``opacity``: what it sets, for a Key.OPACITY."""

    id: str
    text: str
    tip: str
    key: Key
    shortcuts: tuple[str, ...]
    held: bool = False
    opacity: float = 1.0
    fixed: bool = False


CANVAS_KEYS = (
    CanvasKey(id="canvas_hand", text="Pan while held", tip="Move the view while it is held, whatever the tool",
              key=Key.HAND, shortcuts=("Space",), held=True),
    CanvasKey(id="canvas_swap", text="Brush or eraser", tip="Change brush and eraser, or adding and taking away",
              key=Key.SWAP, shortcuts=("X",)),
    CanvasKey(id="canvas_peek", text="Without the mask while held", tip="See the picture without its mask while held",
              key=Key.PEEK, shortcuts=("V",), held=True),
    CanvasKey(id="canvas_before", text="Before while held", tip="See the picture from before while it is held",
              key=Key.BEFORE, shortcuts=("Z",), held=True),
    CanvasKey(id="canvas_smaller", text="Smaller brush", tip="Make the brush a step smaller",
              key=Key.SMALLER, shortcuts=("[",)),
    CanvasKey(id="canvas_larger", text="Larger brush", tip="Make the brush a step larger",
              key=Key.LARGER, shortcuts=("]",)),
    CanvasKey(id="canvas_softer", text="Softer brush", tip="Make the brush a step softer",
              key=Key.SOFTER, shortcuts=("{",)),
    CanvasKey(id="canvas_harder", text="Harder brush", tip="Make the brush a step harder",
              key=Key.HARDER, shortcuts=("}",)),
    *(
        CanvasKey(id=f"canvas_opacity_{10 * tenth}", text=f"Opacity {10 * tenth} %", key=Key.OPACITY,
                  tip=f"Set the opacity of the tool in hand to {10 * tenth} %", shortcuts=(str(tenth % 10),),
                  opacity=tenth / 10)
        for tenth in range(1, 11)
    ),
)  # fmt: skip
"""What can be given another key. It counts while the canvas has the focus; a key belongs to no action as well."""
NO_KEY = "–"
_SETTLED = {
    Qt.Key.Key_Escape: Key.CANCEL,
    Qt.Key.Key_Return: Key.FINISH,
    Qt.Key.Key_Enter: Key.FINISH,
    Qt.Key.Key_Backspace: Key.BACK,
}
_MARK = re.compile(r"<(\w+)>")


def plain(key: str) -> str:
    """A key in Qt's portable notation, written in one way."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


class Bindings:
    """Which key is which row's. By what is typed, where that is no letter: brackets and digits lie elsewhere on other
    keyboards."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """``keys``: by the ids of the rows; None for those of the table."""
        self._keys = {row.id: row.shortcuts for row in CANVAS_KEYS} if keys is None else keys
        self._rows = {plain(key): row for row in CANVAS_KEYS for key in self._keys.get(row.id, ())}

    def row_of(self, event: QKeyEvent) -> CanvasKey | None:
        """The row whose key was pressed."""
        return next((row for name in _names(event) if (row := self._rows.get(name)) is not None), None)

    def key_of(self, event: QKeyEvent) -> Key | None:
        """What the key asks for; None: it means nothing here."""
        if (row := self.row_of(event)) is not None:
            return row.key
        if event.key() == Qt.Key.Key_Escape or not _held_with(event):
            return _SETTLED.get(Qt.Key(event.key()))
        return None

    def told(self, text: str) -> str:
        """A hint with the keys in it: ``<larger>`` becomes the key of that row, ``<opacity>`` the first and the last.
        Pieces of it (three spaces lie between) of which no key is left are left out."""
        pieces = text.split("   ")
        return "   ".join(self._filled(piece) for piece in pieces if self._can_be_told(piece))

    def _can_be_told(self, piece: str) -> bool:
        names = _MARK.findall(piece)
        return not names or any(self._name(name) != NO_KEY for name in names)

    def _filled(self, piece: str) -> str:
        return _MARK.sub(lambda found: self._name(found[1]), piece)

    def _name(self, of: str) -> str:
        if of == "opacity":
            return f"{self._name('opacity_10')}–{self._name('opacity_100')}"
        keys = self._keys.get(f"canvas_{of}", ())
        return QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if keys else NO_KEY


def _held_with(event: QKeyEvent) -> Qt.KeyboardModifier:
    """The modifiers; on the number pad is none."""
    return event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier


def _names(event: QKeyEvent) -> tuple[str, ...]:
    """What the key can be called, the likeliest first."""
    held, typed = _held_with(event), event.text()
    pressed = QKeySequence(QKeyCombination(held, Qt.Key(event.key()))).toString(
        QKeySequence.SequenceFormat.PortableText
    )
    by_text = len(typed) == 1 and typed.isprintable() and not typed.isalpha() and not typed.isspace()
    if by_text and (not typed.isdigit() or not held):
        return typed, pressed
    return (pressed,)

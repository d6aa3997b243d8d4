"""What can be done with layers in the window, each as one step to undo."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject

from app.document.document import Document
from app.document.layer_commands import (
    ChangeLayers,
    added,
    changed,
    duplicated,
    merged_down,
    moved,
    paint_layer,
    renamed,
    without,
)
from app.document.layers import Layer, Stack

_ONE_GESTURE = 1.0
"""Seconds: values of one slider that follow each other within them are one step."""


class LayerEdits(QObject):
    """Edits the stack of a document. What concerns "the layer" is done to the active one."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._fading: tuple[ChangeLayers, int, float] | None = None  # the last step of opacity, whose, and when

    def add_paint(self) -> None:
        """An empty layer to paint on, above the active one."""
        layer = paint_layer(self._document)
        self._push(added(self._document, layer), layer.id, "Add layer")

    def duplicate(self) -> None:
        if (layer := self._document.active) is not None:
            copy = duplicated(self._document, layer)
            self._push(added(self._document, copy), copy.id, "Duplicate layer")

    def remove(self) -> None:
        if (layer := self._document.active) is not None:
            self._push(*without(self._document, layer.id), "Delete layer")

    def merge_down(self) -> None:
        if (layer := self._document.active) is not None and self._document.layers[0] is not layer:
            self._push(*merged_down(self._document, layer.id), "Merge down")

    def shift_order(self, by: int) -> None:
        """Higher (1) or lower (-1) in the stack."""
        if (layer := self._document.active) is not None:
            self.move_to(layer.id, self._document.layers.index(layer) + by)

    def move_to(self, id: int, place: int) -> None:
        """Another place in the stack, counted from the lowest."""
        stack = self._document.layers
        place = min(max(0, place), len(stack) - 1)
        if stack[place].id != id:
            self._push(moved(stack, id, place), id, "Reorder layers")

    def nudge(self, x: int, y: int) -> None:
        """Move the layer by so many pixels."""
        if (layer := self._document.active) is not None:
            stack = changed(self._document.layers, layer.id, x=layer.x + x, y=layer.y + y)
            self._push(stack, layer.id, "Move layer")

    def show(self, id: int, visible: bool) -> None:
        layer = self._document.layer(id)
        if layer is not None and layer.visible != visible:
            active = self._document.active
            text = "Show layer" if visible else "Hide layer"
            self._push(changed(self._document.layers, id, visible=visible), active.id if active else id, text)

    def rename(self, id: int, name: str) -> None:
        layer = self._document.layer(id)
        stack = renamed(self._document.layers, id, name)
        if layer is not None and next(one for one in stack if one.id == id).name != layer.name:
            self._push(stack, id, "Rename layer")

    def fade(self, opacity: float) -> None:
        """Another opacity, 0..1; what a slider says in one go is one step."""
        layer, undo = self._document.active, self._document.undo
        if layer is None or layer.opacity == opacity:
            return
        if self._fading is not None:
            step, id, then = self._fading
            last = undo.count() == undo.index() > undo.floor and undo.newest is step
            if last and id == layer.id and time.monotonic() - then < _ONE_GESTURE:
                undo.undo()
        step = self._push(changed(self._document.layers, layer.id, opacity=opacity), layer.id, "Layer opacity")
        self._fading = step, layer.id, time.monotonic()

    def choose(self, id: int) -> None:
        self._document.choose_layer(id)

    def _push(self, stack: Stack, active: int | None, text: str) -> ChangeLayers:
        step = ChangeLayers(self._document, stack, active, text)
        self._document.undo.push(step)
        return step


def as_rows(stack: Stack) -> tuple[Layer, ...]:
    """The layers as a list shows them: the uppermost first."""
    return tuple(reversed(stack))

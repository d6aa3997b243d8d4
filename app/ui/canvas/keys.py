"""The Keys: what the keyboard does while the canvas has the focus."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeyEvent

from app.document.commands import SetFrame
from app.document.document import Document
from app.ui.canvas.comparison import Comparison
from app.ui.canvas.drag import Nudge, Order
from app.ui.canvas.events import nudge_of
from app.ui.canvas.key_table import Bindings, Key
from app.ui.canvas.tool_proxy import ToolProxy
from app.ui.canvas.toolbox import Toolbox


class Keys(QObject):
    """Hands keys to the tools. Some count until they are let go, or the focus goes elsewhere."""

    peeking = Signal(bool)  # the picture is to be seen without its mask, or with it again
    looking_back = Signal(bool)  # the picture from before is to be seen, or the one of now again

    def __init__(self, document: Document, toolbox: Toolbox, proxy: ToolProxy, comparison: Comparison) -> None:
        super().__init__(proxy)
        self._document = document
        self._toolbox = toolbox
        self._proxy = proxy
        self._comparison = comparison
        self._held: dict[int, Key] = {}  # what counts now, by Qt's number of the key that is down
        self.bindings = Bindings()

    def wants(self, event: QKeyEvent) -> bool:
        """The key belongs here now, and not to a shortcut of the window."""
        if nudge_of(event) is not None:
            return self._proxy.waiting or self._comparison.wiping or self._begins_by_arrows
        match self.bindings.key_of(event):
            case Key.CANCEL:
                return self._proxy.dragging
            case Key.FINISH:
                return self._proxy.waiting or self._toolbox.active.keyed is not None
            case Key.BACK:
                return self._proxy.waiting or self._frame_by_hand
            case None:
                return False
        return True

    def press(self, event: QKeyEvent) -> bool:
        """False when it means nothing here."""
        if (nudge := nudge_of(event)) is not None:
            return self._nudge(nudge)
        row = self.bindings.row_of(event)
        if row is not None and row.held:
            if not event.isAutoRepeat():
                self._held[event.key()] = row.key
                self._hold(row.key, True)
            return True
        match self.bindings.key_of(event):
            case Key.SWAP:
                self._toolbox.swap()
            case Key.LARGER | Key.SMALLER as key:
                self._toolbox.step_size(1 if key is Key.LARGER else -1)
            case Key.HARDER | Key.SOFTER as key:
                self._toolbox.step_hardness(1 if key is Key.HARDER else -1)
            case Key.OPACITY if row is not None:
                self._toolbox.set_opacity(row.opacity)
            case Key.FINISH:
                return self._proxy.order(Order.FINISH) or self._proxy.begin(self._toolbox.active)
            case Key.BACK if self._frame_by_hand:
                self._document.undo.push(SetFrame(self._document, None))
            case Key.BACK:
                return self._proxy.order(Order.BACK)
            case Key.CANCEL:
                return self._proxy.cancel()
            case _:
                return False
        return True

    def release(self, event: QKeyEvent) -> bool:
        """False when it was not held here."""
        if event.isAutoRepeat() or (key := self._held.pop(event.key(), None)) is None:
            return False
        self._hold(key, False)
        return True

    def _hold(self, key: Key, held: bool) -> None:
        match key:
            case Key.HAND:
                self._toolbox.hold_hand(held)
            case Key.PEEK:
                self.peeking.emit(held)
            case Key.BEFORE:
                self.looking_back.emit(held)

    def _nudge(self, nudge: Nudge) -> bool:
        if self._proxy.order(nudge):
            return True
        if nudge.x and self._comparison.wiping:
            self._comparison.step(nudge.x)
            return True
        return self._begins_by_arrows and self._proxy.begin(self._toolbox.active) and self._proxy.order(nudge)

    def let_go(self) -> None:
        """The release of what is held will go elsewhere."""
        self._held.clear()
        self._toolbox.hold_hand(False)
        self.peeking.emit(False)
        self.looking_back.emit(False)

    @property
    def _begins_by_arrows(self) -> bool:
        return self._toolbox.active.by_arrows and not self._proxy.dragging

    @property
    def _frame_by_hand(self) -> bool:
        """The frame tool is in the hand, over a frame that was set with it."""
        return self._toolbox.chosen == "frame" and self._document.frame is not None and not self._proxy.dragging

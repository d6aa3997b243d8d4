"""The Keys: what the keyboard does while the canvas has the focus."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

from app.document.commands import SetFrame
from app.document.document import Document
from app.ui.canvas.comparison import Comparison
from app.ui.canvas.drag import Nudge, Order
from app.ui.canvas.events import HELD, Key, key_of, nudge_of, opacity_of
from app.ui.canvas.tool_proxy import ToolProxy
from app.ui.canvas.toolbox import Toolbox


class Keys(QObject):
    """Hands keys to the tools. Those of HELD count until they are let go, or the focus goes elsewhere."""

    peeking = Signal(bool)  # the picture is to be seen without its mask, or with it again
    looking_back = Signal(bool)  # the picture from before is to be seen, or the one of now again

    def __init__(self, document: Document, toolbox: Toolbox, proxy: ToolProxy, comparison: Comparison) -> None:
        super().__init__(proxy)
        self._document = document
        self._toolbox = toolbox
        self._proxy = proxy
        self._comparison = comparison

    def wants(self, event: QKeyEvent) -> bool:
        """The key belongs here now, and not to a shortcut of the window."""
        if nudge_of(event) is not None:
            return self._proxy.waiting or self._comparison.wiping
        match key_of(event):
            case Key.CANCEL:
                return self._proxy.dragging
            case Key.FINISH:
                return self._proxy.waiting or self._toolbox.active.keyed is not None
            case Key.BACK:
                return self._proxy.waiting or self._frame_by_hand
            case None:
                return opacity_of(event) is not None
        return True

    def press(self, event: QKeyEvent) -> bool:
        """False when it means nothing here."""
        if (nudge := nudge_of(event)) is not None:
            return self._nudge(nudge)
        match key_of(event):
            case Key.HAND:
                self._toolbox.hold_hand(True)
            case Key.PEEK:
                self.peeking.emit(True)
            case Key.BEFORE:
                self.looking_back.emit(True)
            case Key.SWAP:
                self._toolbox.swap()
            case Key.LARGER | Key.SMALLER as key:
                self._toolbox.step_size(1 if key is Key.LARGER else -1)
            case Key.HARDER | Key.SOFTER as key:
                self._toolbox.step_hardness(1 if key is Key.HARDER else -1)
            case Key.FINISH:
                return self._proxy.order(Order.FINISH) or self._proxy.begin(self._toolbox.active)
            case Key.BACK if self._frame_by_hand:
                self._document.undo.push(SetFrame(self._document, None))
            case Key.BACK:
                return self._proxy.order(Order.BACK)
            case Key.CANCEL:
                return self._proxy.cancel()
            case None if (opacity := opacity_of(event)) is not None:
                self._toolbox.set_opacity(opacity)
            case _:
                return False
        return True

    def release(self, event: QKeyEvent) -> bool:
        """False when it was not held here."""
        key = HELD.get(Qt.Key(event.key()))
        if key is None or event.isAutoRepeat():
            return False
        if key is Key.HAND:
            self._toolbox.hold_hand(False)
        elif key is Key.PEEK:
            self.peeking.emit(False)
        else:
            self.looking_back.emit(False)
        return True

    def _nudge(self, nudge: Nudge) -> bool:
        if self._proxy.order(nudge):
            return True
        if nudge.x and self._comparison.wiping:
            self._comparison.step(nudge.x)
            return True
        return False

    def let_go(self) -> None:
        """The release of what is held will go elsewhere."""
        self._toolbox.hold_hand(False)
        self.peeking.emit(False)
        self.looking_back.emit(False)

    @property
    def _frame_by_hand(self) -> bool:
        """The frame tool is in the hand, over a frame that was set with it."""
        return self._toolbox.chosen == "frame" and self._document.frame is not None and not self._proxy.dragging

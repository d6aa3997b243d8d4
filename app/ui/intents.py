"""What the person wants done, followed from what they do."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.core.params import Intent
from app.document.document import Document
from app.ui.params import ParamStore


def why_not(intent: Intent, *, has_picture: bool, mask_empty: bool) -> str:
    """Why this cannot be done now, as a sentence that says what to do; empty when it can."""
    match intent:
        case Intent.GENERATE:
            return ""
        case Intent.REFINE:
            return "" if has_picture else "Open or generate a picture first: refining starts from one."
        case Intent.INPAINT:
            if not has_picture:
                return "Open or generate a picture first, then paint over the part that should change."
            return "Paint over the part that should change first." if mask_empty else ""


class IntentFollower(QObject):
    """Turns the choice to Refine when a picture is opened, to Inpaint when a mask is painted, and back when either
    goes away. A click on a segment writes the same parameter, so the last act wins."""

    def __init__(self, store: ParamStore, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._document = document
        document.mask_emptied.connect(self._on_mask_emptied)
        document.reset.connect(self._leave_the_impossible)
        document.changed.connect(self._leave_the_impossible)

    def picture_opened(self) -> None:
        self._store.update(intent=Intent.REFINE)

    def _on_mask_emptied(self, emptied: bool) -> None:
        if not emptied and self._document.has_picture:
            self._store.update(intent=Intent.INPAINT)
        self._leave_the_impossible()

    def _leave_the_impossible(self, *_: object) -> None:
        document, intent = self._document, self._store.params.intent
        for choice in (intent, Intent.REFINE, Intent.GENERATE):
            if not why_not(choice, has_picture=document.has_picture, mask_empty=document.mask_empty):
                self._store.update(intent=choice)
                return

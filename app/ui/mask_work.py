"""Edits of the whole mask, worked out beside the window, so that it stays alive however large the picture is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage

from app.document import mask_edits
from app.document.commands import PaintMask
from app.document.document import Document
from app.document.tiles import TileEdit
from app.jobs.background import Background

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MaskEdit:
    """One row: what can be done to the whole mask. ``sized``: by a number of pixels, which ``tip`` may name."""

    id: str
    label: str
    tip: str
    edits: Callable[[QImage, int], Iterator[TileEdit]]
    sized: bool = True


_ROWS = (
    MaskEdit(
        id="grow", label="Grow", tip="Make the mask larger all around, by the number of pixels.", edits=mask_edits.grown
    ),
    MaskEdit(
        id="shrink",
        label="Shrink",
        tip="Make the mask smaller all around, by the number of pixels.",
        edits=mask_edits.shrunk,
    ),
    MaskEdit(
        id="feather",
        label="Feather",
        tip="Let the mask's edge fall off over the number of pixels, to each side.",
        edits=mask_edits.feathered,
    ),
    MaskEdit(
        id="smooth",
        label="Smooth",
        tip="Take away specks, spurs and gaps thinner than twice the number of pixels.",
        edits=mask_edits.smoothed,
    ),
    MaskEdit(
        id="fill_holes",
        label="Fill holes",
        tip="Mark what the mask goes around.",
        edits=lambda mask, _: mask_edits.holes_filled(mask),
        sized=False,
    ),
)
MASK_EDITS: Mapping[str, MaskEdit] = MappingProxyType({row.id: row for row in _ROWS})


_SOON = 200  # ms: what is through sooner needs no sign


class MaskWork(QObject):
    """Carries out the rows of MASK_EDITS, each as one step. ``say`` is given a line for the person.

    The mask may be painted on meanwhile: what was worked out for another mask is worked out again.
    """

    def __init__(
        self, document: Document, background: Background, say: Callable[[str], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._background = background
        self._say = say
        self._working = 0  # edits that are under way
        self._told = False  # that they are
        self._sign = QTimer(self, singleShot=True, interval=_SOON)
        self._sign.timeout.connect(self._tell)
        self.pixels = 8
        """By how many the last edit was."""

    def again(self, id: str) -> None:
        """Do a row of MASK_EDITS by as many pixels as last time."""
        self.edit(id, self.pixels)

    def edit(self, id: str, pixels: int) -> None:
        """Do a row of MASK_EDITS by so many pixels."""
        row, self.pixels = MASK_EDITS[id], pixels
        self._working += 1
        self._sign.start()
        mask = QImage(self._document.mask)  # shares the pixels; who writes them gets a copy of their own

        def done(changed: list[TileEdit]) -> None:
            self._through(f"{row.label}: done.")
            if self._document.mask.cacheKey() != mask.cacheKey():
                self.edit(id, pixels)
            elif changed:
                self._document.undo.push(PaintMask(self._document, changed, f"{row.label} mask"))
            else:
                self._say(f"{row.label}: the mask stays as it is.")

        self._background.run(lambda: list(row.edits(mask, pixels)), done, self._failed)

    def _tell(self) -> None:
        self._told = True
        self._say("Working on the mask…")

    def _through(self, sentence: str) -> None:
        """One edit less is under way; who was told that they are is told that they are no more."""
        self._working -= 1
        if self._working:
            return
        self._sign.stop()
        if self._told:
            self._told = False
            self._say(sentence)

    def _failed(self, error: Exception) -> None:
        self._through("")
        log.error("an edit of the mask failed", exc_info=error)
        self._say("That did not work; the mask is as it was.")

"""How much of a file would tell how it was made, said in the menu before anything is saved."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.document import images
from app.document.document import Document
from app.jobs.background import Background
from app.ui.provenance import Provenance
from app.ui.words import in_bytes

log = logging.getLogger(__name__)


class ToldSizes(QObject):
    """Puts the sizes behind the names of two actions whenever their menu opens."""

    def __init__(
        self,
        menu: QMenu,
        tells: QAction,
        embeds: QAction,
        document: Document,
        provenance: Provenance,
        background: Background,
    ) -> None:
        super().__init__(menu)
        self._actions = (tells, embeds)
        self._names = (tells.text(), embeds.text())
        self._document = document
        self._provenance = provenance
        self._background = background
        menu.aboutToShow.connect(self._look)

    def _look(self) -> None:
        self._show((0, 0))
        if not self._document.has_picture:
            return
        picture, tell = self._document.picture.share(), self._provenance.teller(self._document.origin)

        def measure() -> tuple[int, int]:
            told = tell(images.to_pixels(picture))
            if told is None:
                return 0, 0
            return len(told.text.encode("utf-8")) + len(told.record.encode("utf-8")), told.part_bytes

        self._background.run(measure, self._show, lambda error: log.error("sizes are not known: %r", error))

    def _show(self, sizes: tuple[int, int]) -> None:
        for action, name, size in zip(self._actions, self._names, sizes, strict=True):
            action.setText(f"{name} ({in_bytes(size)})" if size else name)

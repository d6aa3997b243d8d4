"""What goes into the clipboard: the picture, the part under the mask, or how it was made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication, QImage

from app.core.errors import RequestError
from app.core.request import Request
from app.document import images
from app.document.snapshot import snapshot
from app.jobs.background import Background
from app.library import webui
from app.ui.desk import Desk
from app.ui.provenance import Provenance

log = logging.getLogger(__name__)


class Copying(QObject):
    """Fills the clipboard and says so. Pixels are worked on in the background."""

    def __init__(
        self,
        desk: Desk,
        provenance: Provenance,
        background: Background,
        say: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._provenance = provenance
        self._background = background
        self._say = say

    def picture(self) -> None:
        picture = self._desk.document.picture.share()

        def done(image: QImage) -> None:
            QGuiApplication.clipboard().setImage(image)
            self._say("The picture is in the clipboard.")

        if (image := picture.untouched) is not None and picture.opaque:
            done(QImage(image))
        else:
            self._background.run(lambda: images.flat_image(picture), done, self._failed)

    def masked_part(self) -> None:
        """What is marked, as opaque as it is marked."""
        picture, mask = self._desk.document.picture.share(), QImage(self._desk.document.mask)

        def cut() -> QImage | None:
            box = images.bounds(mask)
            if box is None:
                return None
            alpha = images.to_mask(mask)[box.slices]
            return images.to_qimage(np.dstack([images.to_pixels(picture)[box.slices], alpha]))

        def done(part: QImage | None) -> None:
            if part is None:
                self._say("Nothing is marked.")
                return
            QGuiApplication.clipboard().setImage(part)
            self._say("The marked part is in the clipboard, transparent around it.")

        self._background.run(cut, done, self._failed)

    def settings(self) -> None:
        """How the picture at hand was made, or what the panels hold where that is not known, as other programs read
        it."""
        shown = self._desk.candidates.shown
        if shown is not None:
            self._put(webui.parameters(shown.result), "The candidate's settings are in the clipboard.")
            return
        picture, tell = self._desk.document.picture.share(), self._provenance.teller(self._desk.document.origin)

        def done(text: str) -> None:
            if text:
                self._put(text, "The picture's settings are in the clipboard.")
            else:
                self._put(self._of_panels(), "The settings of the panels are in the clipboard.")

        def find() -> str:
            told = tell(images.to_pixels(picture))
            return told.text if told is not None else ""

        self._background.run(find, done, self._failed)

    def _of_panels(self) -> str:
        params, model = self._desk.store.params, self._desk.shelf.current
        try:
            request = snapshot(self._desk.document, params)
        except RequestError:  # no model or mask yet: the words and numbers are there all the same
            plain = Request(prompt="", model="-", size=params.size)
            names = ("negative", "seed", "steps", "guidance", "sampler")
            request = replace(plain, prompt=params.prompt, **{name: getattr(params, name) for name in names})
        return webui.in_words(request, model.name if model is not None else "")

    def _put(self, text: str, words: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._say(words)

    def _failed(self, error: Exception) -> None:
        log.error("copying failed", exc_info=error)
        self._say("That could not be copied.")

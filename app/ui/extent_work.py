"""Cropping, resizing and scaling from buttons, menus and dialogs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.core.geometry import Rect, Size
from app.document import images
from app.document.document import Document
from app.document.extent import ChangeExtent
from app.document.scaling import Original, Scaled, ScalePicture, scaled
from app.jobs.background import Background
from app.ui.size_dialogs import CanvasSizeDialog, ScaleDialog

log = logging.getLogger(__name__)


def crop_to_frame(document: Document) -> None:
    """Keep what lies in the frame that was set by hand; nothing happens where there is none."""
    if document.frame is not None:
        _change(document, document.frame, "Crop to the frame")


def crop_to_mask(document: Document) -> None:
    """Keep the smallest box that holds the mask; nothing happens while it is empty."""
    bounds = images.bounds(document.mask)
    if bounds is not None:
        _change(document, bounds, "Crop to the mask")


def _change(document: Document, area: Rect, text: str, *, mark: bool = True) -> None:
    if document.has_picture and area != Rect.whole(document.size):
        document.undo.push(ChangeExtent(document, area, text, mark=mark))


class ExtentWork(QObject):
    """What the menu "Picture" does. Scaling is worked out beside the window; ``say`` is given a line for the person."""

    def __init__(
        self, document: Document, background: Background, say: Callable[[str], object], window: QWidget
    ) -> None:
        super().__init__(window)
        self._document = document
        self._background = background
        self._say = say
        self._window = window

    def handlers(self) -> dict[str, Callable[[], object]]:
        """By the ids of the actions."""
        return {
            "crop_frame": lambda: crop_to_frame(self._document),
            "crop_mask": lambda: crop_to_mask(self._document),
            "canvas_size": self.ask_canvas_size,
            "scale_picture": self.ask_scale,
        }

    def enabled(self) -> dict[str, bool]:
        """Which of them can be done now."""
        document = self._document
        return {
            "crop_frame": document.has_picture and document.frame is not None,
            "crop_mask": document.has_picture and not document.mask_empty,
            "canvas_size": document.has_picture,
            "scale_picture": document.has_picture,
        }

    def ask_canvas_size(self) -> None:
        dialog = CanvasSizeDialog(self._document.size, self._window)
        dialog.chosen.connect(lambda area, mark: _change(self._document, area, "Canvas size", mark=mark))
        dialog.open()

    def ask_scale(self) -> None:
        dialog = ScaleDialog(self._document.size, self._window)
        dialog.chosen.connect(self.scale)
        dialog.open()

    def scale(self, size: Size) -> None:
        """Bring the picture to that size, as one step."""
        if size == self._document.size or not self._document.has_picture:
            return
        original = Original.of(self._document)

        def done(result: Scaled) -> None:
            if original.still(self._document):
                self._document.undo.push(ScalePicture(self._document, result))
            else:
                self._say("The picture was changed meanwhile, so it was not scaled.")

        self._background.run(lambda: scaled(original, size), done, self._failed)

    def _failed(self, error: Exception) -> None:
        log.error("scaling failed", exc_info=error)
        self._say("That did not work; the picture is as it was.")

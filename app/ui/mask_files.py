"""Masks from files and into them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from app.core.errors import PictureError
from app.core.geometry import Size
from app.core.request import Mask
from app.document import images
from app.document.commands import PaintMask
from app.document.document import Document
from app.document.mask_edits import replaced
from app.jobs.background import Background
from app.library.pictures import load_mask, load_picture, resized, save_png
from app.ui.files import flat
from app.ui.notices import Kind, Notice

log = logging.getLogger(__name__)

_KEPT = "Your mask is as it was."
_ASPECT = 0.01  # by how much sides may be out of proportion: sizes are whole numbers


class MaskFiles(QObject):
    """Brings masks into the document and writes them out. ``tell`` is given what the person should know."""

    saved = Signal(object)
    """The path that the mask was written to."""

    def __init__(
        self,
        document: Document,
        background: Background,
        tell: Callable[[Notice], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._background = background
        self._tell = tell

    def load(self, path: Path) -> None:
        """The mask in the file takes the place of the one that is there: white is repainted, black is kept."""
        size = self._document.size
        self._background.run(
            lambda: fitted(load_mask(path), size, path.name), lambda mask: self.put(mask, "Load mask"), self._failed
        )

    def take_image(self, image: QImage) -> None:
        """The same for pixels without a file; transparent ones are kept."""
        size = self._document.size
        self._background.run(
            lambda: fitted(images.to_mask(flat(image, Qt.GlobalColor.black)), size, "from the clipboard"),
            lambda mask: self.put(mask, "Paste mask"),
            self._failed,
        )

    def load_transparency(self, path: Path) -> None:
        """What is transparent in the file becomes the mask: see-through parts are repainted fully."""
        size = self._document.size
        self._background.run(
            lambda: fitted(_transparency(path), size, path.name),
            lambda mask: self.put(mask, "Mask from transparency"),
            self._failed,
        )

    def save(self, path: Path) -> None:
        """Write the mask as it is now, white where it is to be repainted."""
        mask = QImage(self._document.mask)  # shares the pixels; who writes them gets a copy of their own
        self._background.run(
            lambda: save_png(path, images.to_mask(mask)), lambda _: self.saved.emit(path), self._failed
        )

    def put(self, mask: Mask, text: str) -> None:
        """This mask, H x W, takes the place of the one that is there, in a step named ``text``."""
        document = self._document
        if mask.shape != (document.size.height, document.size.width):
            title = "Another picture is open now: the mask was made for the one before."
            self._tell(Notice(title=title, text=_KEPT))
            return
        edits = list(replaced(document.mask, mask))
        if edits:
            document.undo.push(PaintMask(document, edits, text))
        else:
            self._tell(Notice(title="That is the mask that is there already."))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PictureError):
            self._tell(Notice(kind=Kind.ERROR, title=error.message, text=f"{error.remedy} {_KEPT}"))
            return
        log.error("a mask file failed", exc_info=error)
        title = "Something went wrong with that file."
        self._tell(Notice(kind=Kind.ERROR, title=title, text=f"Try another one. {_KEPT}", details=repr(error)))


def fitted(mask: Mask, size: Size, name: str) -> Mask:
    """The mask at ``size``, H x W; only its scale may differ. Raises PictureError for another aspect."""
    own = Size(mask.shape[1], mask.shape[0])
    if own == size:
        return mask
    if abs(own.width * size.height / (own.height * size.width) - 1.0) > _ASPECT:
        raise PictureError(
            f"The mask “{name}” is {own.width} × {own.height}, the picture {size.width} × {size.height}.",
            "Use a mask with the picture's proportions.",
        )
    return resized(mask, size)


def _transparency(path: Path) -> Mask:
    """255 where the picture is see-through. Raises PictureError, also for one that is opaque throughout."""
    alpha = load_picture(path).alpha
    if alpha is None:
        raise PictureError(f"“{path.name}” has no transparent parts.", "Use a picture that has some, or load a mask.")
    return 255 - alpha

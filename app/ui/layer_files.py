"""Pictures that become layers over the document, in their own size, their transparency kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from app.core.errors import PictureError
from app.core.geometry import Size
from app.document import images
from app.document.document import Document
from app.document.layer_commands import ChangeLayers
from app.document.layers import MOST_NAME, Layer, LayerKind
from app.document.raster import Raster
from app.jobs.background import Background
from app.library.decoding import decode_layers
from app.library.pictures import read_file
from app.ui.notices import Kind, Notice

log = logging.getLogger(__name__)

_KEPT = "Your picture is as it was."


class LayerFiles(QObject):
    """Puts pictures on the document as layers, in one step. ``tell`` is given what the person should know."""

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

    def load(self, paths: Sequence[Path]) -> None:
        """Each file becomes a layer; the first lies lowest. All of them, or none where one cannot be read."""
        size = self._document.size
        self._background.run(lambda: [_layer(path, size) for path in paths], self._put, self._failed)

    def take_image(self, image: QImage) -> None:
        """The same for pixels without a file."""
        size = self._document.size

        def make() -> list[Layer]:
            opaque = not image.hasAlphaChannel()
            kind = QImage.Format.Format_RGB32 if opaque else QImage.Format.Format_ARGB32
            return [_placed(image.convertToFormat(kind), "Pasted", size)]

        self._background.run(make, self._put, self._failed)

    def _put(self, layers: list[Layer]) -> None:
        document = self._document
        if not document.has_picture:
            self._tell(Notice(title="There is no picture to lay it over.", text="Open it as a picture."))
            return
        active = document.active
        stack = document.layers
        place = stack.index(active) + 1 if active is not None else len(stack)
        text = "Add a layer" if len(layers) == 1 else f"Add {len(layers)} layers"
        document.undo.push(ChangeLayers(document, (*stack[:place], *layers, *stack[place:]), layers[-1].id, text))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PictureError):
            self._tell(Notice(kind=Kind.ERROR, title=error.message, text=f"{error.remedy} {_KEPT}"))
            return
        log.error("a layer failed", exc_info=error)
        title = "Something went wrong with that picture."
        self._tell(Notice(kind=Kind.ERROR, title=title, text=f"Try another one. {_KEPT}", details=repr(error)))


def _layer(path: Path, size: Size) -> Layer:
    """Raises PictureError."""
    layers = decode_layers(read_file(path), path.name, managed=True)
    pixels = layers.colour if layers.alpha is None else np.dstack([layers.colour, layers.alpha])
    return _placed(images.to_qimage(pixels), path.stem, size)


def _placed(image: QImage, name: str, size: Size) -> Layer:
    """In the middle of the picture, which it may be larger than."""
    x, y = (size.width - image.width()) // 2, (size.height - image.height()) // 2
    return Layer(name=name[:MOST_NAME] or "Picture", kind=LayerKind.PICTURE, image=Raster.of(image), x=x, y=y)

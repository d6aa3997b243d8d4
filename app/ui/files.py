"""Opening and saving pictures while the window stays alive."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPainter

from app.core.errors import PictureError
from app.core.recipe import Recipe
from app.core.request import Mask, Pixels
from app.document import images
from app.document.commands import OpenPicture
from app.document.document import Document
from app.jobs.background import Background
from app.library.metadata import Told, read_told, recipe_from
from app.library.pictures import decode_picture, read_file
from app.library.saving import Saved, save_picture
from app.ui.notices import Help, Kind, Notice
from app.ui.provenance import Provenance
from app.ui.recipes import Reopened

log = logging.getLogger(__name__)

_KEPT = "Your picture is as it was."


@dataclass(frozen=True)
class Saveable:
    """What a document was at one moment, as far as two moments can be told apart."""

    whole: bool
    marks: tuple[object, ...]


class PictureFiles(QObject):
    """Brings pictures into the document and writes them out. ``tell`` is given what the person should know."""

    opened = Signal(object)
    """The path of a picture that has become the document; None when it came from no file."""
    saved = Signal(object, object)
    """The path that the document was written to, and a Saved."""
    reopened = Signal(object)
    """A Reopened: a file that tells how its picture was made."""
    mark_transparent = Signal(object)
    """The person wants these parts of the picture that was opened in the mask (H x W, 255 = was fully transparent)."""

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
        self._whole = False
        self._saved = self._marks(False)
        self.provenance = Provenance()
        self.tells = True
        """What is saved tells how it was made."""
        self.embeds = False
        """It holds the source and mask as well: what was painted over may be private, so only when that is wished."""

    @property
    def unsaved(self) -> bool:
        """There is work that no file has: pixels, and in a project masks and frame as well, which a PNG cannot hold."""
        return self._document.has_picture and self._marks(self._whole) != self._saved

    def state(self, *, whole: bool) -> Saveable:
        """What the document is now. ``whole``: a file of it would hold everything."""
        return Saveable(whole, self._marks(whole))

    def mark_saved(self, state: Saveable) -> None:
        """A file holds that."""
        self._whole, self._saved = state.whole, state.marks

    def _marks(self, whole: bool) -> tuple[object, ...]:
        # The keys change with every write to the pixels and are kept by copies that share them.
        document = self._document
        if not whole:
            return (document.picture.cacheKey(),)
        layers = tuple(
            (it.id, it.name, it.x, it.y, it.opacity, it.visible, it.image.cacheKey()) for it in document.layers
        )
        return (layers, document.mask.cacheKey(), document.frame)

    def bring(self, path: Path) -> None:
        """Open a file that was dropped or pasted; one that tells how it was made is not opened unasked."""
        self._bring_in(lambda: _loaded(path), path, f"Open {path.name}", ask=True)

    def bring_bytes(self, data: bytes, name: str) -> None:
        """The same for a file that lies nowhere here."""
        self._bring_in(lambda: _decoded(data, name), None, f"Open {name}", ask=True, name=name)

    def bring_image(self, image: QImage) -> None:
        """Open pixels without a file."""
        self._bring_in(lambda: _Brought(flat(image)), None, "Paste picture")

    def open(self, path: Path) -> None:
        self._bring_in(lambda: _loaded(path), path, f"Open {path.name}")

    def save(self, path: Path, then: Callable[[], object] = lambda: None) -> None:
        """Write the picture as it is now; ``then`` is called once it is safely on the disk, and only then."""
        picture = self._document.picture.share()  # shares the pixels; who writes them gets a copy of their own

        tell = self.provenance.teller(self._document.origin) if self.tells else None
        embeds = self.embeds

        state = self.state(whole=False)

        def done(saved: Saved) -> None:
            self.mark_saved(state)
            self.saved.emit(path, saved)
            then()

        def write() -> Saved:
            pixels = images.to_pixels(picture)
            told = tell(pixels) if tell is not None else None
            if told is not None and not embeds:
                told = told.without_parts()
            return save_picture(path, pixels, told)

        self._background.run(write, done, self._failed)

    def _bring_in(
        self, read: Callable[[], _Brought], path: Path | None, text: str, *, ask: bool = False, name: str = ""
    ) -> None:
        """``ask``: a file that tells how its picture was made is not opened before the person has chosen."""
        name = name or (path.name if path is not None else "")

        def done(picture: _Brought) -> None:
            recipe = picture.recipe
            if recipe is not None and recipe.values and ask:
                self.reopened.emit(Reopened(name=name, recipe=recipe, open=lambda: show(picture)))
                return
            show(picture)
            if recipe is not None:
                self.reopened.emit(Reopened(name=name, recipe=recipe))

        def show(picture: _Brought) -> None:
            self._document.undo.push(OpenPicture(self._document, picture.image, text))
            self.provenance.opened(picture.pixels, picture.told, self._document.origin)
            if path is not None:
                self.mark_saved(self.state(whole=False))
            for note in picture.notes:
                self._tell(Notice(title=note))
            if (alpha := picture.alpha) is not None:
                mark = Help(label="Mark them", act=lambda: self.mark_transparent.emit(255 - alpha))
                self._tell(Notice(title=picture.on_alpha, text="You can mark them to have them repainted.", help=mark))
            self.opened.emit(path)

        self._background.run(read, done, self._failed)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PictureError):
            self._tell(Notice(kind=Kind.ERROR, title=error.message, text=f"{error.remedy} {_KEPT}"))
            return
        log.error("a file failed", exc_info=error)
        self._tell(
            Notice(
                kind=Kind.ERROR,
                title="Something went wrong with that file.",
                text=f"Try another one. {_KEPT}",
                details=repr(error),
            )
        )


@dataclass(frozen=True, eq=False)
class _Brought:
    """A picture as the document holds it (RGB32), and what the person should know about it."""

    image: QImage
    notes: tuple[str, ...] = ()
    alpha: Mask | None = None  # H x W, where the file had any
    on_alpha: str = ""  # what became of it
    pixels: Pixels | None = None
    told: Told | None = None
    recipe: Recipe | None = None  # what is told, as far as it is known here


def _loaded(path: Path) -> _Brought:
    """The picture in a file. Raises PictureError."""
    return _decoded(read_file(path), path.name)


def _decoded(data: bytes, name: str) -> _Brought:
    """The picture in the bytes of a file. Raises PictureError."""
    picture = decode_picture(data, name)
    told = read_told(data)
    recipe = recipe_from(told, picture.pixels) if told is not None else None
    brought = _Brought(images.to_qimage(picture.pixels), picture.notes, None, "", picture.pixels, told, recipe)
    if picture.alpha is None:
        return brought
    *notes, on_alpha = picture.notes
    return replace(brought, notes=tuple(notes), alpha=picture.alpha, on_alpha=on_alpha)


def flat(image: QImage, under: Qt.GlobalColor = Qt.GlobalColor.white) -> QImage:
    """An image over one colour where it is transparent, RGB32."""
    flat = QImage(image.size(), QImage.Format.Format_RGB32)
    flat.fill(under)
    painter = QPainter(flat)
    painter.drawImage(flat.rect(), image)
    painter.end()
    return flat

"""What is dropped or pasted: deciding what it is, and the frame shown while it hovers."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.core.weights import PICKLED
from app.ui.theme import GRID


@dataclass(frozen=True)
class DroppedFiles:
    """Files and folders of this computer, in the order in which they were chosen; at least one."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class DroppedImage:
    """Pixels without a file."""

    image: QImage


@dataclass(frozen=True)
class DroppedLink:
    """Something that lies elsewhere: on the net, or on another computer."""

    address: str


@dataclass(frozen=True)
class DroppedText:
    """Words, a prompt for example."""

    text: str


Dropped = DroppedFiles | DroppedImage | DroppedLink | DroppedText


def is_weights(path: Path) -> bool:
    """It looks like a model or something that adds to one, and not like a picture."""
    return path.suffix.lower() in (".safetensors", *PICKLED) or os.path.isfile(path / "model_index.json")


def read_drop(mime: QMimeData) -> Dropped | None:
    """What is in a drop or the clipboard; None when there is nothing that Limner takes."""
    # Never parse text() for files: it is no list of them, and on Windows it is no path at all.
    urls = mime.urls() if mime.hasUrls() else []
    files = [Path(url.toLocalFile()) for url in urls if _is_here(url)]
    if files:
        return DroppedFiles(tuple(files))
    if mime.hasImage():  # browsers give the pixels beside the link: better than the link
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return DroppedImage(image)
    if urls:
        return DroppedLink(urls[0].toString())
    text = mime.text().strip() if mime.hasText() else ""
    if _LINK.fullmatch(text):
        return DroppedLink(text)
    return DroppedText(text) if text else None


_LINK = re.compile(r"https?://\S{1,4000}", re.IGNORECASE)


def _is_here(url: QUrl) -> bool:
    """A file of this computer. One of another (file://host/x) is left alone: merely asking for it makes Windows send
    the person's password hash to that host."""
    return url.isLocalFile() and url.host().casefold() in ("", "localhost") and not url.toLocalFile().startswith("//")


class DropVeil(QFrame):
    """A frame over its parent that says that a picture may be dropped; where a mask can be used as well, it has a place
    for each of the two."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self._offers_mask = False
        self.as_mask = False
        """What is dropped now would be the mask."""
        self.setObjectName("dropVeil")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._open, self._mask = QLabel("Drop to open"), QLabel("Drop to use as the mask")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        for label in (self._open, self._mask):
            column.addWidget(label, 1, Qt.AlignmentFlag.AlignCenter)
        parent.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host:
            self.setGeometry(self._host.rect())
        return super().eventFilter(watched, event)

    def lift(self, *, offer_mask: bool = False) -> None:
        """Show it. ``offer_mask``: its lower half is for a mask."""
        self._offers_mask = offer_mask
        self._mask.setVisible(offer_mask)
        self.setGeometry(self._host.rect())
        self.show()
        self.raise_()

    def point_at(self, at: QPoint) -> None:
        """Where the pointer is, in the veil's own pixels: decides between picture and mask."""
        inside = self.isVisible() and self._offers_mask and self.rect().contains(at)
        self.as_mask = inside and at.y() > self.height() / 2
        for label, chosen in ((self._open, not self.as_mask), (self._mask, self.as_mask)):
            label.setProperty("chosen", chosen)
            label.style().polish(label)

"""Pictures that are dropped or pasted: deciding what they are, and the frame shown while one hovers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.core.weights import PICKLED
from app.ui.theme import GRID


@dataclass(frozen=True)
class DroppedFiles:
    """The first file, and how many more there were."""

    path: Path
    others: int

    @property
    def is_model(self) -> bool:
        return self.path.suffix.lower() in (".safetensors", *PICKLED) or os.path.isfile(self.path / "model_index.json")


@dataclass(frozen=True, eq=False)
class DroppedImage:
    """Pixels without a file."""

    image: QImage


@dataclass(frozen=True)
class DroppedLink:
    """A picture somewhere on the net, which Limner does not go to."""

    address: str


Dropped = DroppedFiles | DroppedImage | DroppedLink


def read_drop(mime: QMimeData) -> Dropped | None:
    """What to open out of a drop or the clipboard; None when there is nothing like a picture in it."""
    # Never parse text(): it is not a file list, and on Windows it is no path at all.
    urls = mime.urls() if mime.hasUrls() else []
    files = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    if files:
        return DroppedFiles(files[0], len(files) - 1)
    if mime.hasImage():  # browsers give the pixels beside the link: better than the link
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return DroppedImage(image)
    return DroppedLink(urls[0].toString()) if urls else None


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

"""The Document: the picture, the mask over it and the undo stack that every edit goes through."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QImage, QRegion

from app.core.geometry import Rect, Size
from app.document import images
from app.document.patch import Packer
from app.document.undo import UndoHistory

_numbers = itertools.count(secrets.randbits(40) << 20)  # so that those of another run, brought back, are others


@dataclass(frozen=True)
class Origin:
    """Which picture a document shows; undo brings it back. Strokes and repainted parts leave it as it is.

    ``opened``: another one for each picture that was opened. ``made``: another one also for each that was generated
    in its place.
    """

    opened: int
    made: int

    @classmethod
    def new(cls) -> Origin:
        """Of a picture that nobody has seen yet."""
        number = next(_numbers)
        return cls(number, number)

    def remade(self) -> Origin:
        """Of a picture generated in this one's place."""
        return Origin(self.opened, next(_numbers))


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """A whole document at one moment. Whoever holds it owns the images: nobody else reads or writes them."""

    picture: QImage
    mask: QImage
    painted: int = 0  # mask pixels that are not 0
    has_picture: bool
    origin: Origin
    frame: Rect | None = None  # the part that the model is given; None: it follows the mask


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureState:
    """A picture without its mask at one moment; owned like a State."""

    picture: QImage
    has_picture: bool
    origin: Origin


class Document(QObject):
    """What is being edited. Invariant: ``picture`` is RGB32, ``mask`` is Grayscale8, both have ``size``.

    Everyone reads; only commands (``app.document.commands``) call the writers: ``write_mask``, ``invert_mask``,
    ``set_frame``, ``write_picture``, ``exchange_picture`` and ``exchange``.
    """

    changed = Signal(
        QRect
    )  # picture or mask pixels changed in this box, in picture pixels; one of the next two as well
    picture_changed = Signal(QRect)
    mask_changed = Signal(QRegion)  # no more than the tiles that were written
    reset = Signal()  # another picture or another size
    frame_changed = Signal()  # the frame is another one
    mask_emptied = Signal(bool)  # the mask turned from empty to painted (False) or back (True)

    def __init__(self, size: Size, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = _blank(size, Origin.new())
        self._painted = 0  # mask pixels that are not 0, so that mask_empty costs nothing
        self.undo = UndoHistory(self)
        self.packer = Packer(self)  # makes small what the undo stack keeps
        self.packer.emptied.connect(self.undo.trim)

    @property
    def size(self) -> Size:
        return Size(self._state.picture.width(), self._state.picture.height())

    @property
    def box(self) -> QRect:
        """The whole picture, in picture pixels."""
        return self._state.picture.rect()

    @property
    def has_picture(self) -> bool:
        return self._state.has_picture

    @property
    def origin(self) -> Origin:
        """Which picture this is: who works on it elsewhere compares this before putting anything into it."""
        return self._state.origin

    @property
    def mask_empty(self) -> bool:
        return self._painted == 0

    @property
    def picture(self) -> QImage:
        """The live picture, white while there is none: draw it, but copy what must stay as it is."""
        return self._state.picture

    @property
    def mask(self) -> QImage:
        """The live mask, 0 = keep .. 255 = repaint: draw it, but copy what must stay as it is."""
        return self._state.mask

    @property
    def frame(self) -> Rect | None:
        """The part of the picture that the model is given; None: it follows the mask."""
        return self._state.frame

    def pixels(self) -> NDArray[np.uint8]:
        """The picture as a read-only copy, H x W x 3."""
        return images.to_pixels(self.picture)

    def mask_pixels(self) -> NDArray[np.uint8]:
        """The mask as a read-only copy, H x W."""
        return images.to_mask(self.mask)

    def resize_blank(self, size: Size) -> bool:
        """Give an untouched blank canvas another size; not an edit. False, with nothing done, once there is history:
        the steps to redo belong to the old size."""
        if self.has_picture or self.undo.count() or size == self.size:
            return False
        self._state = _blank(size, self.origin)
        self.reset.emit()
        return True

    def exchange(self, other: State) -> State:
        """Another picture takes the place of this one, with its mask and size. Returns what was."""
        before, was_empty = replace(self._state, painted=self._painted), self.mask_empty
        self._state, self._painted = other, other.painted
        self.reset.emit()
        if before.frame != other.frame:
            self.frame_changed.emit()
        self._tell_emptied(was_empty)
        return before

    def exchange_picture(self, other: PictureState) -> PictureState:
        """Another picture (RGB32) of the same size, under the same mask. Returns what was."""
        if other.picture.size() != self.picture.size():
            raise ValueError(f"{other.picture.size()} is not the document's {self.picture.size()}")
        before = PictureState(picture=self.picture, has_picture=self.has_picture, origin=self.origin)
        self._state = replace(self._state, picture=other.picture, has_picture=other.has_picture, origin=other.origin)
        self._tell_picture(self.box)
        return before

    def set_frame(self, frame: Rect | None) -> None:
        """Another frame, which must lie on the picture."""
        if frame is not None and (frame.size.area == 0 or not frame.inside(self.size)):
            raise ValueError(f"{frame} does not lie on {self.size}")
        self._state = replace(self._state, frame=frame)
        self.frame_changed.emit()

    def write_mask(self, parts: Iterable[tuple[QRect, NDArray[np.uint8]]]) -> None:
        """Put H x W pixels into each box of the mask, and say so once."""
        was_empty = self.mask_empty
        written = QRegion()
        parts = list(parts)
        self._painted += images.exchange_mask(self.mask, parts)
        for box, _ in parts:
            written += box
        self._tell_mask(written, was_empty)

    def invert_mask(self) -> None:
        """Each value of the mask becomes 255 less itself."""
        was_empty = self.mask_empty
        self._painted = images.invert_mask(self.mask)
        self._tell_mask(QRegion(self.box), was_empty)

    def write_picture(self, parts: Iterable[tuple[QRect, NDArray[np.uint8]]]) -> None:
        """Put H x W x 3 pixels into each box of the picture, and say so once."""
        written = QRect()
        for box, pixels in parts:
            images.write_picture(self.picture, box, pixels)
            written = written.united(box)
        self._tell_picture(written)

    def _tell_picture(self, box: QRect) -> None:
        if not box.isEmpty():
            self.picture_changed.emit(box)
            self.changed.emit(box)

    def _tell_mask(self, region: QRegion, was_empty: bool) -> None:
        if not region.isEmpty():
            self.mask_changed.emit(region)
            self.changed.emit(region.boundingRect())
        self._tell_emptied(was_empty)

    def _tell_emptied(self, was_empty: bool) -> None:
        if was_empty != self.mask_empty:
            self.mask_emptied.emit(self.mask_empty)


def _blank(size: Size, origin: Origin) -> State:
    picture, mask = images.blank_picture(size.width, size.height), images.blank_mask(size.width, size.height)
    return State(picture=picture, mask=mask, has_picture=False, origin=origin)

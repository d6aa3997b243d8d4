"""The Document: layers, the mask over them and the undo stack that every edit goes through."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QImage, QRegion

from app.core.geometry import Rect, Size
from app.document import images
from app.document.layers import Layer, Stack, changed_box, compose, is_flat, look_format, looked
from app.document.masks import Masks
from app.document.patch import Packer
from app.document.raster import Format, Raster
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
    """A whole document at one moment. Whoever holds it owns the images: nobody else reads or writes them.

    ``picture``: the look of the stack; None: it is to be drawn. ``active``: the id of the layer that edits go to.
    """

    layers: Stack
    active: int | None
    mask: QImage
    origin: Origin
    picture: Raster | None = None
    painted: int = 0  # mask pixels that are not 0
    frame: Rect | None = None  # the part that the model is given; None: it follows the mask
    masks: Masks = field(default_factory=Masks.one)  # all that there are; ``mask`` is the one in use


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureState:
    """A picture without its mask at one moment; owned like a State."""

    layers: Stack
    active: int | None
    origin: Origin
    picture: Raster | None = None


class Document(QObject):
    """What is being edited: layers, the mask over them and the frame.

    Invariant: ``picture``, the look of the layers, is RGB32, or premultiplied where one can see through them; ``mask``
    is Grayscale8, both have ``size``. A stack that is nothing but one opaque layer of that size has its image as
    ``picture``, and what only the lowest of several shows is shared with it: that costs no memory.
    Everyone reads; only commands (``app.document.commands``, ``app.document.layer_commands``) call the writers:
    ``write_mask``, ``invert_mask``, ``set_frame``, ``set_masks``, ``write_layer``, ``set_layers``,
    ``exchange_picture`` and ``exchange``.
    """

    changed = Signal(
        QRect
    )  # picture or mask pixels changed in this box, in picture pixels; one of the next two as well
    picture_changed = Signal(QRegion)  # no more than the tiles that were written
    mask_changed = Signal(QRegion)  # no more than the tiles that were written
    layers_changed = Signal()  # other layers, another order, look or name, or another active one
    layer_painted = Signal(int, QRegion)  # the pixels of the layer of this id changed there, in picture pixels
    reset = Signal()  # another picture or another size
    frame_changed = Signal()  # the frame is another one
    masks_changed = Signal()  # there are others, or another is in use, or one has another name
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
        return Size(self._state.mask.width(), self._state.mask.height())

    @property
    def box(self) -> QRect:
        """The whole picture, in picture pixels."""
        return self._state.mask.rect()

    @property
    def has_picture(self) -> bool:
        return bool(self._state.layers)

    @property
    def layers(self) -> Stack:
        """The lowest comes first; none on the blank canvas."""
        return self._state.layers

    @property
    def active(self) -> Layer | None:
        """The layer that edits of pixels go to."""
        return self.layer(self._state.active)

    def layer(self, id: int | None) -> Layer | None:
        return next((layer for layer in self.layers if layer.id == id), None)

    @property
    def origin(self) -> Origin:
        """Which picture this is: who works on it elsewhere compares this before putting anything into it."""
        return self._state.origin

    @property
    def mask_empty(self) -> bool:
        return self._painted == 0

    @property
    def picture(self) -> Raster:
        """The live look of the layers: draw it, but ``share`` what must stay as it is."""
        assert self._state.picture is not None  # drawn wherever the layers are set
        return self._state.picture

    @property
    def mask(self) -> QImage:
        """The live mask, 0 = keep .. 255 = repaint: draw it, but copy what must stay as it is."""
        return self._state.mask

    @property
    def frame(self) -> Rect | None:
        """The part of the picture that the model is given; None: it follows the mask."""
        return self._state.frame

    @property
    def masks(self) -> Masks:
        """All masks of the picture; the one in use is ``mask``."""
        return self._state.masks

    def pixels(self) -> NDArray[np.uint8]:
        """The picture as a read-only copy, H x W x 3; white where there is nothing."""
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
        self._state, self._painted = _looked(other), other.painted
        self.reset.emit()
        self.layers_changed.emit()
        if before.frame != other.frame:
            self.frame_changed.emit()
        self.masks_changed.emit()
        self._tell_emptied(was_empty)
        return before

    def exchange_picture(self, other: PictureState) -> PictureState:
        """Other layers under the same mask. Returns what was."""
        now = self._state
        before = PictureState(layers=now.layers, active=now.active, origin=now.origin, picture=now.picture)
        after = replace(now, layers=other.layers, active=other.active, origin=other.origin, picture=other.picture)
        self._state = _looked(after)
        self._tell_picture(QRegion(self.box))
        self.layers_changed.emit()
        return before

    def set_layers(self, layers: Stack, active: int | None) -> None:
        """Other layers, order, looks or names; pixels that no layer changes stay as they are drawn."""
        box = changed_box(self.layers, layers).intersected(self.box)
        if self.picture.format() != look_format(layers, self.size):  # rare: it can be seen through, or no more
            box, picture = self.box, looked(layers, self.size)
        else:
            picture = self._redrawn(layers, box)
        self._state = replace(self._state, layers=layers, active=active, picture=picture)
        self._tell_picture(QRegion(box))
        self.layers_changed.emit()

    def choose_layer(self, id: int) -> None:
        """Edits of pixels go to this layer from now on; not an edit itself."""
        if self.layer(id) is not None and id != self._state.active:
            self._state = replace(self._state, active=id)
            self.layers_changed.emit()

    def _redrawn(self, layers: Stack, box: QRect) -> Raster:
        """The look of ``layers``, which differs from what is drawn in ``box`` alone."""
        if is_flat(layers, self.size):
            return layers[0].image
        picture = self.picture.share() if is_flat(self.layers, self.size) else self.picture
        compose(layers, picture, box)
        return picture

    def write_layer(self, id: int, parts: Iterable[tuple[QRect, NDArray[np.uint8]]]) -> None:
        """Put H x W x 4 pixels into each box of a layer (in the layer's own pixels), and say so once."""
        layer = self.layer(id)
        if layer is None:
            raise ValueError(f"there is no layer {id}")
        written = QRegion()
        for box, pixels in parts:
            images.write_layer(layer.image, box, pixels)
            place = box.translated(layer.x, layer.y)
            if not is_flat(self.layers, self.size):
                compose(self.layers, self.picture, place)
            written += place
        self._tell_picture(written.intersected(self.box))
        self.layer_painted.emit(id, written)

    def set_frame(self, frame: Rect | None) -> None:
        """Another frame, which must lie on the picture."""
        if frame is not None and (frame.size.area == 0 or not frame.inside(self.size)):
            raise ValueError(f"{frame} does not lie on {self.size}")
        self._state = replace(self._state, frame=frame)
        self.frame_changed.emit()

    def set_masks(self, masks: Masks) -> None:
        """Another list of masks; the pixels of the one in use are written by ``write_mask``."""
        self._state = replace(self._state, masks=masks)
        self.masks_changed.emit()

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

    def _tell_picture(self, region: QRegion) -> None:
        if not region.isEmpty():
            self.picture_changed.emit(region)
            self.changed.emit(region.boundingRect())

    def _tell_mask(self, region: QRegion, was_empty: bool) -> None:
        if not region.isEmpty():
            self.mask_changed.emit(region)
            self.changed.emit(region.boundingRect())
        self._tell_emptied(was_empty)

    def _tell_emptied(self, was_empty: bool) -> None:
        if was_empty != self.mask_empty:
            self.mask_emptied.emit(self.mask_empty)


def _blank(size: Size, origin: Origin) -> State:
    picture = Raster.blank(size.width, size.height, Format.Format_ARGB32_Premultiplied)
    mask = images.blank_mask(size.width, size.height)
    return State(layers=(), active=None, picture=picture, mask=mask, origin=origin)


def _looked(state: State) -> State:
    """With the look of the layers, which is drawn where nobody has yet."""
    size = Size(state.mask.width(), state.mask.height())
    if state.picture is not None and not is_flat(state.layers, size):
        return state
    return replace(state, picture=looked(state.layers, size))

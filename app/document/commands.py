"""Every undoable edit, one small QUndoCommand each: the only writers of the Document."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from app.core.geometry import Rect, Size
from app.core.job import Result
from app.core.request import Mask, TextToImage
from app.document import images
from app.document.document import Document, Origin, PictureState, State
from app.document.layer_commands import ChangeLayers, image_bytes, picture_layer, result_layer
from app.document.patch import Patch
from app.document.tiles import TILE, TileEdit, cut
from app.document.undo import Step


class PaintMask(Step):
    """The tiles of the mask change as ``edits`` say. One stroke is one of these."""

    def __init__(self, document: Document, edits: Iterable[TileEdit], text: str = "Paint mask") -> None:
        super().__init__(text)
        self._document = document
        self._steps = [(Patch(edit.box, edit.before), Patch(edit.box, edit.after)) for edit in edits]
        self._size: int | None = None  # once it is what it will be
        document.packer.add(patch for step in self._steps for patch in step)

    @property
    def stored_bytes(self) -> int:
        if self._size is not None:
            return self._size
        patches = [patch for step in self._steps for patch in step]
        size = sum(patch.stored_bytes for patch in patches)
        if all(patch.packed for patch in patches):
            self._size = size
        return size

    def forget(self) -> None:
        self._steps, self._size = [], None

    def redo(self) -> None:
        self._document.write_mask((new.box, new.pixels()) for _, new in self._steps)

    def undo(self) -> None:
        self._document.write_mask((old.box, old.pixels()) for old, _ in self._steps)


class ClearMask(PaintMask):
    """Nothing is marked any more."""

    def __init__(self, document: Document) -> None:
        super().__init__(document, _emptied(document), "Clear mask")


class InvertMask(Step):
    """What was kept is repainted and the other way round, strength included. It is its own undo: nothing is kept."""

    def __init__(self, document: Document) -> None:
        super().__init__("Invert mask")
        self._document = document

    def redo(self) -> None:
        self._document.invert_mask()

    def undo(self) -> None:
        self._document.invert_mask()


class SetFrame(Step):
    """Another frame for the model, or None: it follows the mask again."""

    def __init__(self, document: Document, frame: Rect | None) -> None:
        super().__init__("Follow the mask" if frame is None else "Set the frame")
        self._document = document
        self._before, self._after = document.frame, frame

    def redo(self) -> None:
        self._document.set_frame(self._after)

    def undo(self) -> None:
        self._document.set_frame(self._before)


class OpenPicture(Step):
    """Another picture with an empty mask, or the given one, and its frame; undo brings back the old one with its mask
    and size.

    ``picture``: H x W x 3, or an RGB32 image, which is taken over: large ones are made elsewhere than on this thread.
    """

    def __init__(
        self,
        document: Document,
        picture: NDArray[np.uint8] | QImage,
        text: str = "Open picture",
        mask: Mask | None = None,
        frame: Rect | None = None,
    ) -> None:
        super().__init__(text)
        image = picture if isinstance(picture, QImage) else images.to_qimage(picture)
        self._edit = _Exchange(document, image, Origin.new(), mask, frame)

    @property
    def stored_bytes(self) -> int:
        return self._edit.stored_bytes

    def forget(self) -> None:
        self._edit.forget()

    def redo(self) -> None:
        self._edit.redo()

    def undo(self) -> None:
        self._edit.undo()


class OpenLayers(Step):
    """A whole document takes the place of this one: layers, mask, frame; undo brings the old one back."""

    def __init__(self, document: Document, state: State, text: str) -> None:
        super().__init__(text)
        self._document = document
        self._other: State | None = state

    @property
    def stored_bytes(self) -> int:
        if self._other is None:
            return 0
        return image_bytes(self._other.layers, self._other.picture) + self._other.mask.sizeInBytes()

    def forget(self) -> None:
        self._other = None

    def redo(self) -> None:
        if self._other is not None:
            self._other = self._document.exchange(self._other)

    undo = redo


class InsertResult(Step):
    """A finished Result becomes the picture, in one step; the mask stays.

    What was refined or inpainted becomes a layer of the Result's box over the others, with the blend mask as its
    alpha: what is under it stays as it is. A new picture, or one of another size, takes the whole place, with an
    empty mask if the old one does not fit.
    """

    def __init__(self, document: Document, result: Result) -> None:
        super().__init__(_step_name(result))
        self._edit: _Exchange | _ExchangePicture | ChangeLayers
        if _size(result) != document.size:
            self._edit = _Exchange(document, images.to_qimage(result.image), document.origin.remade())
        elif document.has_picture and not isinstance(result.request.task, TextToImage):
            layer = result_layer(document, result)
            self._edit = ChangeLayers(document, (*document.layers, layer), layer.id, _step_name(result))
        else:
            self._edit = _ExchangePicture(document, images.to_qimage(result.image), document.origin.remade())

    @property
    def stored_bytes(self) -> int:
        return self._edit.stored_bytes

    def forget(self) -> None:
        self._edit.forget()

    def redo(self) -> None:
        self._edit.redo()

    def undo(self) -> None:
        self._edit.undo()


class _Exchange:
    """Everything: picture, mask and size. Holds whichever of the two states the document does not."""

    def __init__(
        self,
        document: Document,
        picture: QImage,
        origin: Origin,
        mask: Mask | None = None,
        frame: Rect | None = None,
    ) -> None:
        self._document = document
        marked = images.blank_mask(picture.width(), picture.height()) if mask is None else images.to_qimage(mask)
        painted = 0 if mask is None else images.not_zero(mask)
        layer = picture_layer(picture)
        self._other: State | None = State(
            layers=(layer,), active=layer.id, mask=marked, painted=painted, origin=origin, frame=frame
        )

    @property
    def stored_bytes(self) -> int:
        if self._other is None:
            return 0
        return image_bytes(self._other.layers, self._other.picture) + self._other.mask.sizeInBytes()

    def forget(self) -> None:
        self._other = None

    def redo(self) -> None:
        if self._other is not None:
            self._other = self._document.exchange(self._other)

    undo = redo


class _ExchangePicture:
    """The whole picture under the same mask. Holds whichever of the two pictures the document does not."""

    def __init__(self, document: Document, picture: QImage, origin: Origin) -> None:
        self._document = document
        layer = picture_layer(picture)
        self._other: PictureState | None = PictureState(layers=(layer,), active=layer.id, origin=origin)

    @property
    def stored_bytes(self) -> int:
        return image_bytes(self._other.layers, self._other.picture) if self._other else 0

    def forget(self) -> None:
        self._other = None

    def redo(self) -> None:
        if self._other is not None:
            self._other = self._document.exchange_picture(self._other)

    undo = redo


def _emptied(document: Document) -> Iterable[TileEdit]:
    empty = np.zeros((TILE, TILE), np.uint8)
    empty.flags.writeable = False
    for box in cut(document.box):
        before = images.mask_part(document.mask, box)
        if before.any():
            before.flags.writeable = False
            yield TileEdit(box, before, empty[: box.height(), : box.width()])


def _size(result: Result) -> Size:
    height, width = result.image.shape[:2]
    return Size(width, height)


def _step_name(result: Result) -> str:
    names = {"TextToImage": "Generate", "ImageToImage": "Refine", "Inpaint": "Inpaint"}
    return names[type(result.request.task).__name__]

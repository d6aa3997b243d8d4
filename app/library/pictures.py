"""Reading pictures from anywhere, within budgets, and writing PNGs that are whole or not there."""

from __future__ import annotations

import errno
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.atomic import atomic_write
from app.core.errors import PictureError
from app.core.geometry import Size
from app.core.request import Mask, Pixels
from app.library.decoding import KNOWN_FORMATS, decode_layers

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000_000
WHITE = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright sRGB picture. ``pixels`` are H x W x 3 and read-only; ``notes`` are sentences on what was changed.
    ``alpha``: H x W, how opaque each pixel was in the file, and the last note is on that; None when it was opaque."""

    pixels: Pixels
    notes: tuple[str, ...] = ()
    alpha: Mask | None = None

    @property
    def size(self) -> Size:
        return Size(self.pixels.shape[1], self.pixels.shape[0])


def load_picture(path: Path, background: tuple[int, int, int] = WHITE) -> Picture:
    """The picture in the file, transparency laid over ``background``. Raises PictureError."""
    return decode_picture(read_file(path), path.name, background)


def decode_picture(data: bytes, name: str, background: tuple[int, int, int] = WHITE) -> Picture:
    """The picture in ``data``; ``name`` is what the sentences call it. Raises PictureError."""
    layers = decode_layers(data, name, managed=True)
    notes = layers.notes
    pixels = layers.colour
    if layers.alpha is not None:
        pixels = _over(pixels, layers.alpha, background)
        over = "white" if background == WHITE else "the background colour"
        notes += (f"The transparent parts of “{name}” were laid over {over}.",)
    return Picture(_frozen(pixels), notes, layers.alpha)


def load_mask(path: Path) -> Mask:
    """The mask in the file, H x W and read-only: white is repainted, black and transparent parts are kept.

    A picture of one colour whose alpha varies is a mask painted on an empty layer: then the alpha is the mask.
    Raises PictureError.
    """
    # Colour management is left out: the values of a mask are amounts and no colours.
    layers = decode_layers(read_file(path), path.name, managed=False)
    grey = _luma(layers.colour)
    if layers.alpha is None:
        return _frozen(grey)
    seen = grey[layers.alpha > 0]
    if seen.size == 0 or seen.min() == seen.max():
        return _frozen(layers.alpha)
    return _frozen(_scaled_down(grey.astype(np.uint16) * layers.alpha))


def save_png(path: Path, pixels: NDArray[np.uint8], text: Mapping[str, str] | None = None) -> None:
    """Write H x W, H x W x 3 or H x W x 4 as PNG with ``text`` chunks, whole or not at all. Raises PictureError."""
    data = encode_png(pixels, text)
    try:
        atomic_write(path, data)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error


def encode_png(
    pixels: NDArray[np.uint8],
    text: Mapping[str, str] | None = None,
    private: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """The bytes of a PNG. Text that is not Latin-1 goes into iTXt chunks, as the format wants it; ``private``: chunks
    of our own by their kinds."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    for key, value in (text or {}).items():
        chunks.add_text(key, value.replace("\0", " ").encode("utf-8", "replace").decode("utf-8"))
    for kind, content in private:
        chunks.add(kind, content)
    buffer = io.BytesIO()
    # Level 4 takes half the time of the default 6 and makes files a few per cent larger.
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", pnginfo=chunks, compress_level=4)
    return buffer.getvalue()


def resized(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """The picture (H x W, or H x W x 3 or 4) smoothly brought to ``size``; which aspect is the caller's choice."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(picture.resize((size.width, size.height), Image.Resampling.BICUBIC))


def read_file(path: Path) -> bytes:
    """All of a picture's file. Raises PictureError."""
    try:
        if path.is_dir():
            raise PictureError(f"“{path.name or path}” is a folder.", "Choose a picture file inside it.")
        if not path.exists():
            raise PictureError(f"There is no file “{path}”.", "Check its name, or whether it was moved or renamed.")
        if not path.is_file():  # a pipe or device would be waited on for ever
            raise PictureError(f"“{path.name}” is not a file.", f"Choose a {KNOWN_FORMATS} picture.")
        if path.stat().st_size > MOST_BYTES:
            raise PictureError(f"“{path.name}” is larger than a gigabyte.", "Save it in a smaller size first.")
        return path.read_bytes()
    except PermissionError as error:
        raise PictureError(f"“{path.name}” may not be read.", "Give yourself permission to read it.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise PictureError(
            f"“{path.name}” cannot be read ({_reason(error)}).", "Check the disk or drive that it lies on."
        ) from error


def _over(colour: Pixels, alpha: Mask, background: tuple[int, int, int]) -> Pixels:
    """Colour over a flat background, rounded; in 16 bits and row by row, because pictures may be large."""
    out = np.empty_like(colour)
    back = np.array(background, np.uint16)
    for y in range(colour.shape[0]):
        a = alpha[y, :, None].astype(np.uint16)
        out[y] = _scaled_down(colour[y] * a + back * (255 - a))
    return out


def _scaled_down(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Round(values / 255) for products of two bytes."""
    return ((values.astype(np.uint32) + 127) // 255).astype(np.uint8)


def _luma(colour: Pixels) -> NDArray[np.uint8]:
    """Rec. 601 luma; exact where the three channels are equal."""
    weights = np.array([299, 587, 114], np.uint32)
    return ((colour @ weights + 500) // 1000).astype(np.uint8)


def _frozen(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A read-only array that owns its memory, so that a Request can hold it without a copy."""
    if array.base is not None or not array.flags.c_contiguous:
        array = array.copy(order="C")
    array.flags.writeable = False
    return array


_REFUSALS = {
    errno.ENOSPC: ("the disk is full", "Free some space or save to another disk."),
    errno.EDQUOT: ("your share of the disk is used up", "Free some space or save to another disk."),
    errno.EFBIG: ("the file would be too large for the disk", "Save to another disk."),
    errno.EACCES: ("writing is not allowed there", "Choose a folder that you may write to."),
    errno.EPERM: ("writing is not allowed there", "Choose a folder that you may write to."),
    errno.EROFS: ("the disk is read-only", "Choose a folder that you may write to."),
    errno.ENOENT: ("its folder does not exist", "Create the folder, or choose another."),
    errno.ENOTDIR: ("its folder is not a folder", "Choose another folder."),
    errno.EISDIR: ("a folder of that name is there", "Choose another name."),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter name."),
}


def unwritable(path: Path, error: OSError | ValueError) -> PictureError:
    """Why the file could not be written, in words."""
    reason, remedy = _REFUSALS.get(
        getattr(error, "errno", None) or 0, (_reason(error), "Choose another folder or another disk.")
    )
    return PictureError(f"“{path.name}” could not be saved: {reason}.", remedy)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)

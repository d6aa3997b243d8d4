"""QImage <-> numpy, the only place where pixels cross: every row's padding is honoured and everything is copied."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage

from app.core.geometry import Rect

Format = QImage.Format
_BAND = 64  # rows that are worked on at once, so that they stay in the processor's cache


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """H x W x 3 -> RGB32 (opaque), H x W x 4 (RGBA, straight alpha) -> ARGB32, H x W -> Grayscale8."""
    if pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(f"8-bit pixels are needed, not {pixels.dtype} of shape {pixels.shape}")
    match pixels.shape:
        case (height, width):
            return _borrowed(pixels, width, height, Format.Format_Grayscale8).copy()
        case (height, width, 3):
            return _borrowed(pixels, width, height, Format.Format_RGB888).convertToFormat(Format.Format_RGB32)
        case (height, width, 4):
            return _borrowed(pixels, width, height, Format.Format_RGBA8888).convertToFormat(Format.Format_ARGB32)
        case shape:
            raise ValueError(f"H x W, H x W x 3 or H x W x 4 is needed, not {shape}")


def to_pixels(image: QImage) -> NDArray[np.uint8]:
    """H x W x 3, read-only. Alpha is dropped: flatten a picture with alpha before."""
    return _frozen(_colours(image))


def to_mask(image: QImage) -> NDArray[np.uint8]:
    """H x W, read-only; colours become their grey."""
    grey = _as(image, Format.Format_Grayscale8)
    return _frozen(_rows(grey)[:, : grey.width()].copy())


def mask_part(image: QImage, box: QRect) -> NDArray[np.uint8]:
    """The pixels of a Grayscale8 image inside ``box``, which must lie on it: a writable copy."""
    _check(image, box, Format.Format_Grayscale8)
    return _rows(image)[_slices(box)].copy()


def picture_part(image: QImage, box: QRect) -> NDArray[np.uint8]:
    """The pixels (H x W x 3) of an RGB32 image inside ``box``, which must lie on it: a copy."""
    _check(image, box, Format.Format_RGB32)
    return _colours(image.copy(box))


def layer_part(image: QImage, box: QRect) -> NDArray[np.uint8]:
    """The pixels (H x W x 4, straight alpha) of an RGB32 or ARGB32 image inside ``box``, which must lie on it: a
    writable copy."""
    _check_layer(image, box)
    part = image.copy(box).convertToFormat(Format.Format_RGBA8888)
    return _rows(part).reshape(part.height(), part.width(), 4).copy()


def blank(image: QImage, box: QRect) -> bool:
    """An ARGB32 image is nothing but zeros in ``box``: transparent, and nothing has ever been there."""
    _check(image, box, Format.Format_ARGB32)
    return not _rows(image).view(np.uint32)[_slices(box)].any()


def write_layer(image: QImage, box: QRect, pixels: NDArray[np.uint8]) -> None:
    """Put H x W x 4 pixels into an ARGB32 image, in place; an RGB32 image takes them without their alpha."""
    _check_layer(image, box)
    packed = to_qimage(pixels).convertToFormat(image.format())
    _writable_rows(image).view(np.uint32)[_slices(box)] = _rows(packed).view(np.uint32)


def copy_picture(source: QImage, part: QRect, target: QImage, box: QRect) -> None:
    """Put what one RGB32 image shows in ``part`` into ``box``, of the same size, of another, in place."""
    _check(source, part, Format.Format_RGB32)
    _check(target, box, Format.Format_RGB32)
    _writable_rows(target).view(np.uint32)[_slices(box)] = _rows(source).view(np.uint32)[_slices(part)]


def blank_layer(width: int, height: int) -> QImage:
    """Nothing but transparency."""
    image = QImage(width, height, Format.Format_ARGB32)
    image.fill(0)
    return image


def invert_mask(image: QImage) -> int:
    """Each value of a Grayscale8 image becomes 255 less itself, in place. How many are not 0 now."""
    _check(image, image.rect(), Format.Format_Grayscale8)
    rows, painted = _writable_rows(image)[:, : image.width()], 0
    for top in range(0, len(rows), _BAND):
        band = rows[top : top + _BAND]
        np.subtract(255, band, out=band)
        painted += int(np.count_nonzero(band))
    return painted


def write_mask(image: QImage, box: QRect, pixels: NDArray[np.uint8]) -> None:
    """Put H x W pixels into a Grayscale8 image, in place."""
    _check(image, box, Format.Format_Grayscale8)
    _writable_rows(image)[_slices(box)] = pixels


def exchange_mask(image: QImage, parts: Iterable[tuple[QRect, NDArray[np.uint8]]]) -> int:
    """Put H x W pixels into each box of a Grayscale8 image, in place. How many more are not 0 than before."""
    rows, more = _writable_rows(image), 0
    for box, pixels in parts:
        _check(image, box, Format.Format_Grayscale8)
        target = rows[_slices(box)]
        more += int(np.count_nonzero(pixels)) - int(np.count_nonzero(target))
        target[...] = pixels
    return more


def copy_mask(source: QImage, target: QImage, box: QRect) -> None:
    """Put what one Grayscale8 image shows in ``box`` into another, in place."""
    _check(source, box, Format.Format_Grayscale8)
    _check(target, box, Format.Format_Grayscale8)
    _writable_rows(target)[_slices(box)] = _rows(source)[_slices(box)]


def write_picture(image: QImage, box: QRect, pixels: NDArray[np.uint8]) -> None:
    """Put H x W x 3 pixels into an RGB32 image, in place."""
    _check(image, box, Format.Format_RGB32)
    packed = to_qimage(pixels)
    _writable_rows(image).view(np.uint32)[_slices(box)] = _rows(packed).view(np.uint32)


def tinted(mask: QImage, box: QRect, table: NDArray[np.uint32]) -> QImage | None:
    """The part of a Grayscale8 mask inside ``box`` with each value looked up in ``table``, 256 premultiplied ARGB.

    None where the part is empty, which it mostly is.
    """
    _check(mask, box, Format.Format_Grayscale8)
    part = _rows(mask)[_slices(box)]
    if not part.any():
        return None
    return _borrowed(table[part], box.width(), box.height(), Format.Format_ARGB32_Premultiplied).copy()


def argb(colours: NDArray[np.uint32]) -> QImage:
    """H x W premultiplied ARGB numbers as an image."""
    height, width = colours.shape
    return _borrowed(colours, width, height, Format.Format_ARGB32_Premultiplied).copy()


def sampled(picture: QImage, mask: QImage, step: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Every ``step``-th pixel each way of an RGB32 picture (N x 3, red first) and of its mask (N)."""
    _check(picture, mask.rect(), Format.Format_RGB32)
    colours = _rows(picture).view(np.uint32)[::step, ::step].reshape(-1)
    channels = [(colours >> shift).astype(np.uint8) for shift in (16, 8, 0)]
    return np.stack(channels, axis=1), _rows(mask)[::step, : mask.width() : step].reshape(-1)


def bounds(mask: QImage) -> Rect | None:
    """The smallest box that holds every pixel over 0 of a Grayscale8 image; None when there is none."""
    values = _rows(mask)[:, : mask.width()]
    rows = np.flatnonzero(values.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(values[rows[0] : rows[-1] + 1].any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return Rect(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


def near_colour(picture: QImage, at: QPoint, tolerance: int) -> NDArray[np.bool_]:
    """Where no channel of an RGB32 picture differs by more than ``tolerance`` from the pixel ``at``: H x W."""
    _check(picture, QRect(at, at), Format.Format_RGB32)
    colours = _rows(picture).view(np.uint32)
    near = np.ones(colours.shape, np.bool_)
    for top in range(0, len(colours), _BAND):
        band = colours[top : top + _BAND]
        for shift in (16, 8, 0):
            value = int(colours[at.y(), at.x()]) >> shift & 255
            channel = (band >> shift).astype(np.uint8)
            near[top : top + _BAND] &= channel >= max(0, value - tolerance)
            near[top : top + _BAND] &= channel <= min(255, value + tolerance)
    return near


def blank_mask(width: int, height: int) -> QImage:
    """An empty mask."""
    image = QImage(width, height, Format.Format_Grayscale8)
    image.fill(0)
    return image


def blank_picture(width: int, height: int) -> QImage:
    """A white picture."""
    image = QImage(width, height, Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    return image


def _as(image: QImage, format: QImage.Format) -> QImage:
    if image.isNull():
        raise ValueError("the image is null")
    return image if image.format() == format else image.convertToFormat(format)


def _rows(image: QImage) -> NDArray[np.uint8]:
    """H x bytesPerLine, on the image's own memory: it must not outlive the call that holds the image."""
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())


def _writable_rows(image: QImage) -> NDArray[np.uint8]:
    # bits() detaches: an implicitly shared copy elsewhere (in an undo step, say) keeps its pixels
    return np.frombuffer(image.bits(), np.uint8).reshape(image.height(), image.bytesPerLine())


def _colours(image: QImage) -> NDArray[np.uint8]:
    if image.isNull():
        raise ValueError("the image is null")
    pixels = np.empty((image.height(), image.width(), 3), np.uint8)
    for top in range(0, image.height(), _BAND):
        band = image.copy(0, top, image.width(), min(_BAND, image.height() - top))
        # Qt's 32-bit formats are native integers; RGB888 has the same order of bytes everywhere
        band = band.convertToFormat(Format.Format_RGB888)
        pixels[top : top + _BAND] = _rows(band)[:, : band.width() * 3].reshape(band.height(), band.width(), 3)
    return pixels


def _borrowed(pixels: NDArray[np.uint8] | NDArray[np.uint32], width: int, height: int, format: QImage.Format) -> QImage:
    """A QImage on the array's own memory: to be copied or converted at once."""
    if not pixels.flags.c_contiguous:
        pixels = pixels.copy()
    return QImage(pixels.data, width, height, pixels.strides[0], format)


def _frozen(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array.flags.writeable = False
    return array


def _slices(box: QRect) -> tuple[slice, slice]:
    return slice(box.y(), box.y() + box.height()), slice(box.x(), box.x() + box.width())


def _check_layer(image: QImage, box: QRect) -> None:
    if image.format() not in (Format.Format_RGB32, Format.Format_ARGB32):
        raise ValueError(f"{image.format()} is no layer's")
    _check(image, box, image.format())


def _check(image: QImage, box: QRect, format: QImage.Format) -> None:
    if image.format() != format or not image.rect().contains(box):
        raise ValueError(f"{box} does not lie on the image {image.size()} of {image.format()}")

"""QImage <-> numpy, the only place where pixels cross: every row's padding is honoured and everything is copied."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage

from app.core.geometry import Rect
from app.document.raster import Raster
from app.document.rows import rows as _rows
from app.document.rows import slices as _slices
from app.document.rows import writable_rows as _writable_rows

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


def to_pixels(image: QImage | Raster) -> NDArray[np.uint8]:
    """H x W x 3, read-only; premultiplied pixels lie on white. Straight alpha is dropped: flatten it before."""
    return _frozen(_colours(image))


def to_mask(image: QImage) -> NDArray[np.uint8]:
    """H x W, read-only; colours become their grey."""
    grey = _as(image, Format.Format_Grayscale8)
    return _frozen(_rows(grey)[:, : grey.width()].copy())


def mask_part(image: QImage, box: QRect) -> NDArray[np.uint8]:
    """The pixels of a Grayscale8 image inside ``box``, which must lie on it: a writable copy."""
    _check(image, box, Format.Format_Grayscale8)
    return _rows(image)[_slices(box)].copy()


def picture_part(image: QImage | Raster, box: QRect) -> NDArray[np.uint8]:
    """The pixels (H x W x 3) of a picture (RGB32, or premultiplied, which lies on white then) inside ``box``, which
    must lie on it: a copy."""
    _check_picture(image, box)
    return _colours(image.copy(box))


def native_part(image: Raster, box: QRect) -> NDArray[np.uint8]:
    """The pixels (H x W x 4) of any Raster inside ``box``, which must lie on it, as they lie in memory: the order of
    the channels is the machine's, alpha is among them. Far quicker than the others; a writable copy."""
    _check(image, box, image.format())
    return image.pixels(box)


def write_native(image: Raster, box: QRect, pixels: NDArray[np.uint8]) -> None:
    """Put what ``native_part`` gave, of the same format, into it, in place."""
    _check(image, box, image.format())
    image.write(box, native(pixels, image.format()))


def native(pixels: NDArray[np.uint8], format: QImage.Format) -> QImage:
    """H x W x 4 pixels in the machine's order as an image."""
    height, width = pixels.shape[:2]
    return _borrowed(pixels, width, height, format).copy()


def layer_part(image: QImage | Raster, box: QRect) -> NDArray[np.uint8]:
    """The pixels (H x W x 4, straight alpha) of an RGB32 or ARGB32 image inside ``box``, which must lie on it: a
    writable copy."""
    _check_layer(image, box)
    part = image.copy(box).convertToFormat(Format.Format_RGBA8888)
    return _rows(part).reshape(part.height(), part.width(), 4).copy()


def write_layer(image: Raster, box: QRect, pixels: NDArray[np.uint8]) -> None:
    """Put H x W x 4 pixels into an ARGB32 image, in place; an RGB32 image takes them without their alpha."""
    _check_layer(image, box)
    image.write(box, to_qimage(pixels).convertToFormat(image.format()))


def flat_image(picture: Raster) -> QImage:
    """All of a picture, on white where there is nothing: RGB32. Takes a while for large ones."""
    return to_qimage(_colours(picture))


def in_native_order(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H x W x 4 (RGBA) as ``native_part`` gives them, opaque."""
    opaque = pixels.copy()
    opaque[..., 3] = 255
    image = to_qimage(opaque)
    return _rows(image).reshape(opaque.shape).copy()


ALPHA = 3 if np.little_endian else 0
"""Where alpha is among the channels of ``native_part``."""


def invert_mask(image: QImage) -> int:
    """Each value of a Grayscale8 image becomes 255 less itself, in place. How many are not 0 now."""
    _check(image, image.rect(), Format.Format_Grayscale8)
    rows, painted = _writable_rows(image)[:, : image.width()], 0
    for top in range(0, len(rows), _BAND):
        band = rows[top : top + _BAND]
        np.subtract(255, band, out=band)
        painted += not_zero(band)
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
        more += not_zero(pixels) - not_zero(target)
        target[...] = pixels
    return more


def not_zero(values: NDArray[np.uint8]) -> int:
    """How many there are. numpy counts flags ten times as quickly as numbers."""
    return int(np.count_nonzero(values != 0))


def copy_mask(source: QImage, target: QImage, box: QRect) -> None:
    """Put what one Grayscale8 image shows in ``box`` into another, in place."""
    _check(source, box, Format.Format_Grayscale8)
    _check(target, box, Format.Format_Grayscale8)
    _writable_rows(target)[_slices(box)] = _rows(source)[_slices(box)]


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


def sampled(picture: Raster, mask: QImage, step: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Every ``step``-th pixel each way of a picture (N x 3, red first; on white) and of its mask (N)."""
    _check_picture(picture, mask.rect())
    colours = picture.sampled(step).reshape(-1)
    channels = [(colours >> shift).astype(np.uint8) for shift in (16, 8, 0, 24)]
    pixels = np.stack(channels[: 3 if picture.opaque else 4], axis=1)
    return pixels if picture.opaque else _on_white(pixels), _rows(mask)[::step, : mask.width() : step].reshape(-1)


def bounds(mask: QImage) -> Rect | None:
    """The smallest box that holds every pixel over 0 of a Grayscale8 image; None when there is none."""
    values = _rows(mask)[:, : mask.width()]
    rows = np.flatnonzero(values.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(values[rows[0] : rows[-1] + 1].any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return Rect(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


def near_colour(picture: Raster, at: QPoint, tolerance: int) -> NDArray[np.bool_]:
    """Where no channel of a picture (on white) differs by more than ``tolerance`` from the pixel ``at``: H x W."""
    asked = picture_part(picture, QRect(at, at))[0, 0]
    near = np.ones((picture.height(), picture.width()), np.bool_)
    for top in range(0, picture.height(), _BAND):
        part = picture.copy(_band(picture, top))  # held while its memory is looked at
        band = _flat(part)
        for value, shift in zip(map(int, asked), (16, 8, 0), strict=True):
            channel = (band >> shift).astype(np.uint8)
            near[top : top + _BAND] &= channel >= max(0, value - tolerance)
            near[top : top + _BAND] &= channel <= min(255, value + tolerance)
    return near


def blank_mask(width: int, height: int) -> QImage:
    """An empty mask."""
    image = QImage(width, height, Format.Format_Grayscale8)
    image.fill(0)
    return image


def _as(image: QImage, format: QImage.Format) -> QImage:
    if image.isNull():
        raise ValueError("the image is null")
    return image if image.format() == format else image.convertToFormat(format)


def _band(image: QImage | Raster, top: int) -> QRect:
    return QRect(0, top, image.width(), min(_BAND, image.height() - top))


def _flat(part: QImage) -> NDArray[np.uint32]:
    """H x W numbers of a part of a picture, on white; they may be on its own memory."""
    if part.format() == Format.Format_RGB32:
        return _rows(part).view(np.uint32)
    values = _rows(part).reshape(part.height(), part.width(), 4).copy()
    values += 255 - (values.view(np.uint32) >> 24).astype(np.uint8)
    return values.view(np.uint32)[..., 0]


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Premultiplied pixels (.. x 4) on white: .. x 3, exact."""
    flat: NDArray[np.uint8] = pixels[..., :3] + (255 - pixels[..., 3:])
    return flat


def _colours(image: QImage | Raster) -> NDArray[np.uint8]:
    if image.width() == 0:
        raise ValueError("the image is null")
    pixels = np.empty((image.height(), image.width(), 3), np.uint8)
    for top in range(0, image.height(), _BAND):
        band = image.copy(_band(image, top))
        if band.format() == Format.Format_ARGB32_Premultiplied:
            band = band.convertToFormat(Format.Format_RGBA8888_Premultiplied)
            pixels[top : top + _BAND] = _on_white(_rows(band).reshape(band.height(), band.width(), 4))
            continue
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


def _check_picture(image: QImage | Raster, box: QRect) -> None:
    if image.format() not in (Format.Format_RGB32, Format.Format_ARGB32_Premultiplied):
        raise ValueError(f"{image.format()} is no picture's")
    _check(image, box, image.format())


def _check_layer(image: QImage | Raster, box: QRect) -> None:
    if image.format() not in (Format.Format_RGB32, Format.Format_ARGB32):
        raise ValueError(f"{image.format()} is no layer's")
    _check(image, box, image.format())


def _check(image: QImage | Raster, box: QRect, format: QImage.Format) -> None:
    if image.format() != format or not image.rect().contains(box):
        raise ValueError(f"{box} does not lie on the image {image.rect()} of {image.format()}")

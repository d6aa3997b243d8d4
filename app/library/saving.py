"""Writing pictures as PNG, JPEG or WebP, with what tells how they were made, whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.atomic import atomic_write
from app.core.errors import PictureError
from app.core.request import Pixels
from app.library.metadata import PART_CHUNK, RECORD_KEY, Told, exif_block
from app.library.pictures import encode_png, unwritable
from app.library.webui import KEY

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_MOST_EXIF = 65_000
"""A JPEG's EXIF block must fit into one segment."""
_QUALITY = 95


@dataclass(frozen=True)
class Saved:
    """``size``: bytes of the file. ``told_size``: of these, what tells how it was made. ``notes``: sentences on what
    could not be put in."""

    size: int
    told_size: int
    notes: tuple[str, ...] = ()


def save_picture(path: Path, pixels: Pixels, told: Told | None = None, quality: int = _QUALITY) -> Saved:
    """Write H x W x 3 in the format that the ending names, with ``told`` inside. ``quality``: 1..100, of a JPEG or
    WebP. Raises PictureError."""
    encode = _ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise PictureError(
            f"“{path.name}” has an ending that Limner does not write.", "Use .png, .jpg or .webp as the ending."
        )
    try:
        data, notes = encode(pixels, told, quality)
        atomic_write(path, data)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error
    bare = 0 if told is None else len(told.text.encode("utf-8")) + len(told.record.encode("utf-8")) + told.part_bytes
    return Saved(len(data), bare, notes)


Encoded = tuple[bytes, tuple[str, ...]]


def png_bytes(pixels: Pixels, told: Told | None) -> bytes:
    """The same as a PNG in memory."""
    return _png(pixels, told, _QUALITY)[0]


def _png(pixels: Pixels, told: Told | None, _: int) -> Encoded:
    if told is None:
        return encode_png(pixels, {"Software": "Limner"}), ()
    text = {KEY: told.text, "Software": "Limner"}
    if told.record:
        text[RECORD_KEY] = told.record
    return encode_png(pixels, text, [(PART_CHUNK, part) for part in told.parts]), ()


def _jpeg(pixels: Pixels, told: Told | None, quality: int) -> Encoded:
    exif, notes = _exif(told, _MOST_EXIF)
    return _by_pillow(pixels, "JPEG", exif, quality, subsampling=0, optimize=True), notes


def _webp(pixels: Pixels, told: Told | None, quality: int) -> Encoded:
    if max(pixels.shape) > 16383:
        raise PictureError("A WebP picture may have 16383 pixels a side.", "Save it as PNG.")
    exif, notes = _exif(told, 1 << 30)
    return _by_pillow(pixels, "WEBP", exif, quality, method=4), notes


def _exif(told: Told | None, most: int) -> tuple[bytes, tuple[str, ...]]:
    """As much as fits, and a note on what did not."""
    if told is None:
        return b"", ()
    notes = ("Its source and mask were left out: only PNG holds them.",) if told.parts else ()
    for smaller in (told, Told(told.text, "")):
        block = exif_block(smaller)
        if len(block) <= most:
            return block, notes
        notes = ("The whole settings do not fit into a JPEG: only the text for other programs was put in.",)
    return b"", ("The settings do not fit into a JPEG and were left out; save as PNG to keep them.",)


def _by_pillow(pixels: Pixels, format: str, exif: bytes, quality: int, **options: object) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(buffer, format, quality=quality, exif=exif, **options)
    return buffer.getvalue()


_ENCODERS: dict[str, Callable[[Pixels, Told | None, int], Encoded]] = {
    ".png": _png,
    ".jpg": _jpeg,
    ".jpeg": _jpeg,
    ".webp": _webp,
}

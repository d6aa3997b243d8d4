"""From the bytes of a picture file, whatever its mode, to upright 8-bit colour and alpha, within budgets."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import PictureError
from app.core.request import MOST_SIDE, Mask, Pixels

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

MOST_PIXELS = 120_000_000
"""More than any camera gives; decoding this many takes about a gigabyte."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""What strangers' files are read as. No EPS, PSD or other reader that is a program of its own."""
KNOWN_FORMATS = "PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF"
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""EXIF orientation to the transposition that sets the picture upright."""

_FOREIGN = (
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML or SVG document"),
    (b"<!doc", "a web page"),
    (b"<html", "a web page"),
    (b"version https://git-lfs", "a Git LFS pointer in place of the picture"),
    (b"gimp xcf", "a GIMP document"),
    (b"PK\x03\x04", "an archive or a layered document"),
)
"""First bytes of files that people take for pictures."""


@dataclass(frozen=True, eq=False)
class Layers:
    """A decoded file: colour H x W x 3, and alpha H x W unless it is opaque throughout."""

    colour: Pixels
    alpha: Mask | None
    notes: tuple[str, ...]


def decode_layers(data: bytes, name: str, *, managed: bool) -> Layers:
    """Open, check the header against the budgets, and only then decode; ``managed``: colours to sRGB. Raises
    PictureError."""
    if not data:
        raise PictureError(f"“{name}” is empty.", "It was probably never fully saved or copied: get it again.")
    with quiet_pillow(), _opened(data, name) as (image, notes):
        _check_budget(image, name)
        try:
            image.load()
            image = _upright(image)
            colour, alpha, more = _layers(image, name, managed)
        # Pillow's decoders raise nearly anything on damaged bytes: OSError, SyntaxError, struct.error, EOFError, ...
        except Exception as error:
            log.info("%s cannot be decoded: %r", name, error)
            raise PictureError(
                f"“{name}” is damaged: it ends early or its data is broken.",
                "Get the file again, or open it in another program and save it anew.",
            ) from error
    opaque = alpha is None or int(alpha.min()) == 255
    return Layers(colour, None if opaque else alpha, notes + more)


@contextlib.contextmanager
def _opened(data: bytes, name: str) -> Iterator[tuple[Image.Image, tuple[str, ...]]]:
    """The file's header, with a note when something in it had to be passed over."""
    image, notes = _open(data, name)
    try:
        yield image, notes + _frames_note(image, name)
    finally:
        image.close()


def _open(data: bytes, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    images = pillow_image()
    notes: tuple[str, ...] = ()
    # Pillow refuses a PNG whole when its compressed text or profile is too large; its pixels are good all the same.
    for left_out in ((), _TEXT_CHUNKS, (*_TEXT_CHUNKS, b"iCCP")):
        if left_out:
            data = _without_chunks(data, left_out)
            notes = (f"Oversized texts inside “{name}” were left out.",)
        try:
            return images.open(io.BytesIO(data), formats=FORMATS), notes
        except images.DecompressionBombError as error:
            raise _too_large(name, f"has more than {MOST_PIXELS * 2:,} pixels") from error
        except images.UnidentifiedImageError as error:
            raise _unknown(data, name) from error
        except ValueError as error:
            if not data.startswith(_PNG):
                raise _unknown(data, name) from error
        except Exception as error:
            raise _unknown(data, name) from error
    raise _unknown(data, name)


_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")


def _without_chunks(png: bytes, kinds: tuple[bytes, ...]) -> bytes:
    """The PNG without the chunks of these kinds; what cannot be followed is kept as it is."""
    kept, at = [png[:8]], 8
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        end = at + 12 + length
        if kind not in kinds:
            kept.append(png[at:end])
        at = end
    return b"".join(kept)


def _check_budget(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise PictureError(f"“{name}” has no pixels.", "Choose another picture.")
    if width * height > MOST_PIXELS:
        raise _too_large(name, f"is {width} x {height}, more than {MOST_PIXELS // 1_000_000} million pixels")
    if max(width, height) > MOST_SIDE:
        raise _too_large(name, f"is {width} x {height}; a side may have {MOST_SIDE} pixels")


def _frames_note(image: Image.Image, name: str) -> tuple[str, ...]:
    # MPO is what phones write for a photo with a depth map: its further frames are no animation.
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return ()
    if image.format == "TIFF":
        return (f"“{name}” has several pages; the first was taken.",)
    return (f"“{name}” is animated; its first frame was taken.",)


def _upright(image: Image.Image) -> Image.Image:
    from PIL import Image

    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception as error:  # a broken EXIF block must not cost the picture
        log.info("EXIF cannot be read: %r", error)
        turn = None
    return image if turn is None else image.transpose(Image.Transpose[turn])


# Modes


def _layers(image: Image.Image, name: str, managed: bool) -> tuple[Pixels, Mask | None, tuple[str, ...]]:
    """Colour, alpha and notes of a decoded image of any mode."""
    if image.mode[0] in "IF":
        grey, notes = _eight_bits(np.asarray(image), name)
        return np.repeat(grey[..., None], 3, axis=2), None, notes
    alpha: Mask | None = None
    if image.mode in ("La", "RGBa"):  # premultiplied
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.has_transparency_data:
        profile = image.info.get("icc_profile")
        grey_alpha = image.mode == "LA"
        if not grey_alpha:
            image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert("L" if grey_alpha else "RGB")
        image.info["icc_profile"] = profile
    notes = ()
    if managed:
        image, notes = _in_srgb(image, name)
    return np.asarray(image.convert("RGB")), alpha, notes


def _eight_bits(values: NDArray[Any], name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Grey of 16 or 32 bits, whole or real, brought to 0..255 over its whole range (convert("RGB") would clip it)."""
    notes: tuple[str, ...] = ()
    whole = 1.0 if values.dtype.kind == "f" else 65535.0
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > whole:
        notes = (f"“{name}” has no standard range of values: its brightest was made white.",)
        low, whole = min(low, 0.0), high
    else:
        low = 0.0
    scaled = (values - low) / ((whole - low) or 1.0)
    return (np.clip(scaled, 0.0, 1.0) * 255.0).round().astype(np.uint8), notes


def _in_srgb(image: Image.Image, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    """The image with its ICC profile turned into sRGB, or as it is when that cannot be done."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image, ()
    if image.mode in ("P", "1", "PA"):
        image = image.convert("RGB")
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB")
    except Exception as error:  # no LittleCMS, a damaged profile, or one of another colour space
        log.info("the profile of %s cannot be used: %r", name, error)
        return image, (f"The colour profile of “{name}” cannot be used; its colours may look different.",)
    return (image if turned is None else turned), ()


@cache
def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("sRGB")


# Pixels


def pillow_image() -> ModuleType:
    """PIL.Image, imported when the first picture is read (40 ms), with our budget as its own."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    return Image


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow's warnings and log records on strange files are no news: what matters is told as an error or a note."""
    log_of_pillow = logging.getLogger("PIL")
    level = log_of_pillow.level
    log_of_pillow.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log_of_pillow.setLevel(level)


def _unknown(data: bytes, name: str) -> PictureError:
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, kind in _FOREIGN:
        if start.startswith(magic.lower()):
            return PictureError(f"“{name}” is {kind}, not a picture that Limner reads.", f"Save it as {KNOWN_FORMATS}.")
    if start[4:8] == b"ftyp":
        return PictureError(f"“{name}” is a HEIC photo or a film.", f"Save it as {KNOWN_FORMATS}.")
    return PictureError(
        f"“{name}” is not a picture that Limner can read, or it is badly damaged.", f"Choose a {KNOWN_FORMATS} file."
    )


def _too_large(name: str, how: str) -> PictureError:
    return PictureError(f"“{name}” {how}.", "Make it smaller in another program first.")

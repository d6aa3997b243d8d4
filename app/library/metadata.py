"""What a picture file tells of how it was made: the web UI's text for everyone, and Limner's own whole record."""

from __future__ import annotations

import io
import json
import logging
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from app.core import record
from app.core.beginning import Beginning
from app.core.geometry import Size
from app.core.job import Result
from app.core.recipe import Recipe, recipe_of
from app.core.request import Pixels, Request
from app.core.trail import Branch, Look
from app.library import webui
from app.library.decoding import FORMATS, MOST_PIXELS, pillow_image, quiet_pillow
from app.library.fingerprints import DIGITS, fingerprint
from app.library.pictures import encode_png

log = logging.getLogger(__name__)

RECORD_KEY = "limner"
"""The PNG text chunk that holds Limner's own record, as JSON."""
PART_CHUNK = b"liPt"
"""A private PNG chunk: pixels of the source or the mask, as a PNG of its own, in the order of the record."""
MAKER = b"Limner\0"
"""What Limner's record begins with where EXIF keeps the notes of a picture's maker."""
_UNICODE = b"UNICODE\0"
_EXIF, _USER_COMMENT, _MAKER_NOTE = 0x8769, 0x9286, 0x927C
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_TEXT = 4_000_000
"""Bytes of one text that are read; larger ones are no settings."""
_MOST_PARTS = 16
UNREADABLE = "The settings inside this picture are damaged and were left out."


@dataclass(frozen=True, eq=False)
class Told:
    """What goes into a file beside the pixels. ``parts`` are PNGs of what was painted from."""

    text: str
    record: str
    parts: tuple[bytes, ...] = ()

    @property
    def part_bytes(self) -> int:
        return sum(map(len, self.parts))

    def without_parts(self) -> Told:
        return replace(self, parts=())

    def edited(self) -> Told:
        """Of a picture that was changed by hand afterwards: it cannot be painted again."""
        if not self.record:
            return self
        try:
            plain = json.loads(self.record)
        except ValueError:  # a file's own, damaged
            return Told(self.text, "")
        return Told(self.text, _json(plain | {"edited": True}) if isinstance(plain, dict) else "")


def told(result: Result) -> Told:
    """Everything that decided the result's picture. No path is in it."""
    packed = record.pack(result.request, result.image)
    frame = result.frame
    plain = packed.plain | {
        "model": result.model_name,
        "mode": result.mode.value,
        "frame": [frame.x, frame.y, frame.width, frame.height],
        "working": [result.working.width, result.working.height],
        "seconds": round(result.seconds, 3),
    }
    if hashes := _hashes(result.request):
        plain["hashes"] = hashes
    if _resumed(result.request):
        plain["resumed"] = True  # from steps that are no part of the record: it cannot be painted again
    return Told(
        webui.parameters(result),
        _json(plain),
        tuple(encode_png(part) for part in packed.parts),
    )


def _resumed(request: Request) -> bool:
    """From steps of which the Request does not tell how they were painted."""
    match request.resume:
        case None:
            return False
        case Look(step=step):
            return request.stop_at != step
        case Branch(step=step, seed=seed, trail=trail):
            told = max((beginning.until for beginning in request.beginnings), default=0)
            return told != step or seed is not None or bool(trail.reseeded)


def _hashes(request: Request) -> dict[str, str]:
    """By the names of what was added to the model: how these files are known again under another name."""
    said: list[Request | Beginning] = [request, *request.beginnings]
    files = [use.file for one in said for use in one.loras]
    files += [use.file for one in said for use in one.embeddings]
    files += [request.vae] if request.vae else []
    found = {Path(file).name: fingerprint(Path(file)) for file in files}
    return {name: digits for name, digits in found.items() if digits is not None}


def read_told(data: bytes) -> Told | None:
    """What stands in the file beside its pixels; None when nothing does. Never raises."""
    try:
        found = _in_png(data) if data.startswith(_PNG) else _in_exif(data)
    except Exception as error:  # Pillow's EXIF reader raises nearly anything on damaged bytes
        log.info("metadata cannot be read: %r", error)
        return None
    return found if found.text or found.record else None


def read_recipe(data: bytes, pixels: Pixels) -> Recipe | None:
    """What the file tells, whoever wrote it; None when it tells nothing. See ``recipe_from``."""
    found = read_told(data)
    return None if found is None else recipe_from(found, pixels)


def recipe_from(found: Told, pixels: Pixels) -> Recipe | None:
    """What that means. ``pixels`` is the file's decoded picture.

    Never raises: what is damaged or hostile is left out, with a note if it looked like Limner's own.
    """
    own = _own(found, pixels) if found.record else None
    if own is not None:
        return own
    foreign = webui.parse(found.text) if found.text else None
    if found.record:
        return replace(foreign or Recipe(values={}), notes=(UNREADABLE,))
    return foreign


def read_parts(found: Told) -> list[NDArray[np.uint8]]:
    """The pixels that came along, in the order of the record."""
    return [_part(part) for part in found.parts]


def _own(found: Told, pixels: Pixels) -> Recipe | None:
    try:
        plain = json.loads(found.record)
        unpacked = record.unpack(plain, read_parts(found), pixels, model="")
    except (ValueError, RecursionError, TypeError) as error:
        log.info("Limner's own record cannot be read: %r", error)
        return None
    name = plain.get("model")
    recipe = recipe_of(unpacked, name[:200] if isinstance(name, str) else "")
    recipe = replace(recipe, hashes=_told_hashes(plain.get("hashes")))
    return replace(recipe, exact=False) if plain.get("edited") or plain.get("resumed") else recipe


def _told_hashes(plain: Any) -> dict[str, str]:
    if not isinstance(plain, dict):
        return {}
    pairs = list(plain.items())[:200]
    return {name[:300]: digits for name, digits in pairs if isinstance(digits, str) and len(digits) == DIGITS}


def _json(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _part(png: bytes) -> NDArray[np.uint8]:
    """H x W or H x W x 3; nothing at all for what is no such PNG."""
    try:
        with quiet_pillow(), pillow_image().open(io.BytesIO(png), formats=("PNG",)) as image:
            if image.mode in ("L", "RGB") and image.width * image.height <= MOST_PIXELS:
                return np.asarray(image)
    except Exception as error:  # damaged bytes raise nearly anything
        log.info("a part cannot be read: %r", error)
    return np.zeros((0, 0), np.uint8)


# PNG: chunks are walked by hand, because Pillow refuses a whole picture for one oversized text


@dataclass(frozen=True, eq=False)
class Head:
    """What stands before the pixels of a PNG."""

    size: Size
    told: Told


def read_head(file: IO[bytes]) -> Head | None:
    """The size of a PNG and what it tells, without its pixels being read; None when it is none. Raises OSError."""
    start = file.read(24)
    if len(start) < 24 or not start.startswith(_PNG):
        return None
    width, height = struct.unpack(">II", start[16:])
    file.seek(len(_PNG))
    return Head(Size(width, height), _told_in(_chunks(file, until=b"IDAT")))


def _in_png(data: bytes) -> Told:
    return _told_in(_chunks(io.BytesIO(data[len(_PNG) :])))


def _told_in(chunks: Iterable[tuple[bytes, bytes]]) -> Told:
    texts: dict[str, str] = {}
    parts: list[bytes] = []
    for kind, content in chunks:
        if kind == PART_CHUNK and len(parts) < _MOST_PARTS:
            parts.append(content)
        elif (read := _TEXTS.get(kind)) is not None and len(content) <= _MOST_TEXT:
            try:
                key, text = read(content)
            except (ValueError, zlib.error):
                continue
            if key in (webui.KEY, RECORD_KEY):
                texts.setdefault(key, text)
    return Told(texts.get(webui.KEY, ""), texts.get(RECORD_KEY, ""), tuple(parts))


def _chunks(file: IO[bytes], until: bytes = b"IEND") -> Iterator[tuple[bytes, bytes]]:
    """The chunks that tell something, up to the first of the kind ``until``; others are passed over unread."""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == until:
            return
        if kind in _TEXTS or kind == PART_CHUNK:
            content = file.read(length)
            if len(content) < length:
                return
            yield kind, content
        else:
            file.seek(length, io.SEEK_CUR)
        file.seek(4, io.SEEK_CUR)  # the checksum: whether all is well shows in what comes of it


def _plain_text(content: bytes) -> tuple[str, str]:
    key, _, text = content.partition(b"\0")
    try:
        return key.decode("latin-1"), text.decode("utf-8")  # some programs write UTF-8 where Latin-1 belongs
    except UnicodeDecodeError:
        return key.decode("latin-1"), text.decode("latin-1")


def _packed_text(content: bytes) -> tuple[str, str]:
    key, _, rest = content.partition(b"\0")
    return key.decode("latin-1"), _inflated(rest[1:]).decode("latin-1")


def _international_text(content: bytes) -> tuple[str, str]:
    key, _, rest = content.partition(b"\0")
    packed, rest = rest[:1] == b"\1", rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return key.decode("latin-1"), (_inflated(text) if packed else text).decode("utf-8", "replace")


def _inflated(data: bytes) -> bytes:
    """Raises ValueError for more than a text may have: a bomb."""
    stream = zlib.decompressobj()
    text = stream.decompress(data, _MOST_TEXT)
    if stream.unconsumed_tail:
        raise ValueError("too large")
    return text


_TEXTS = {b"tEXt": _plain_text, b"zTXt": _packed_text, b"iTXt": _international_text}


# EXIF: where JPEG and WebP keep it


def exif_block(told: Told) -> bytes:
    """The text as the user's comment, the record as the maker's note; pixels do not fit in there."""
    from PIL import Image

    exif = Image.Exif()
    block = exif.get_ifd(_EXIF)
    block[_USER_COMMENT] = _UNICODE + told.text.encode("utf-16-be", "replace")
    if told.record:
        block[_MAKER_NOTE] = MAKER + told.record.encode("utf-8", "replace")
    return exif.tobytes()


def _in_exif(data: bytes) -> Told:
    with quiet_pillow(), pillow_image().open(io.BytesIO(data), formats=FORMATS) as image:
        block = image.getexif().get_ifd(_EXIF)
        note, comment = block.get(_MAKER_NOTE), block.get(_USER_COMMENT)
    own = note.removeprefix(MAKER) if isinstance(note, bytes) and note.startswith(MAKER) else b""
    return Told(_comment(comment), own[:_MOST_TEXT].decode("utf-8", "replace"))


def _comment(value: Any) -> str:
    """Text with its encoding named in the first eight bytes. Byte orders differ from program to program."""
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    if not isinstance(value, bytes) or len(value) > _MOST_TEXT:
        return ""
    text = value[8:]
    if value.startswith(_UNICODE):
        big = text[::2].count(0) >= text[1::2].count(0)  # prompts are mostly ASCII: its zeros tell the order
        return text.decode("utf-16-be" if big else "utf-16-le", "replace")
    if value.startswith((b"ASCII\0\0\0", b"\0" * 8)):
        return text.decode("utf-8", "replace")
    return value.decode("utf-8", "replace")

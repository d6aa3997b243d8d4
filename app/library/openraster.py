"""OpenRaster (.ora), the layered files that Krita, GIMP and MyPaint share: writing them, and reading anyone's.

After the baseline specification 0.0.6, https://www.openraster.org/baseline/file-layout-spec.html and
layer-stack-spec.html beside it.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from app.core.atomic import atomic_file
from app.core.errors import PictureError
from app.core.geometry import Size
from app.core.request import MOST_SIDE, Pixels
from app.library.decoding import MOST_PIXELS, decode_layers
from app.library.pictures import encode_png, unwritable
from app.library.stack_xml import Element, read_xml
from app.library.zips import Archive

MIME = b"image/openraster"
ENDING = ".ora"
NORMAL = "svg:src-over"
THUMB_SIDE = 256
"""Pixels: the most that the specification allows."""
MOST_LAYERS = 1000
MOST_LAYER_PIXELS = 500_000_000
"""Of all layers together: two gigabytes when they are decoded."""
_MOST_XML = 4_000_000
_MOST_MEMBER = 1_000_000_000
_VERSION = "0.0.6"


@dataclass(frozen=True, eq=False, kw_only=True)
class OraLayer:
    """``pixels``: H x W x 4, straight alpha, with its upper left corner at ``x``, ``y`` of the picture, which it may
    leave on any side. ``blend``: the composite-op as the file names it."""

    name: str
    pixels: NDArray[np.uint8]
    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True
    blend: str = NORMAL
    locked: bool = False
    selected: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class OraGroup:
    """Layers that are put together before they are laid over what is below. The uppermost comes first."""

    name: str
    items: tuple[OraItem, ...]
    opacity: float = 1.0
    visible: bool = True
    blend: str = NORMAL


OraItem = OraLayer | OraGroup


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenRaster:
    """A layered picture. ``items``: the uppermost comes first. ``merged``: all of it as it looks, H x W x 3 or 4.

    ``own``: files that belong to Limner alone, by their names below ``folder`` of the functions below. ``notes``:
    sentences on what could not be taken over.
    """

    size: Size
    items: tuple[OraItem, ...]
    merged: NDArray[np.uint8]
    own: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> Iterator[OraLayer]:
        return layers_in(self.items)


def layers_in(items: tuple[OraItem, ...]) -> Iterator[OraLayer]:
    """All of them, wherever they stand, the uppermost first."""
    for item in items:
        if isinstance(item, OraGroup):
            yield from layers_in(item.items)
        else:
            yield item


# Writing


def save_openraster(path: Path, picture: OpenRaster, folder: str = "limner") -> int:
    """Write it, whole or not at all; ``own`` goes below ``folder``. How many bytes it has. Raises PictureError."""
    try:
        with atomic_file(path) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # PNGs are packed already
                _write(archive, picture, folder)
            file.seek(0, 2)
            return file.tell()
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error


def _write(archive: zipfile.ZipFile, picture: OpenRaster, folder: str) -> None:
    _put(archive, "mimetype", MIME)  # first and unpacked: how the file is recognised
    lines: list[str] = []
    _write_items(archive, picture.items, lines, 1)
    size = picture.size
    stack = "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<image version="{_VERSION}" w="{size.width}" h="{size.height}" xres="72" yres="72">',
            " <stack>",
            *lines,
            " </stack>",
            "</image>\n",
        )
    )
    _put(archive, "stack.xml", stack.encode("utf-8"), packed=True)
    _put(archive, "mergedimage.png", encode_png(picture.merged))
    _put(archive, "Thumbnails/thumbnail.png", _thumbnail(picture.merged))
    for name, content in picture.own.items():
        _put(archive, f"{folder}/{name}", content, packed=name.endswith(".json"))


def _put(archive: zipfile.ZipFile, name: str, content: bytes, *, packed: bool = False) -> None:
    info = zipfile.ZipInfo(name)  # at the format's first day: a clock before it would be an error
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(info, content)


def _write_items(archive: zipfile.ZipFile, items: tuple[OraItem, ...], lines: list[str], depth: int) -> None:
    indent = " " * (depth + 1)
    for item in items:
        look = (
            f"name={_quoted(item.name)} opacity={_quoted(f'{item.opacity:.6g}')} "
            f'visibility="{"visible" if item.visible else "hidden"}" composite-op={_quoted(item.blend)}'
        )
        match item:
            case OraGroup(items=inside):
                lines.append(f'{indent}<stack {look} isolation="isolate">')
                _write_items(archive, inside, lines, depth + 1)
                lines.append(f"{indent}</stack>")
            case OraLayer():
                number = sum(name.startswith("data/") for name in archive.namelist())
                source = f"data/layer{number:03}.png"
                pixels, x, y = _cropped(item)
                _put(archive, source, encode_png(pixels))
                flags = ' edit-locked="true"' * item.locked + ' selected="true"' * item.selected
                lines.append(f'{indent}<layer {look} src="{source}" x="{x}" y="{y}"{flags}/>')


def _cropped(layer: OraLayer) -> tuple[NDArray[np.uint8], int, int]:
    """Without the empty rows and columns around it; one pixel stays of a layer that is empty."""
    seen = layer.pixels[..., 3] > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return np.zeros((1, 1, 4), np.uint8), layer.x, layer.y
    top, left = int(rows[0]), int(columns[0])
    part = layer.pixels[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    return part, layer.x + left, layer.y + top


def _thumbnail(merged: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(merged))
    image.thumbnail((THUMB_SIDE, THUMB_SIDE), reducing_gap=2.0)
    return encode_png(np.asarray(image))


def _quoted(value: str) -> str:
    """An attribute; what XML cannot hold, as control characters and halves of others, becomes a question mark."""
    clean = "".join(letter if letter.isprintable() or letter == "\t" else "?" for letter in value)
    return quoteattr(clean.encode("utf-8", "replace").decode("utf-8"))


# Reading


def load_openraster(path: Path, folder: str = "limner") -> OpenRaster:
    """Any program's file. Raises PictureError with what is wrong with it."""
    with Archive(path) as archive:
        return _read(archive, folder)


def read_thumbnail(path: Path) -> bytes | None:
    """The small picture inside, as PNG bytes; None where there is none that can be read."""
    try:
        with Archive(path) as archive:
            return archive.read("Thumbnails/thumbnail.png", 4_000_000)
    except PictureError:
        return None


def _read(archive: Archive, folder: str) -> OpenRaster:
    name = archive.name
    kind = archive.read("mimetype", 100).strip() if "mimetype" in archive else MIME
    if kind != MIME:
        what = "a Krita document" if b"krita" in kind else "no OpenRaster file"
        raise PictureError(f"“{name}” is {what}.", "Save it as OpenRaster (.ora) in the program that made it.")
    if "stack.xml" not in archive:
        raise PictureError(f"“{name}” is no OpenRaster file: it has no stack.xml.", "Choose an .ora file.")
    image = read_xml(archive.read("stack.xml", _MOST_XML), name)
    size = _size(image, name)
    stack = next((child for child in image.children if child.tag == "stack"), None)
    if image.tag != "image" or stack is None:
        raise _damaged(name, "its list of layers cannot be read")
    reader = _Reader(archive)
    items = reader.items(stack, _whole(stack, "x"), _whole(stack, "y"))
    merged = reader.merged(size)
    own = {
        member.removeprefix(f"{folder}/"): archive.read(member, _MOST_MEMBER)
        for member in archive.names
        if member.startswith(f"{folder}/") and not member.endswith("/")
    }
    return OpenRaster(size=size, items=items, merged=merged, own=own, notes=tuple(dict.fromkeys(reader.notes)))


class _Reader:
    """Brings the layers out of an archive, within a budget for all of them."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._pixels = 0
        self._count = 0
        self.notes: list[str] = []

    def items(self, stack: Element, x: int, y: int) -> tuple[OraItem, ...]:
        made: list[OraItem] = []
        for child in stack.children:
            match child.tag:
                case "stack":
                    made.append(self._group(child, x, y))
                case "layer":
                    layer = self._layer(child, x, y)
                    made += [layer] if layer is not None else []
                case tag:
                    self.notes.append(f"An item of the kind “{tag[:40]}” in “{self._archive.name}” was left out.")
        return tuple(made)

    def merged(self, size: Size) -> NDArray[np.uint8]:
        """The merged picture of the file, over white; a blank one where it has none that fits."""
        if "mergedimage.png" in self._archive:
            pixels = _decoded(self._archive.read("mergedimage.png", _MOST_MEMBER), self._archive.name, "its picture")
            if pixels.shape[:2] == (size.height, size.width):
                return pixels
        self.notes.append(f"“{self._archive.name}” has no picture of all its layers together.")
        return np.full((size.height, size.width, 4), 255, np.uint8)

    def _group(self, element: Element, x: int, y: int) -> OraGroup:
        return OraGroup(
            name=element.attributes.get("name", "")[:200],
            items=self.items(element, x + _whole(element, "x"), y + _whole(element, "y")),
            opacity=_opacity(element),
            visible=_visible(element),
            blend=element.attributes.get("composite-op", NORMAL)[:60],
        )

    def _layer(self, element: Element, x: int, y: int) -> OraLayer | None:
        name, source = element.attributes.get("name", "")[:200], element.attributes.get("src", "")
        self._count += 1
        if self._count > MOST_LAYERS:
            raise PictureError(f"“{self._archive.name}” has more than {MOST_LAYERS} layers.", "Merge some of them.")
        if source.lower().endswith(".svg"):
            self.notes.append(f"The drawing “{name}” in “{self._archive.name}” was left out: it is no pixels.")
            return None
        pixels = _decoded(self._archive.read(source, _MOST_MEMBER), self._archive.name, f"its layer “{name}”")
        self._pixels += pixels.shape[0] * pixels.shape[1]
        if self._pixels > MOST_LAYER_PIXELS:
            raise PictureError(f"The layers of “{self._archive.name}” are too large together.", "Merge some of them.")
        return OraLayer(
            name=name,
            pixels=pixels,
            x=x + _whole(element, "x"),
            y=y + _whole(element, "y"),
            opacity=_opacity(element),
            visible=_visible(element),
            blend=element.attributes.get("composite-op", NORMAL)[:60],
            locked=element.attributes.get("edit-locked") == "true",
            selected=element.attributes.get("selected") == "true",
        )


def _decoded(png: bytes, file: str, what: str) -> NDArray[np.uint8]:
    """H x W x 4. Raises PictureError."""
    try:
        layers = decode_layers(png, file, managed=True)
    except PictureError as error:
        raise _damaged(file, f"{what} cannot be read") from error
    height, width = layers.colour.shape[:2]
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = layers.colour
    pixels[..., 3] = 255 if layers.alpha is None else layers.alpha
    return pixels


def _size(image: Element, name: str) -> Size:
    width, height = _whole(image, "w"), _whole(image, "h")
    if width < 1 or height < 1:
        raise _damaged(name, "it does not say how large it is")
    if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
        raise PictureError(f"“{name}” is {width} x {height}, which is too large.", "Make it smaller first.")
    return Size(width, height)


def _whole(element: Element, name: str) -> int:
    """A whole number; some programs write 3.0. 0 where there is none, within what a picture can need."""
    try:
        value = float(element.attributes.get(name, "0")[:40])
    except ValueError:
        return 0
    return int(min(max(value, -10.0 * MOST_SIDE), 1e9)) if math.isfinite(value) else 0


def _opacity(element: Element) -> float:
    try:
        value = float(element.attributes.get("opacity", "1")[:40])
    except ValueError:
        return 1.0
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 1.0


def _visible(element: Element) -> bool:
    return element.attributes.get("visibility", "visible") != "hidden"


def _damaged(name: str, how: str) -> PictureError:
    return PictureError(f"“{name}” is damaged: {how}.", "Get the file again, or take an older copy of it.")


def over_white(pixels: NDArray[np.uint8]) -> Pixels:
    """H x W x 4 or 3 -> H x W x 3, rounded."""
    if pixels.shape[2] == 3:
        return pixels
    out = np.empty((*pixels.shape[:2], 3), np.uint8)
    for y in range(pixels.shape[0]):  # row by row: pictures may be large
        alpha = pixels[y, :, 3:].astype(np.uint32)
        out[y] = (pixels[y, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return out

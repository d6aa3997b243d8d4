"""Weight files read by their headers: what is missing, cut, a pointer or a web page is told apart in a moment."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.errors import ModelError

MOST_HEADER = 100_000_000
"""What the safetensors format itself allows."""
PICKLED = frozenset({".ckpt", ".pt", ".pth", ".bin"})
"""Endings of files that Python pickles weights into."""

_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    "F4": 4,
}
_AGAIN = "Download it again."
_CONVERT = "Add it to Limner as it is: it is converted to safetensors then, and nothing in it is run."

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself: the shape and number type of each tensor, and free text. ``starts``: the
    byte of the file that a tensor begins with."""

    shapes: Mapping[str, Shape]
    types: Mapping[str, str]
    metadata: Mapping[str, str]
    starts: Mapping[str, int] = field(default_factory=dict)

    def __or__(self, other: Header) -> Header:
        return Header(
            {**self.shapes, **other.shapes},
            {**self.types, **other.types},
            {**self.metadata, **other.metadata},
            {**self.starts, **other.starts},
        )


EMPTY = Header({}, {}, {})


def check_weights(folder: Path, stem: str, model: str) -> Header:
    """Check the files of a model's part whose names start with ``stem``; what is in them, together.

    ``model`` is what the sentences call it. Raises ModelError.
    """
    header = EMPTY
    for file in weight_files(folder, stem, model):
        header |= read_header(file, f"{folder.name}/{file.name} of the model “{model}”")
    return header


def read_header(file: Path, name: str = "") -> Header:
    """The header of a safetensors file, after making sure that it is one and that all of it is there.

    ``name`` is what the sentences call it, its own if empty. Raises ModelError.
    """
    name = name or f"“{file.name}”"
    try:
        size = file.stat().st_size
        with open(file, "rb") as stream:
            start = stream.read(8)
            length = int.from_bytes(start, "little")
            whole = 0 < length <= min(size - 8, MOST_HEADER)
            text = stream.read(length) if whole else start + stream.read(248)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(
            f"{name} cannot be read ({reason}).", "Check its name, your permissions and the disk that it lies on."
        ) from error
    if not whole:
        raise _not_weights(text, size, name)
    header, ends = _parsed(text, name)
    _check_end(ends, size - 8 - length, name)
    return header


def is_pickle(file: Path) -> bool:
    """True for a file that is a pickle by its first bytes, or by its ending where they do not say otherwise.

    A pickle can run programs when it is opened as such, so these are converted first.
    """
    try:
        with open(file, "rb") as stream:
            start = stream.read(64)
    except (OSError, ValueError):
        return False
    if _starts_like_a_pickle(start):
        return True
    other = not start or _is_text(start) or start[8:9] == b"{"  # safetensors under another name begin so
    return file.suffix.lower() in PICKLED and not other


def weight_files(folder: Path, stem: str, model: str) -> list[Path]:
    """The weight files of a part: the plain one, else the shards that an index lists, else the same in fp16.

    Raises ModelError where there are none, or only pickles.
    """
    plain = folder / f"{stem}.safetensors"
    if plain.is_file():
        return [plain]
    indexes = sorted(folder.glob(f"{stem}.safetensors.index*.json"), key=lambda path: ".fp16." in path.name)
    if indexes:
        return _shards(indexes[0], model)
    half = folder / f"{stem}.fp16.safetensors"
    if half.is_file():
        return [half]
    if any(folder.glob("*.bin")) or any(folder.glob("*.ckpt")):
        raise ModelError(
            f"The weights of “{folder.name}” in the model “{model}” are a pickle file, which can run programs.",
            _CONVERT,
        )
    raise ModelError(f"The model “{model}” lacks the weights of its part “{folder.name}”.", _AGAIN)


def _shards(index: Path, model: str) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        files = [index.parent / Path(name).name for name in names]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{index.parent.name}/{index.name} of the model “{model}” is damaged.", _AGAIN) from error
    for file in files:
        if not file.is_file():
            raise ModelError(f"The model “{model}” lacks {index.parent.name}/{file.name}.", _AGAIN)
    return files


def _not_weights(start: bytes, size: int, name: str) -> ModelError:
    """What a file is whose first eight bytes are no length of a header that fits into it."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if size == 0:
        return ModelError(f"{name} is empty.", _AGAIN)
    if text.startswith(b"version https://git-lfs"):
        return ModelError(
            f"{name} is a Git LFS pointer, not the weights.", "Run “git lfs pull” in the model's repository."
        )
    if text.startswith((b"<!doc", b"<html", b"<?xml")):
        return ModelError(
            f"{name} is a web page, not the weights.",
            "Download the file itself; you may have to sign in or accept terms.",
        )
    if _starts_like_a_pickle(start):
        return ModelError(f"{name} is a pickle file, which can run programs.", _CONVERT)
    return ModelError(f"{name} is cut short or is no safetensors file.", _AGAIN)


def _starts_like_a_pickle(start: bytes) -> bool:
    # A zip, as torch writes it, or the first opcode of protocols 2 to 5. Read as the length of a safetensors header,
    # both are beyond all bounds.
    return start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))


def _is_text(start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"version ", b"<!doc", b"<html", b"<?xml"))


def _parsed(text: bytes, name: str) -> tuple[Header, list[tuple[int, int]]]:
    """The header, and where in the file each tensor begins and ends."""
    try:
        content = json.loads(text)
        told = content.pop("__metadata__", None) or {}
        shapes, types, spans = {}, {}, []
        for key, entry in content.items():
            begin, end = _whole_numbers(entry["data_offsets"])
            shapes[key] = _whole_numbers(entry["shape"])
            types[key] = str(entry["dtype"])
            if not 0 <= begin <= end:
                raise ValueError(key)
            spans.append((begin, end))
        metadata = {str(key): str(value) for key, value in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{name} is damaged: its header cannot be read.", _AGAIN) from error
    header = Header(
        shapes, types, metadata, {key: 8 + len(text) + begin for key, (begin, _) in zip(shapes, spans, strict=True)}
    )
    _check_sizes(header, spans, name)
    _check_order(spans, name)
    return header, spans


def _whole_numbers(items: Any) -> tuple[int, ...]:
    if not isinstance(items, list) or not all(type(item) is int and item >= 0 for item in items):
        raise ValueError(items)
    return tuple(items)


def _check_sizes(header: Header, spans: list[tuple[int, int]], name: str) -> None:
    for (key, shape), (begin, end) in zip(header.shapes.items(), spans, strict=True):
        bits = _BITS.get(header.types[key])
        if bits is not None and math.prod(shape) * bits != (end - begin) * 8:
            raise ModelError(f"{name} is damaged: its header contradicts itself about “{key}”.", _AGAIN)


def _check_order(spans: list[tuple[int, int]], name: str) -> None:
    """Tensors lie one after another: one that lies on another is a trick or damage, and so is a gap."""
    at = 0
    for begin, end in sorted(spans):
        if begin < at:
            raise ModelError(f"{name} is damaged: two of its tensors overlap.", _AGAIN)
        if begin > at:
            raise ModelError(f"{name} is damaged: there is a gap between its tensors.", _AGAIN)
        at = end


def _check_end(spans: list[tuple[int, int]], there: int, name: str) -> None:
    wanted = max((end for _, end in spans), default=0)
    if there < wanted:
        percent = 100 * there // wanted
        raise ModelError(f"{name} is cut short: {percent} % of it is there.", _AGAIN)
    if there > wanted:
        raise ModelError(f"{name} is damaged: it is longer than its header says.", _AGAIN)
    if not spans:
        raise ModelError(f"{name} holds no weights.", _AGAIN)

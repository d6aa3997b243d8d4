"""Checking weight files by their headers: what is missing, cut, a pointer or a web page is told apart in a moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.core.errors import ModelError

MOST_HEADER = 100_000_000
"""What the safetensors format itself allows."""

_AGAIN = "Download it again."


def check_weights(folder: Path, stem: str, model: str) -> dict[str, Any]:
    """Check the files whose names start with ``stem``; the header entries (dtype, shape) of all their tensors.

    ``model`` is what the sentences call it. Raises ModelError.
    """
    entries: dict[str, Any] = {}
    for file in _files(folder, stem, model):
        entries |= read_header(file, f"{folder.name}/{file.name} of the model “{model}”")
    return entries


def read_header(file: Path, name: str) -> dict[str, Any]:
    """The tensors of a safetensors file, after making sure that it is one and that all of it is there."""
    try:
        size = file.stat().st_size
        with open(file, "rb") as stream:
            start = stream.read(8)
            length = int.from_bytes(start, "little")
            whole = 0 < length <= min(size - 8, MOST_HEADER)
            header = stream.read(length) if whole else start + stream.read(248)
    except OSError as error:
        raise ModelError(
            f"{name} cannot be read ({error.strerror}).", "Check your permissions and the disk that it lies on."
        ) from error
    if not whole:
        raise _not_weights(header, size, name)
    entries = _entries(header, name)
    _check_end(entries, size - 8 - length, name)
    return entries


def _files(folder: Path, stem: str, model: str) -> list[Path]:
    """The weight files of a part: the shards that an index lists, else the plain file, else the fp16 one."""
    indexes = sorted(folder.glob(f"{stem}*.safetensors.index*.json"))
    plain = folder / f"{stem}.safetensors"
    if plain.is_file():
        return [plain]
    if indexes:
        return _shards(indexes[0], model)
    half = folder / f"{stem}.fp16.safetensors"
    if half.is_file():
        return [half]
    if any(folder.glob("*.bin")) or any(folder.glob("*.ckpt")):
        raise ModelError(
            f"The weights of “{folder.name}” in the model “{model}” are a pickle file, which can run programs.",
            "Convert the model to safetensors, or get it in that form.",
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
    if text.startswith((b"pk\x03\x04", b"\x80\x02", b"\x80\x04")):
        return ModelError(
            f"{name} is a pickle file with another ending.", "Convert the model to safetensors, or get it in that form."
        )
    return ModelError(f"{name} is cut short or is no safetensors file.", _AGAIN)


def _entries(header: bytes, name: str) -> dict[str, Any]:
    try:
        content = json.loads(header)
        content.pop("__metadata__", None)
        for entry in content.values():
            begin, end = entry["data_offsets"]
            if not (isinstance(entry["shape"], list) and 0 <= begin <= end):
                raise ValueError(entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{name} is damaged: its header cannot be read.", _AGAIN) from error
    return dict(content)


def _check_end(entries: dict[str, Any], there: int, name: str) -> None:
    wanted = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if there < wanted:
        percent = 100 * there // wanted
        raise ModelError(f"{name} is cut short: {percent} % of it is there.", _AGAIN)
    if there > wanted:
        raise ModelError(f"{name} is damaged: it is longer than its header says.", _AGAIN)

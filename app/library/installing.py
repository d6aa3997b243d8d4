"""Taking models and what adds to them into Limner's own folders: a copy that is there whole or not at all."""

from __future__ import annotations

import contextlib
import filecmp
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import Cancelled, ModelError
from app.core.kinds import V1, Kind, contents_of
from app.core.settings import Folders
from app.core.weights import read_header
from app.library.importing import copy_notes, never

_PIECE = 4_000_000
_ROOM = 1_000_000_000
"""Bytes that a disk keeps free: a system without any fails in strange ways."""

Progressed = Callable[[float], object]


@dataclass(frozen=True)
class Destination:
    """What a file or folder is, and where it is found once it lies there. ``size``: bytes to copy."""

    kind: Kind
    folder: Path
    size: int


def destination(path: Path, places: Folders) -> Destination:
    """Looked into by its header alone. Raises ModelError for what is nothing for Stable Diffusion v1."""
    if os.path.isdir(path):
        return Destination(Kind.MODEL, places.models, sum(size for _, size in _files(path)))
    contents = contents_of(read_header(path).shapes)
    if contents.kind is Kind.OTHER or contents.family not in (V1, ""):
        raise ModelError(f"“{path.name}” is {contents.what}, nothing for {V1}.", "Choose another file.")
    return Destination(contents.kind, _folder(contents.kind, places), path.stat().st_size)


def _folder(kind: Kind, places: Folders) -> Path:
    return {Kind.LORA: places.loras, Kind.VAE: places.vaes, Kind.EMBEDDING: places.embeddings}.get(kind, places.models)


def is_inside(path: Path, places: Folders) -> bool:
    """It lies where Limner finds it already."""
    own = (places.models, places.imported, places.loras, places.vaes, places.embeddings)
    return any(path.absolute().is_relative_to(folder.absolute()) for folder in own)


def install(
    path: Path, folder: Path, progressed: Progressed = lambda _: None, cancelled: Callable[[], bool] = never
) -> Path:
    """Copy a file with what belongs to it, or a folder, into ``folder``. Where it is then: a name that is taken by
    something else gets a number, and what is there already is not copied again.

    Raises ModelError, Cancelled; leaves nothing half-done behind.
    """
    if (path.parent / "unet" / "config.json").is_file() and not path.is_dir():
        folder /= path.stem  # the configs beside it say how it is made, and must stay beside it
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target, there = _free_name(path, folder)
        if there:
            return target
        files = list(_files(path))
        _check_room(path, folder, sum(size for _, size in files))
        # Hidden until it is whole: lists of models pass over names that begin with a dot.
        temporary = folder / f".{secrets.token_hex(6)}.part"
        try:
            copied = _Copied(sum(size for _, size in files), progressed, cancelled)
            for file, _ in files:
                _copy(file, temporary / file.relative_to(path) if path.is_dir() else temporary, copied)
            if not path.is_dir():
                copy_notes(path, target)
            temporary.rename(target)
        finally:
            _remove(temporary)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(
            f"“{path.name}” cannot be copied ({reason}).", f"Look at the disk of {folder}, or use it where it lies."
        ) from error
    return target


def _files(path: Path) -> Iterator[tuple[Path, int]]:
    """What there is to copy, and how large it is. Links that lead elsewhere are followed as files, never as folders."""
    if not path.is_dir():
        yield path, path.stat().st_size
        return
    for root, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(names):
            file = Path(root, name)
            if not name.startswith(".") and file.is_file():
                yield file, file.stat().st_size


def _free_name(path: Path, folder: Path) -> tuple[Path, bool]:
    """A name that is free, or where the very same is already."""
    number = 1
    while True:
        ending = "" if path.is_dir() else path.suffix
        stem = path.name if path.is_dir() else path.stem
        target = folder / (f"{stem}{ending}" if number == 1 else f"{stem} ({number}){ending}")
        if not os.path.lexists(target):
            return target, False
        if path.is_file() and target.is_file() and filecmp.cmp(path, target, shallow=False):
            return target, True
        number += 1


def _check_room(path: Path, folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _ROOM:
        raise ModelError(
            f"“{path.name}” takes {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.",
            "Make room, or use it where it lies.",
        )


@dataclass
class _Copied:
    """How much has been copied so far."""

    whole: int
    progressed: Progressed
    cancelled: Callable[[], bool]
    so_far: int = 0

    def add(self, count: int) -> None:
        if self.cancelled():
            raise Cancelled
        self.so_far += count
        self.progressed(self.so_far / max(1, self.whole))


def _copy(source: Path, target: Path, copied: _Copied) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(source, "rb") as read, open(target, "xb") as write:
        while piece := read.read(_PIECE):
            write.write(piece)
            copied.add(len(piece))
        write.flush()
        os.fsync(write.fileno())


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

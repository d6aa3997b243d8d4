"""Files that add to a model, found and looked into without loading anything: LoRAs, VAEs, embeddings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.core.errors import ModelError
from app.core.kinds import V1, Contents, Kind, contents_of
from app.core.settings import Folders
from app.core.weights import read_header

ADDED = (Kind.LORA, Kind.EMBEDDING, Kind.VAE)
_DEPTH = 2
"""Folders in the models folder that are looked into: models/loras/faces is the deepest."""
_MOST_FILES = 5000


@dataclass(frozen=True, kw_only=True)
class Addition:
    """A file that can be added to a model. ``vectors``: tokens that an embedding takes in a prompt, 0 for others."""

    kind: Kind
    path: Path
    vectors: int = 0

    @property
    def name(self) -> str:
        return self.path.stem


def find_additions(folders: Folders) -> list[Addition]:
    """All in their own folders, in the models folder and among what was converted, by kind and name. What is none, or
    was made for another kind of model, is passed over."""
    found = {}
    for root in (folders.loras, folders.embeddings, folders.vaes, folders.models, folders.imported):
        for path in _files(root, _DEPTH):
            try:
                addition = read_addition(path)
            except ModelError:
                continue
            found[path] = addition
            if len(found) >= _MOST_FILES:
                break
    return sorted(found.values(), key=lambda it: (ADDED.index(it.kind), it.name.casefold(), str(it.path)))


def read_addition(path: Path) -> Addition:
    """What the file adds, by its header. Raises ModelError where it adds nothing to Stable Diffusion v1."""
    path = Path(os.path.expanduser(path)).absolute()
    if not os.path.isfile(path):
        raise ModelError(f"There is no file “{path}”.", "Check its name, or whether it was moved.")
    contents, vectors = _facts(path, _stamp(path))
    if contents.kind not in ADDED or contents.family not in (V1, ""):
        raise ModelError(
            f"“{path.name}” is {contents.what}; a LoRA, an embedding or a VAE for {V1} can be added.",
            "Choose another file.",
        )
    return Addition(kind=contents.kind, path=path, vectors=vectors)


@lru_cache(maxsize=_MOST_FILES)
def _facts(path: Path, _: tuple[int, int]) -> tuple[Contents, int]:
    """Read once for as long as the file stays what it is: a LoRA's header takes milliseconds."""
    shapes = read_header(path).shapes
    contents = contents_of(shapes)
    if contents.kind is not Kind.EMBEDDING:
        return contents, 0
    shape = next(iter(shapes.values()))
    return contents, shape[0] if len(shape) == 2 else 1


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
        return facts.st_size, facts.st_mtime_ns
    except OSError:
        return -1, -1


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Files of weights under the folder; not those of whole models in folders, which hold no additions."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    if any(entry.name == "model_index.json" for entry in entries):
        return
    for entry in entries:
        if entry.name[0] in "._":
            continue
        path = folder / entry.name
        if entry.name.lower().endswith(".safetensors") and entry.is_file():
            yield path
        elif depth and entry.is_dir():
            yield from _files(path, depth - 1)


def check_addition(path: Path, kind: Kind) -> None:
    """Raises ModelError where the file is not of this kind, or was made for another model than Stable Diffusion v1.

    A folder is taken for a VAE as diffusers writes it.
    """
    if os.path.isdir(path) and kind is Kind.VAE:
        return
    if not os.path.isfile(path):  # False also for a name that no file can have
        raise ModelError(f"There is no file “{path}”.", "Check its name, or whether it was moved.")
    contents = contents_of(read_header(path).shapes)
    holds_a_vae = kind is Kind.VAE and contents.kind is Kind.MODEL
    if (contents.kind is not kind and not holds_a_vae) or contents.family not in (V1, ""):
        raise ModelError(f"“{path.name}” is {contents.what}, not {kind.value} for {V1}.", "Choose another file.")

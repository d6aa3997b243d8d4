"""``limner doctor``: what there is to work with, told even when half of it is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from app import __version__
from app.core.checkpoints import usual_tokenizer
from app.core.settings import Folders, resources
from app.library.models import find_models

_PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "PySide6_Essentials", "numpy", "pillow")


def report(folders: Folders) -> Iterator[str]:
    """Lines of “label  value”, the quick ones first."""
    yield _line("Limner", __version__)
    yield _line("Python", f"{platform.python_version()} ({sys.executable})")
    yield _line("System", platform.platform())
    for package in _PACKAGES:
        yield _line(package, _version(package))
    yield _line("Memory", _memory())
    yield _line("Processors", str(os.cpu_count() or "unknown"))
    yield _line("Data folder", _folder(folders.data))
    yield _line("Models folder", _folder(folders.models))
    yield _line("Resources", _folder(resources()))
    yield _line("Vocabulary", _vocabulary())
    yield from _models(folders)
    yield _line("Window", _window())
    yield _line("Device", _device())


def _line(label: str, value: str) -> str:
    return f"{label:20}{value}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _memory() -> str:
    try:
        import psutil
    except ImportError:
        return "unknown"
    memory = psutil.virtual_memory()
    return f"{_gigabytes(memory.available)} free of {_gigabytes(memory.total)}"


def _folder(folder: Path) -> str:
    """The folder with what may be wrong with it; one that is missing is made when it is needed."""
    if not folder.is_dir():
        return f"{folder} (not there yet)"
    if not os.access(folder, os.W_OK):
        return f"{folder} (read-only)"
    return f"{folder} ({_gigabytes(shutil.disk_usage(folder).free)} free)"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def _vocabulary() -> str:
    """What models in one file need and do not bring."""
    folder = usual_tokenizer()
    return (
        "ready" if (folder / "vocab.json").is_file() else "missing: “make vocabulary” fetches it for models in one file"
    )


def _models(folders: Folders) -> Iterator[str]:
    models = find_models(folders)
    for model in models:
        yield _line("Model", f"{model.name} ({model.native_size} x {model.native_size}, {model.channels} channels)")
    if not models:
        yield _line("Model", f"none; put a model into {folders.models}")


def _window() -> str:
    """Whether Qt can be loaded: on a bare Linux machine it lacks system libraries."""
    try:
        import PySide6.QtGui  # noqa: F401 - loading it is the check
    except ImportError as error:
        return f"cannot be opened ({error})"
    return "ready"


def _device() -> str:
    """Where and how precisely the engine computes. Anything may go wrong while torch loads, and is then the answer."""
    try:
        from app.diffusion.placement import choose_placement

        return choose_placement().label
    except Exception as error:
        return f"none, nothing can be painted ({error})"

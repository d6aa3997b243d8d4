"""Where things are kept, and the few settings that outlive a run."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from app.core.atomic import atomic_write

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
PORTABLE = "limner-portable"
"""The name of the file, of any content, that makes a bundled program keep everything beside itself."""


@dataclass(frozen=True)
class Folders:
    """The data folder and what lies in it."""

    data: Path

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def imported(self) -> Path:
        """Weights converted to safetensors, each in a folder of its own."""
        return self.data / "imported"

    @property
    def loras(self) -> Path:
        return self.data / "loras"

    @property
    def vaes(self) -> Path:
        return self.data / "vaes"

    @property
    def embeddings(self) -> Path:
        return self.data / "embeddings"

    @property
    def log(self) -> Path:
        return self.data / "limner.log"

    @property
    def settings(self) -> Path:
        return self.data / "settings.json"

    @property
    def history(self) -> Path:
        """Every result, and what was painted from."""
        return self.data / "history"

    @property
    def cache(self) -> Path:
        return self.data / "cache"

    def make(self) -> None:
        """Create what is missing. Raises OSError."""
        for folder in (self.data, self.models, self.cache):
            folder.mkdir(parents=True, exist_ok=True)


def folders(data_dir: Path | None = None) -> Folders:
    """The folders under ``data_dir``, or beside a portable program, or in the system's place for application data."""
    return Folders(data_dir or portable_data() or Path(platformdirs.user_data_dir("limner", False)))


def portable_data() -> Path | None:
    """The data folder beside a bundled program that has the file ``limner-portable`` next to it; None elsewhere."""
    if not getattr(sys, "frozen", False):
        return None
    program = Path(sys.executable).resolve()
    # On macOS the program lies inside Limner.app, and a person sees what is beside that.
    inside = [folder for folder in program.parents if folder.suffix == ".app"]
    beside = (inside[0] if inside else program).parent
    return beside / "limner-data" if (beside / PORTABLE).is_file() else None


def resources() -> Path:
    """The folder of icons and starter models: beside ``app`` in a checkout and in the bundled program, inside it in an
    installed wheel."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent / "resources"


def load_settings(path: Path) -> dict[str, Any]:
    """What was saved, or nothing when there is no file. A damaged file is moved aside and its backup taken."""
    for candidate in (path, path.with_suffix(".bak")):
        try:
            return _parsed(candidate.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            log.info("settings in %s cannot be read (%s)", candidate, error)
            _move_aside(candidate)
    return {}


def glance(path: Path) -> dict[str, Any]:
    """What ``load_settings`` would give, and nothing is moved aside."""
    for candidate in (path, path.with_suffix(".bak")):
        with contextlib.suppress(OSError, ValueError):
            return _parsed(candidate.read_bytes())
    return {}


def engine_is_apart(values: Mapping[str, Any]) -> bool:
    """Whether the engine is to have a process of its own, by what was saved."""
    return values.get("engine_apart") is not False


def save_settings(path: Path, values: Mapping[str, Any]) -> None:
    """Write the settings, keeping the last good file as a backup. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema_version": SCHEMA_VERSION, "values": dict(values)}, indent=1, ensure_ascii=True)
    with contextlib.suppress(OSError, ValueError):  # what cannot be read must not push out a backup that can
        last = path.read_bytes()
        _parsed(last)
        atomic_write(path.with_suffix(".bak"), last)
    atomic_write(path, text.encode("utf-8"))


def _parsed(data: bytes) -> dict[str, Any]:
    """The values in a settings file. Raises ValueError."""
    try:
        content = json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        raise ValueError("of another version")
    values = content.get("values")
    if not isinstance(values, dict):
        raise ValueError("without values")
    return values


def _move_aside(path: Path) -> None:
    try:
        path.replace(path.with_name(path.name + ".damaged"))
    except OSError:
        log.info("could not move %s aside", path)

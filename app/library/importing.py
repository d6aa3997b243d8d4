"""Bringing pickled weights in: converted once to safetensors by a child process, found again afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from app.core.atomic import atomic_write
from app.core.errors import Cancelled, ModelError
from app.core.program import own_command, own_environment
from app.core.settings import Folders
from app.core.weights import PICKLED, is_pickle

log = logging.getLogger(__name__)

START_SECONDS = 120
"""Importing torch on a cold, busy machine takes most of this."""
SLOWEST_DISK = 5_000_000
"""Bytes a second that reading and writing get at the least."""
INTRUSION = 70
"""The child's exit status when a file got as far as trying something."""

_BESIDE = (".yaml", ".json")
_STEMS = {"text_encoder": ("pytorch_model", "model"), "unet": None, "vae": None}
"""Per part of a folder the beginning of its pickles' names and of what they become; None where it stays."""
_USUAL_STEM = "diffusion_pytorch_model"


def never() -> bool:
    return False


def prepared(path: Path, places: Folders, cancelled: Callable[[], bool] = never) -> Path:
    """The path itself, or where its weights are once they are no pickle any more. May take minutes the first time.

    A pickled file is converted into the data folder, the pickles of a model folder beside themselves. Raises ModelError
    with what the file wanted to run or what is wrong with it, Cancelled.
    """
    path = Path(os.path.expanduser(path)).absolute()
    if os.path.isdir(path):
        _convert_folder(path, cancelled)
        return path
    return import_weights(path, places, cancelled) if is_pickle(path) else path


def needs_converting(path: Path, places: Folders) -> bool:
    """True where ``prepared`` will take its time, now or never again."""
    path = Path(os.path.expanduser(path)).absolute()
    if not os.path.lexists(path):  # nothing there, or a name that no file can have
        return False
    if not path.is_dir():
        return is_pickle(path) and not converted(path, places).is_file()
    return any(_pickles_of(path / part) for part in _STEMS)


def converted(source: Path, places: Folders) -> Path:
    """Where the safetensors file made of a pickled one is, or will be. Raises OSError where there is no such file."""
    return _place_of(source, places) / f"{source.stem}.safetensors"


def import_weights(source: Path, places: Folders, cancelled: Callable[[], bool] = never) -> Path:
    """The safetensors file made of a pickled one; made now if it is not there yet."""
    target = converted(source, places)
    if not target.is_file():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_notes(source, target)
        except OSError as error:
            raise ModelError(
                f"“{source.name}” cannot be converted ({error.strerror}).", f"Make room or free {target.parent}."
            ) from error
        try:
            run_child(source, target, cancelled)
        except BaseException:
            shutil.rmtree(target.parent, ignore_errors=True)
            raise
    return target


def _place_of(source: Path, places: Folders) -> Path:
    """A folder that tells the file from any other, and from itself after a change."""
    facts = source.stat()
    key = f"{source}\n{facts.st_size}\n{facts.st_mtime_ns}".encode("utf-8", "surrogateescape")
    return places.imported / hashlib.sha256(key).hexdigest()[:12]


def copy_notes(source: Path, target: Path) -> None:
    """What lies beside a model and says how it is to be loaded goes along."""
    for ending in _BESIDE:
        if source.with_suffix(ending).is_file():
            shutil.copyfile(source.with_suffix(ending), target.with_suffix(ending))
    for name in ("unet", "vae", "text_encoder", "scheduler", "tokenizer"):
        for file in (source.parent / name).glob("*"):
            if file.suffix in (".json", ".txt") and not file.name.endswith(".index.json"):
                (target.parent / name).mkdir(exist_ok=True)
                shutil.copyfile(file, target.parent / name / file.name)


# Folders


def _convert_folder(folder: Path, cancelled: Callable[[], bool]) -> None:
    for part in _STEMS:
        for source, target in _pickles_of(folder / part):
            if source.name.endswith(".index.json"):
                _convert_index(source, target)
            else:
                run_child(source, target, cancelled)


def _pickles_of(part: Path) -> list[tuple[Path, Path]]:
    """The pickled weights of a part that has no others, and what each becomes; an index of shards comes last, so that
    a folder whose conversion was cut short is converted again."""
    if any(part.glob("*.safetensors.index*.json")) or any(
        "-of-" not in file.name for file in part.glob("*.safetensors")
    ):
        return []
    old, new = _STEMS.get(part.name) or (_USUAL_STEM, _USUAL_STEM)
    files = sorted(file for file in part.glob(f"{old}*.bin") if file.suffix in PICKLED)
    files += sorted(part.glob(f"{old}.bin.index*.json"))
    return [(file, file.with_name(_renamed(file.name, old, new))) for file in files]


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old).replace(".bin", ".safetensors")


def _convert_index(source: Path, target: Path) -> None:
    old, new = _STEMS.get(source.parent.name) or (_USUAL_STEM, _USUAL_STEM)
    try:
        index = json.loads(source.read_text("utf-8"))
        index["weight_map"] = {name: _renamed(file, old, new) for name, file in index["weight_map"].items()}
        atomic_write(target, json.dumps(index).encode("utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise ModelError(f"“{source.name}” of the model cannot be converted.", "Download the model again.") from error


# The child


def run_child(source: Path, target: Path, cancelled: Callable[[], bool] = never) -> None:
    """Convert one file in a process of its own. Raises ModelError, Cancelled; leaves no half-written file."""
    patience = START_SECONDS + source.stat().st_size / SLOWEST_DISK
    child = subprocess.Popen(
        [*own_command(), "unpickle", str(source), str(target)],
        env=own_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, complained = _outcome(child, time.monotonic() + patience, cancelled)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        for part in target.parent.glob(f".{target.name[:40]}.*.part"):
            with contextlib.suppress(OSError):
                part.unlink()
    if child.returncode == INTRUSION:
        raise ModelError(f"“{source.name}” tried to run something and was stopped.", "Delete it.")
    try:
        told = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        log.info("converting %s ended with %s: %s", source, child.returncode, complained[-2000:])
        raise ModelError(
            f"“{source.name}” could not be converted: the attempt was ended by its limits on memory and time.",
            "The file is damaged or a trap: get the model as a safetensors file.",
        ) from None
    if told:
        raise ModelError(told["message"], told["remedy"])


def _outcome(child: subprocess.Popen[str], deadline: float, cancelled: Callable[[], bool]) -> tuple[str, str]:
    while True:
        try:
            return child.communicate(timeout=0.1)
        except subprocess.TimeoutExpired:
            if cancelled():
                raise Cancelled from None
            if time.monotonic() > deadline:
                child.kill()
                return child.communicate()

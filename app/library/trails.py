"""Kept steps as files: numpy's own format, without pickles, written whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.atomic import atomic_write
from app.core.errors import UserError
from app.core.geometry import Rect, Size
from app.core.trail import Trail

ENDING = ".steps.npz"
_ARRAYS = ("latents", "noise")
_VERSION = 1
_MOST_BYTES = 2**31
"""Of the arrays, unpacked: far beyond any run, and a stop to files made to fill the memory."""


class KeptStepsError(UserError):
    """A file of kept steps that cannot be read or written."""


def save_trail(path: Path, trail: Trail) -> None:
    """Raises KeptStepsError."""
    told: dict[str, Any] = {name: value for name, value in vars(trail).items() if name not in _ARRAYS}
    told |= {name: asdict(told[name]) for name in ("size", "box", "working")}
    buffer = io.BytesIO()
    np.savez(buffer, latents=trail.latents, noise=trail.noise, told=json.dumps({"version": _VERSION} | told))
    try:
        atomic_write(path, buffer.getvalue())
    except OSError as error:
        raise KeptStepsError(
            f"The steps cannot be kept in “{path}” ({error.strerror}).", "Choose another folder."
        ) from error


def load_trail(path: Path) -> Trail:
    """Raises KeptStepsError for what is no file of kept steps, or a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return _trail(file)
    except FileNotFoundError as error:
        raise KeptStepsError(f"There is no file “{path}”.", "Name one that --keep-steps wrote.") from error
    except OSError as error:
        raise KeptStepsError(f"“{path}” cannot be read ({error.strerror or error}).", "Choose another file.") from error
    except (ValueError, KeyError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise KeptStepsError(f"“{path}” holds no kept steps.", "Name a file that --keep-steps wrote.") from error


def _trail(file: Any) -> Trail:
    """Raises what reading nonsense raises."""
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise ValueError("one array")
    if file.zip is None or sum(entry.file_size for entry in file.zip.infolist()) > _MOST_BYTES:
        raise ValueError("too large")
    told = json.loads(str(file["told"]))
    if told.pop("version") != _VERSION:
        raise ValueError("of another version")
    latents, noise = file["latents"], file["noise"]
    _check(latents, noise)
    size, box = Size(**told["size"]), Rect(**told["box"])
    if not box.inside(size):
        raise ValueError("a frame beside the picture")
    layouts = tuple(tuple(bool(one) for one in kind) for kind in told["channels_last"])
    if tuple(map(len, layouts)) != (len(latents), len(noise)):
        raise ValueError("layouts are missing")
    return Trail(
        latents=latents,
        noise=noise,
        channels_last=(layouts[0], layouts[1]),
        sampler=str(told["sampler"]),
        steps=int(told["steps"]),
        strength=float(told["strength"]),
        seed=int(told["seed"]),
        size=size,
        box=box,
        working=Size(**told["working"]),
        reseeded=tuple((int(step), int(seed)) for step, seed in told["reseeded"]),
    )


def _check(latents: NDArray[Any], noise: NDArray[Any]) -> None:
    fits = latents.ndim == 4 and latents.shape[1:] == noise.shape[1:] and len(latents) == len(noise) + 1
    if not fits or latents.dtype != np.float32 or noise.dtype != np.float32:
        raise ValueError("arrays of other shapes")
    if not (np.isfinite(latents).all() and np.isfinite(noise).all()):
        raise ValueError("values that are no numbers")

"""Kept steps come back from the disk as they were, and nothing else is taken for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.geometry import Rect, Size
from app.library.trails import KeptStepsError, load_trail, save_trail
from tests.fakes import some_trail


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    trail = some_trail(box=Rect(1, 2, 8, 4), working=Size(32, 16))
    save_trail(tmp_path / "a.steps.npz", trail)
    assert load_trail(tmp_path / "a.steps.npz") == trail
    assert [file.name for file in tmp_path.iterdir()] == ["a.steps.npz"]


def _rewritten(path: Path, **changes: Any) -> None:
    with np.load(path) as file:
        content = dict(file)
    told = json.loads(str(content["told"]))
    for name, value in changes.items():
        if name in ("latents", "noise"):
            content[name] = value
        elif value is None:
            del told[name]
        else:
            told[name] = value
    content["told"] = json.dumps(told)
    np.savez(path, **content)


NOT_A_NUMBER = np.full((4, 4, 8, 16), np.nan, np.float32)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"seed": None},
        {"box": {"x": 9, "y": 0, "width": 16, "height": 8}},
        {"size": [1, 2]},
        {"channels_last": [[], []]},
        {"latents": NOT_A_NUMBER},
        {"latents": np.zeros((3, 4, 8, 16), np.float32)},
        {"noise": np.zeros((3, 4, 8, 16), np.float64)},
        {"noise": np.array([object()])},
    ],
)
def test_what_does_not_fit_is_a_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "a.npz"
    save_trail(path, some_trail())
    _rewritten(path, **changes)
    with pytest.raises(KeptStepsError, match="holds no kept steps"):
        load_trail(path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"PK\x03\x04 cut", b"\x93NUMPY", b"\x80\x04."])
def test_other_files_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(KeptStepsError, match="holds no kept steps"):
        load_trail(path)


def test_a_file_made_to_fill_the_memory_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    save_trail(path, some_trail())
    monkeypatch.setattr("app.library.trails._MOST_BYTES", path.stat().st_size // 2)
    with pytest.raises(KeptStepsError, match="holds no kept steps"):
        load_trail(path)


def test_files_that_are_not_there_or_cannot_be_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(KeptStepsError, match="There is no file"):
        load_trail(tmp_path / "none")
    with pytest.raises(KeptStepsError, match="cannot be read"):
        load_trail(tmp_path)
    with pytest.raises(KeptStepsError, match="cannot be kept"):
        save_trail(tmp_path / "none" / "a.npz", some_trail())

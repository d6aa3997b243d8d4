"""Settings come back as they were; whatever state the file is in, the studio starts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import settings as module
from app.core.settings import Folders, folders, load_settings, resources, save_settings

VALUES = {"size": [512, 384], "prompt": "猫 \ud800", "guidance": 6.5, "locked": True, "nothing": None}


def test_what_is_saved_comes_back(data_dir: Path) -> None:
    path = data_dir / "not" / "yet" / "settings.json"
    save_settings(path, VALUES)
    assert load_settings(path) == VALUES


def test_nothing_saved_is_nothing(data_dir: Path) -> None:
    assert load_settings(data_dir / "settings.json") == {}
    assert os.listdir(data_dir) == []


def test_a_damaged_file_gives_the_one_before_and_is_kept_aside(data_dir: Path) -> None:
    path = data_dir / "settings.json"
    save_settings(path, {"n": 1})
    save_settings(path, {"n": 2})
    path.write_bytes(b'{"schema_version": 1, "values": {"n"')
    assert load_settings(path) == {"n": 1}
    assert (data_dir / "settings.json.damaged").read_bytes().startswith(b'{"schema')
    save_settings(path, {"n": 3})
    assert load_settings(path) == {"n": 3}


def test_a_damaged_file_never_becomes_the_backup(data_dir: Path) -> None:
    """Saving over a file that was damaged since it was read must not lose the last good one."""
    path = data_dir / "settings.json"
    save_settings(path, {"n": 1})
    save_settings(path, {"n": 2})
    path.write_bytes(b"\0" * 50)
    save_settings(path, {"n": 3})
    path.write_bytes(b"\0" * 50)
    assert load_settings(path) == {"n": 1}


WHOLE = json.dumps({"schema_version": 1, "values": VALUES}).encode()
DAMAGES = [
    b"",
    b"\0" * 100,
    b"null",
    b"[]",
    b"5",
    b"{}",
    b'"text"',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"schema_version": 2, "values": {}}',
    b'{"schema_version": "1", "values": {}}',
    b'{"schema_version": 1}',
    b'{"schema_version": 1, "values": []}',
    b'{"schema_version": 1, "values": null}',
    *(WHOLE[: len(WHOLE) * percent // 100] for percent in range(1, 100)),
]


@pytest.mark.parametrize("backup", [None, b"{", WHOLE])
def test_every_damage_is_survived(backup: bytes | None, data_dir: Path) -> None:
    path = data_dir / "settings.json"
    for damage in DAMAGES:
        path.write_bytes(damage)
        if backup is not None:
            path.with_suffix(".bak").write_bytes(backup)
        assert load_settings(path) == (VALUES if backup == WHOLE else {}), damage
        save_settings(path, {"n": 1})
        assert load_settings(path) == {"n": 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
def test_any_bytes_are_survived(data: bytes, data_dir: Path) -> None:
    path = data_dir / "settings.json"
    path.write_bytes(data)
    assert load_settings(path) == {}


def test_a_folder_in_the_place_of_the_file(data_dir: Path) -> None:
    (data_dir / "settings.json").mkdir()
    assert load_settings(data_dir / "settings.json") == {}


def test_a_file_that_may_not_be_moved(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    (data_dir / "settings.json").write_bytes(b"{")
    monkeypatch.setattr(Path, "replace", refuse)
    assert load_settings(data_dir / "settings.json") == {}


def test_folders_lie_under_the_data_folder(data_dir: Path) -> None:
    places = folders(data_dir / "new")
    places.make()
    places.make()
    assert places == Folders(data_dir / "new")
    assert places.models.is_dir()
    assert places.cache.is_dir()
    assert places.settings.parent == places.log.parent == places.data
    assert folders().data.name == "limner"


def test_resources_in_a_checkout_and_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resources() == Path(__file__).resolve().parents[2] / "resources"
    installed = tmp_path / "app" / "core" / "settings.py"
    installed.parent.mkdir(parents=True)
    (tmp_path / "app" / "_resources").mkdir()
    monkeypatch.setattr(module, "__file__", str(installed))
    assert resources() == (tmp_path / "app" / "_resources").resolve()


def frozen(monkeypatch: pytest.MonkeyPatch, program: Path) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))


def test_a_portable_program_keeps_everything_beside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folders().data
    frozen(monkeypatch, tmp_path / "Stick 猫" / "limner" / "limner")
    assert folders().data == home
    (tmp_path / "Stick 猫" / "limner" / "limner-portable").touch()
    assert folders().data == (tmp_path / "Stick 猫" / "limner" / "limner-data").resolve()
    assert folders(tmp_path).data == tmp_path


def test_a_portable_mac_program_keeps_it_beside_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen(monkeypatch, tmp_path / "Limner.app" / "Contents" / "MacOS" / "limner")
    (tmp_path / "limner-portable").touch()
    assert folders().data == (tmp_path / "limner-data").resolve()


def test_a_link_to_a_portable_program_finds_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen(monkeypatch, tmp_path / "opt" / "limner")
    (tmp_path / "opt" / "limner-portable").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "limner").symlink_to(tmp_path / "opt" / "limner")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "limner"))
    assert folders().data == (tmp_path / "opt" / "limner-data").resolve()


def test_source_is_never_portable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "limner-portable").touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert folders().data.name == "limner"

"""atomic_write: the old file or the new one, never a part of either, and no litter."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.atomic import atomic_write


def test_writes_and_overwrites(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    for data in (b"", b"one", b"two" * 100_000):
        atomic_write(target, data)
        assert target.read_bytes() == data
        assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("name", ["猫" * 85, "x" * 255, ".hidden", "with space", "ends.part"])
def test_names_as_long_as_the_system_allows(name: str, tmp_path: Path) -> None:
    atomic_write(tmp_path / name, b"x")
    assert os.listdir(tmp_path) == [name]


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    atomic_write(Path("a"), b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_others_may_read_what_is_saved(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        atomic_write(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


class Write:
    """A file whose ``write`` fails after half of the data, as on a disk that fills up."""

    def __init__(self, *arguments: Any) -> None:
        self._file = open(*arguments)  # noqa: SIM115 - this class is the context manager

    def __enter__(self) -> Write:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        self._file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("step", [(os, "fsync"), (Path, "replace")])
@pytest.mark.parametrize("there_before", [True, False])
def test_any_fault_at_any_step(
    error: BaseException, step: tuple[object, str], there_before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there_before:
        (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(*step, failing(error))
    with pytest.raises(type(error)):
        atomic_write(tmp_path / "a", b"new")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == (["a"] if there_before else [])
    if there_before:
        assert (tmp_path / "a").read_bytes() == b"old"


def test_a_disk_that_fills_up_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.atomic.open", Write, raising=False)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(tmp_path / "a", b"new" * 1000)
    assert os.listdir(tmp_path) == []


def test_the_first_error_is_the_one_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(OSError(28, "No space left on device")))
    monkeypatch.setattr(Path, "unlink", failing(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="No space left"):
        atomic_write(tmp_path / "a", b"new")


def test_a_folder_that_cannot_be_flushed_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", failing(PermissionError(13, "Permission denied")))
    atomic_write(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "none" / "a", b"x")


LOOP = """
import sys
from pathlib import Path
from app.core.atomic import atomic_write
print("ready", flush=True)
i = 0
while True:
    i += 1
    atomic_write(Path(sys.argv[1]), bytes([i % 256]) * 400_000)
"""


def test_killed_at_random_moments_the_file_is_whole(tmp_path: Path) -> None:
    """SIGKILL cannot be caught: a rename that is no single step would show as a short or mixed file."""
    target = tmp_path / "a"
    atomic_write(target, bytes(400_000))
    for i in range(6):
        child = subprocess.Popen([sys.executable, "-c", LOOP, str(target)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.01 + 0.013 * i)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        data = target.read_bytes()
        assert len(data) == 400_000
        assert len(set(data)) == 1


def test_interrupted_at_random_moments_nothing_is_left(tmp_path: Path) -> None:
    """Ctrl-C can be caught, so here not even a part file may stay."""
    target = tmp_path / "a"
    for i in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", LOOP, str(target)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.01 + 0.013 * i)
        child.send_signal(signal.SIGINT)
        child.wait()
        child.stdout.close()
        assert set(os.listdir(tmp_path)) <= {"a"}
        with contextlib.suppress(FileNotFoundError):
            assert len(target.read_bytes()) == 400_000

"""Limner without what computes: the window opens all the same and says what is missing and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import UserError
from app.core.parts import explained

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def without_torch(tmp_path: Path) -> dict[str, str]:
    """An environment whose Python finds no torch."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('No module named “torch”', name='torch')", "utf-8")
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))), "QT_QPA_PLATFORM": "offscreen"}


def test_the_window_opens_and_explains(without_torch: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--selftest", "--selftest-dir", str(tmp_path / "kept")]
    done = subprocess.run(command, env=without_torch, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert "selftest: window after" in done.stdout
    assert "FAILED: The part of Limner that computes pictures is missing: torch. Run “make setup”" in done.stdout
    assert done.returncode == 1
    assert (tmp_path / "kept" / "window.png").is_file()


def test_a_command_explains_in_one_sentence(without_torch: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "render", "a lake", "-o", str(tmp_path / "lake.png")]
    done = subprocess.run(command, env=without_torch, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.stderr.startswith("The part of Limner that computes pictures is missing: torch. Run “make setup”")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_bundled_program_is_to_be_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(UserError, match=r"missing: diffusers\. Install Limner again"), explained():
        raise ModuleNotFoundError("no", name="diffusers.models")


def test_any_other_missing_module_is_no_such_case() -> None:
    with pytest.raises(ModuleNotFoundError, match="colours"), explained():
        raise ModuleNotFoundError("No module named colours", name="colours")


def test_a_library_that_does_not_load_is_told_with_its_reason() -> None:
    with pytest.raises(UserError) as told, explained():
        raise OSError("libtorch_cpu.so: cannot open\nshared object file")
    assert "cannot be loaded (libtorch_cpu.so: cannot open shared object file)" in told.value.message
    assert "make setup" in told.value.remedy

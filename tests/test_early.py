"""What is done before the window's libraries are imported: the engine's process is on its way, where it is wanted."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app import early
from app.core.environment import GRAPHS
from app.core.settings import save_settings
from app.early import start_engine
from app.process.host import EngineHost
from app.process.starting import Process, start_process
from tests.process.scripted import COMMAND

MakeProcess = list[Process]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeProcess]:
    """The processes that were started, without torch in them."""
    processes: MakeProcess = []

    def start(command: list[str]) -> Process:
        assert command[-1] == "engine"
        processes.append(start_process(COMMAND))
        return processes[-1]

    monkeypatch.setattr(early, "start_process", start)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def keep(data_dir: Path, apart: bool) -> None:
    save_settings(data_dir / "settings.json", {"engine_apart": apart})


def test_the_process_is_started_as_the_person_has_chosen(started: MakeProcess, tmp_path: Path) -> None:
    there = ["--data-dir", str(tmp_path)]
    assert start_engine(there) is started[0]
    keep(tmp_path, False)
    assert start_engine(there) is None
    assert start_engine([*there, "--engine", "apart"]) is started[1]
    keep(tmp_path, True)
    assert start_engine([*there, "--engine", "inside"]) is None
    assert len(started) == 2


@pytest.mark.parametrize("words", [[], ["--engine", "inside"]])
def test_recorded_steps_are_asked_for_before_there_is_an_engine(
    started: MakeProcess, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GRAPHS, "0")
    seen: list[str] = []
    monkeypatch.setattr(early, "engine_command", lambda: (seen.append(os.environ[GRAPHS]), ["engine"])[1])
    there = ["--data-dir", str(tmp_path), *words]
    start_engine(there)
    assert os.environ[GRAPHS] == "0"
    start_engine([*there, "--graphs"])
    assert os.environ[GRAPHS] == "1"
    assert seen == ([] if words else ["0", "1"])


def test_damaged_settings_keep_nobody_from_starting_and_are_left_to_the_window(
    started: MakeProcess, tmp_path: Path
) -> None:
    (tmp_path / "settings.json").write_text("{ broken")
    assert start_engine(["--data-dir", str(tmp_path)]) is started[0]
    assert (tmp_path / "settings.json").read_text() == "{ broken"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_without_a_screen_there_is_no_engine(
    started: MakeProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert start_engine(["--data-dir", str(tmp_path)]) is None
    assert not started


def test_a_process_that_cannot_be_started_is_left_to_the_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(early, "engine_command", lambda: [str(tmp_path / "nothing here")])
    assert start_engine(["--data-dir", str(tmp_path)]) is None


def test_the_host_takes_the_process_that_was_started_and_replaces_it_once_it_is_gone() -> None:
    first = start_process(COMMAND)
    host = EngineHost(COMMAND, started=first)
    try:
        assert host.start().pid == first.pid
        first.kill()
        first.wait()
        assert host.start().pid != first.pid
    finally:
        host.close()


def test_one_that_nobody_takes_ends_with_its_studio() -> None:
    code = (
        "from app.process.starting import start_process\n"
        "from tests.process.scripted import COMMAND\n"
        "process = start_process(COMMAND)\n"
        "process.stdout.read(1)\n"  # it lives and has said something
        "print(process.pid, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    engine = int(done.stdout)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(engine).wait(30)


def test_how_threads_are_to_wait_is_the_person_s_choice_in_the_engine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    process = start_process([sys.executable, "-c", "import os; print(os.environ['OMP_WAIT_POLICY'])"])
    assert process.communicate(timeout=60)[0].strip() == b"passive"


_COMMAND = """
import json, sys
import app.early, app.__main__
from app.process.starting import start_process
asked = []
app.early.start_process = lambda command: asked.append(sorted(set(sys.modules) & {"PySide6", "numpy"})) or "a process"
import types
sys.modules["app.main"] = types.SimpleNamespace(main=lambda given, engine: asked.append([given, engine]) or 7)
status = app.__main__.main(["--engine", "apart"])
print(json.dumps([status, asked]))
"""


def test_the_command_starts_the_engine_before_the_window_s_libraries_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    done = subprocess.run([sys.executable, "-c", _COMMAND], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [7, [[], [["--engine", "apart"], "a process"]]]

"""The folders of sessions: whoever lives keeps his own, and whoever died leaves it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.library.journal.folders import left_behind, new_session

HOLD = """
import sys
from pathlib import Path
from app.library.journal.folders import new_session
held = new_session(Path(sys.argv[1]))
print(held.id, flush=True)
sys.stdin.readline()
"""


def test_one_that_is_held_is_not_found(tmp_path: Path) -> None:
    held = new_session(tmp_path)
    assert left_behind(tmp_path) == []
    held.release()
    (found,) = left_behind(tmp_path)
    assert found.id == held.id
    assert left_behind(tmp_path) == []  # whoever found it holds it
    found.remove()
    assert os.listdir(tmp_path) == []


def test_a_process_that_is_killed_lets_go(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdin is not None
    id = child.stdout.readline().strip()
    assert left_behind(tmp_path) == []
    child.kill()
    child.wait()
    child.stdout.close()
    child.stdin.close()
    (found,) = left_behind(tmp_path)
    assert found.id == id
    found.release()


def test_the_newest_comes_first_whatever_the_clock_said(tmp_path: Path) -> None:
    clocks = [2_000_000_000.0, 1_000_000_000.0, -5.0]  # the clock went backwards from one to the next
    sessions = [new_session(tmp_path, lambda at=at: at) for at in clocks]
    for number, held in enumerate(sessions):
        (held.folder / "1.log").write_bytes(b"x")
        os.utime(held.folder / "1.log", (3_000_000_000 + number, 3_000_000_000 + number))
        held.release()
    found = left_behind(tmp_path)
    assert [held.id for held in found] == [held.id for held in reversed(sessions)]
    for held in found:
        held.remove()


def test_litter_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "20200101-000000-1-aaaa.lock").touch()
    going = tmp_path / "20200101-000000-1-bbbb.going"
    going.mkdir()
    (going / "1.log").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("somebody's own")
    assert left_behind(tmp_path) == []
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.log").write_bytes(b"mine")
    root = tmp_path / "journal"
    root.mkdir()
    (root / "20200101-000000-1-aaaa").symlink_to(elsewhere)
    assert left_behind(root) == []
    assert (elsewhere / "1.log").read_bytes() == b"mine"


def test_one_that_nothing_can_be_made_of_is_set_aside(tmp_path: Path) -> None:
    held = new_session(tmp_path)
    (held.folder / "1.log").write_bytes(b"x")
    held.set_aside()
    assert left_behind(tmp_path) == []
    assert os.listdir(tmp_path) == [f"{held.id}.damaged"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|directory"):
        new_session(tmp_path / "file")
    assert left_behind(tmp_path / "nowhere") == []

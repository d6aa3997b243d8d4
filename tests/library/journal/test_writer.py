"""The journal as a whole: what is put in is read again, whatever becomes of the disk meanwhile."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.geometry import Rect
from app.library.journal import store
from app.library.journal.entries import Adopted, Began, Forgot, Moved, Stepped, Told
from app.library.journal.folders import left_behind
from app.library.journal.reader import Fetcher, JournalError, read_session
from app.library.journal.store import Trouble
from app.library.journal.tiles import joined_array
from app.library.journal.writer import JournalWriter
from tests.library.journal.writing import Planes, assert_tells, only_session, read, shot

RANDOM = np.random.default_rng(1)


def noise(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, np.uint8)


class Session:
    """A writer, and what it should have written."""

    def __init__(self, *roots: Path, **options: Any) -> None:
        self.troubles: list[Trouble | None] = []
        self.asked = threading.Event()
        self.roots = roots
        self.writer = JournalWriter(roots, self.troubles.append, self.asked.set, **options)
        self.now: Planes = {"picture": noise(300, 520, 3), "mask": np.zeros((300, 520), np.uint8)}
        self.states = [self._copy()]
        self.writer.put(Began(0, shot(self.now)))

    def step(self) -> None:
        """A box of the mask and one of the picture change."""
        box = Rect(int(RANDOM.integers(0, 400)), int(RANDOM.integers(0, 200)), 100, 60)
        self.now["mask"][box.slices] = RANDOM.integers(1, 256)
        self.now["picture"][box.slices] = noise(60, 100, 3)
        self.states.append(self._copy())
        self.writer.put(Stepped(len(self.states) - 1, "Edit", shot(self.now, (box,))))

    def settle(self) -> None:
        assert self.writer.wait(20)

    def _copy(self) -> Planes:
        return {name: array.copy() for name, array in self.now.items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def session(root: Path) -> Iterator[Session]:
    session = Session(root)
    yield session
    session.writer.close(remove=False)


def test_every_state_is_read_again(session: Session, root: Path) -> None:
    for _ in range(5):
        session.step()
    session.settle()
    recovered = read(root)
    assert not recovered.damaged
    assert (recovered.timeline.index, recovered.timeline.texts) == (5, ["Edit"] * 5)
    assert_tells(recovered, session.states)


def test_a_step_after_undone_ones_takes_their_place(session: Session, root: Path) -> None:
    for _ in range(4):
        session.step()
    session.now = {name: array.copy() for name, array in session.states[2].items()}
    session.writer.put(Moved(2, shot(session.now)))
    session.settle()
    assert read(root).timeline.index == 2
    assert_tells(read(root), session.states)
    del session.states[3:]
    session.step()
    session.settle()
    assert_tells(read(root), session.states)


def test_a_change_that_is_no_step_belongs_to_the_state(session: Session, root: Path) -> None:
    session.step()
    session.now["mask"][:] = 9
    session.states[1]["mask"][:] = 9
    session.writer.put(Moved(1, shot(session.now, frame=[1, 2, 3, 4])))
    session.settle()
    assert_tells(read(root), session.states)
    assert read(root).timeline.now.values == {"frame": [1, 2, 3, 4]}


def test_planes_come_and_go(session: Session, root: Path) -> None:
    session.now = {"layer 1": noise(40, 50, 4), "mask": session.now["mask"]}
    session.states.append({name: array.copy() for name, array in session.now.items()})
    session.writer.put(Stepped(1, "Add", shot(session.now)))
    session.settle()
    assert_tells(read(root), session.states)


def test_forgotten_steps_are_gone(session: Session, root: Path) -> None:
    for _ in range(5):
        session.step()
    session.writer.put(Forgot(3))
    session.settle()
    assert (read(root).timeline.first, read(root).timeline.index) == (3, 5)
    assert_tells(read(root), session.states[3:])


def test_parts_and_their_arrays(session: Session, root: Path) -> None:
    arrays = (noise(300, 400, 3), RANDOM.standard_normal((2, 4, 9, 9)).astype(np.float32), noise(0, 3))
    session.writer.put(Told("queue", ["old"]))
    session.writer.put(Told("queue", {"a": [0, 1, 2]}, arrays))
    session.settle()
    part = read(root).timeline.parts["queue"]
    assert part.value == {"a": [0, 1, 2]}
    with Fetcher(read(root)) as fetch:
        found = [joined_array(array, fetch) for array in part.arrays]
    assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(found, arrays, strict=True))


def test_pixels_that_are_there_already_are_not_written_again(session: Session, root: Path) -> None:
    session.settle()
    size = read(root).size
    session.writer.put(Told("queue", [0], (session.now["picture"].copy(),)))
    session.settle()
    assert read(root).size - size < 2000


def test_what_is_no_longer_needed_is_left_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LEAST_CHECKED", 100_000)
    monkeypatch.setattr(store, "_SLICE", 50_000)
    session = Session(root)
    session.writer.put(Told("params", {"prompt": "x"}))
    for number in range(60):
        session.step()
        if number % 5 == 4:
            session.writer.put(Forgot(number - 2))
            session.settle()
    session.step()
    session.settle()
    recovered = read(root)
    assert recovered.number > 1
    assert recovered.timeline.parts["params"].value == {"prompt": "x"}
    assert_tells(recovered, session.states[recovered.timeline.first :])
    assert len(os.listdir(only_session(root))) <= 2
    session.writer.close(remove=True)


def test_over_the_budget_the_oldest_steps_are_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LEAST_CHECKED", 200_000)
    session = Session(root, budget=3_000_000)
    for _ in range(60):
        session.step()
        session.settle()
    recovered = read(root)
    assert recovered.size < 4_000_000
    assert 0 < recovered.timeline.first < 60
    assert_tells(recovered, session.states[recovered.timeline.first :])
    session.writer.close(remove=True)


def test_it_is_gone_on_with(session: Session, root: Path) -> None:
    session.step()
    session.settle()
    session.writer.close(remove=False)
    (held,) = left_behind(root)
    other = Session(root)
    other.settle()
    other.writer.put(Adopted(read_session(held.folder), held, leave=False))
    other.now, other.states = session.now, session.states
    other.step()
    other.settle()
    assert_tells(read(root), session.states)
    other.writer.close(remove=True)
    assert os.listdir(root) == []


def test_the_end_that_is_not_whole_is_written_over(session: Session, root: Path) -> None:
    session.step()
    session.settle()
    session.writer.close(remove=False)
    with (only_session(root) / "1.log").open("ab") as file:
        file.write(b"LmJ1 half a record")
    recovered = read(root)
    assert recovered.damaged
    (held,) = left_behind(root)
    other = Session(root)
    other.writer.put(Adopted(recovered, held, leave=False))
    other.now, other.states = session.now, session.states
    other.step()
    other.settle()
    assert not read(root).damaged
    assert_tells(read(root), session.states)
    other.writer.close(remove=True)


def refusing(after: int, code: int = errno.ENOSPC) -> Any:
    """``os.write`` that fails after so many bytes, until ``space`` is set."""
    write, left = os.write, [after]

    def failing(descriptor: int, data: bytes | memoryview) -> int:
        if failing.space:
            return write(descriptor, data)
        if not left[0]:
            raise OSError(code, os.strerror(code))
        count = min(left[0], len(data))
        left[0] -= count
        return write(descriptor, data[:count])

    failing.space = False
    return failing


def test_a_full_disk_without_another_place_is_waited_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_RETRY_S", 0.05)
    disk = refusing(800_000)
    monkeypatch.setattr(os, "write", disk)
    session = Session(root)
    for _ in range(10):
        session.step()
    session.settle()
    assert session.troubles == [Trouble(root, "No space left on device", None)]
    kept = read(root)
    assert not kept.damaged  # no half record is left
    disk.space = True
    session.step()
    session.settle()
    assert session.troubles[1:] == [None]
    assert_tells(read(root), session.states)
    session.writer.close(remove=True)


def test_a_disk_that_refuses_is_left_for_another(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    session = Session(root, other)
    session.step()
    session.settle()
    write, refused = os.write, os.stat(only_session(root) / "1.log").st_ino

    def failing(descriptor: int, data: bytes | memoryview) -> int:
        if os.fstat(descriptor).st_ino == refused:
            raise OSError(errno.EIO, "Input/output error")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", failing)
    for _ in range(5):
        session.step()
    session.settle()
    assert session.troubles == [Trouble(root, "Input/output error", other)]
    assert_tells(read(other), session.states)
    assert [path for path in root.iterdir() if path.is_dir()] == []
    session.writer.close(remove=True)


def test_what_waits_does_not_fill_the_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MOST_UNWRITTEN", 500_000)
    disk = refusing(0)
    monkeypatch.setattr(os, "write", disk)
    session = Session(root)
    for _ in range(30):
        session.step()
    assert session.asked.wait(20)
    disk.space = True
    session.writer.put(Began(30, shot(session.now)))
    session.states = session.states[30:]
    session.step_number = 31
    session.settle()
    newest = max((path for path in root.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime_ns)
    assert_tells(read_session(newest), session.states)
    session.writer.close(remove=True)


@pytest.mark.expects_log
def test_what_goes_wrong_inside_is_not_the_end(session: Session, root: Path) -> None:
    session.writer.put(Told("params", {"no": {1, 2}}))  # JSON holds no sets
    session.writer.put(Told("params", {}))
    assert session.asked.wait(20)
    session.writer.put(Began(0, shot(session.now)))
    session.settle()
    found = left_behind(root)
    assert len(found) == 1  # what was written before is left for the next start
    assert_tells(read_session(found[0].folder), session.states)
    found[0].remove()
    assert_tells(read(root), session.states)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="left nothing"):
        read_session(tmp_path)
    (tmp_path / "1.log").write_bytes(b"")
    with pytest.raises(JournalError, match="Nothing in the session"):
        read_session(tmp_path)


def test_a_newer_one_is_named(session: Session, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session.settle()
    monkeypatch.setattr("app.library.journal.timeline.VERSION", 0)
    with pytest.raises(JournalError, match="newer Limner"):
        read(root)

"""Disks that are full, cannot be written, or are gone: a sentence, nothing lost, and all well again afterwards."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint

from app.library.journal.folders import left_behind
from app.library.journal.reader import read_session
from tests.ui.conftest import Open, Studio
from tests.ui.test_journal import crash, looks, restore, sessions


@pytest.fixture(autouse=True)
def other_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's places, where the journal may go to, are the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    return tmp_path


@pytest.fixture
def full_disk() -> Iterator[object]:
    """Files cannot grow over some size, as if the disk were full; calling it makes room again."""
    if sys.platform == "win32":
        pytest.skip("limits of files are a matter of POSIX")
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))

    def make_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield make_room
    make_room()


def refusals(studio: Studio) -> list[str]:
    return [title for title in studio.titles if "cannot be kept" in title]


def test_a_full_disk(
    open_studio: Open,
    picture: Path,
    tmp_path: Path,
    full_disk: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.library.journal.store._RETRY_S", 0.1)
    studio = open_studio()
    studio.open(picture)
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.wait(lambda: bool(refusals(studio)))
    assert len(refusals(studio)) == 1
    studio.window.files.save(tmp_path / "saved.png")
    studio.wait(lambda: any("could not be saved" in title for title in studio.titles))
    assert not (tmp_path / "saved.png").exists()
    studio.store.update(prompt="a boat")
    studio.click("generateButton")
    studio.wait_idle()
    studio.wait(lambda: any("could not be kept in the history" in title for title in studio.titles))
    expected = looks(studio)

    full_disk()  # type: ignore[operator]
    studio.wait(lambda: not refusals(studio))
    studio.window.files.save(tmp_path / "saved.png")
    studio.wait(lambda: (tmp_path / "saved.png").exists())
    crash(studio)
    again = open_studio()
    restore(again)
    assert looks(again) == expected
    assert again.document.undo.count() == 3


def test_a_data_folder_that_cannot_be_written(
    open_studio: Open,
    picture: Path,
    data_with_model: Path,
    tmp_path: Path,
) -> None:
    (data_with_model / "journal").write_bytes(b"")  # a file where the folder should be: root may write anywhere else
    studio = open_studio()
    studio.open(picture)
    studio.wait(lambda: bool(refusals(studio)))
    notice = studio.window.notices.shown[studio.titles.index(refusals(studio)[0])]
    assert str(tmp_path / "state") in notice.text
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    expected = looks(studio)
    crash(studio)
    again = open_studio()
    restore(again)
    assert looks(again) == expected


def test_a_drive_that_is_gone(
    open_studio: Open,
    picture: Path,
    data_with_model: Path,
) -> None:
    studio = open_studio()
    studio.open(picture)
    assert studio.window.journal.wait(10)
    shutil.rmtree(data_with_model / "journal")
    (data_with_model / "journal").write_bytes(b"")
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.wait(lambda: bool(refusals(studio)))
    expected = looks(studio)
    crash(studio)
    again = open_studio()
    restore(again)
    assert looks(again) == expected
    assert again.document.undo.count() == 2


def test_a_folder_that_somebody_cleared_away(
    open_studio: Open,
    picture: Path,
    data_with_model: Path,
) -> None:
    studio = open_studio()
    studio.open(picture)
    assert studio.window.journal.wait(10)
    shutil.rmtree(data_with_model / "journal")
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.wait(lambda: len(sessions(data_with_model)) == 1)
    assert refusals(studio) == []
    crash(studio)
    again = open_studio()
    restore(again)
    assert again.document.undo.count() == 2


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_journal_never_keeps_the_window_from_opening(
    open_studio: Open,
    picture: Path,
    data_with_model: Path,
    seed: int,
) -> None:
    studio = open_studio()
    studio.open(picture)
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    crash(studio)
    (log,) = data_with_model.glob("journal/*/1.log")
    random = np.random.default_rng(seed)
    data = bytearray(log.read_bytes())
    if seed % 2:
        del data[int(random.integers(len(data))) :]
    else:
        for place in random.integers(0, len(data), 20):
            data[place] ^= int(random.integers(1, 256))
    log.write_bytes(data)
    again = open_studio()
    again.wait(lambda: not again.window.recovery.busy)
    if any(notice.choices for notice in again.window.notices.shown):
        restore(again)
    elif again.titles:
        assert "cannot be brought back" in again.titles[0]
    again.open(picture)
    again.drag(QPoint(20, 20), QPoint(200, 120))
    assert not again.document.mask_empty


def test_a_damaged_index_of_the_history(open_studio: Open, data_with_model: Path) -> None:
    studio = open_studio()
    studio.store.update(prompt="a boat")
    studio.click("generateButton")
    studio.wait_idle()
    studio.wait(lambda: not studio.desk.history.busy)
    studio.window.close()
    index = data_with_model / "history" / "index.db"
    data = bytearray(index.read_bytes())
    random = np.random.default_rng(5)
    for place in random.integers(0, len(data), 2000):
        data[place] = int(random.integers(256))
    index.write_bytes(data)
    again = open_studio()
    again.click("generateButton")
    again.wait_idle()
    again.wait(lambda: not again.desk.history.busy)
    assert len(list((data_with_model / "history").rglob("*.png"))) == 2
    assert not any("cannot be used" in title for title in again.titles)


def test_a_clock_that_goes_backwards(
    open_studio: Open,
    picture: Path,
    data_with_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [2_000_000_000.0]

    def clock() -> float:
        now[0] -= 1000.0
        return now[0]

    with monkeypatch.context() as patched:
        patched.setattr("time.time", clock)
        studio = open_studio()
        studio.open(picture)
        studio.drag(QPoint(20, 20), QPoint(200, 120))
        expected = looks(studio)
        crash(studio)
        again = open_studio()
        restore(again)
        assert looks(again) == expected
        crash(again)
    (held,) = left_behind(data_with_model / "journal")
    assert read_session(held.folder).timeline.steps == 2
    held.release()


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.6, 0.99])
def test_settings_that_are_cut_off(open_studio: Open, data_with_model: Path, part: float) -> None:
    open_studio().window.close()
    for name in ("settings.json", "settings.bak"):
        path = data_with_model / name
        if path.exists():
            data = path.read_bytes()
            path.write_bytes(data[: int(part * len(data))])
    assert open_studio().window.isVisible()


def test_a_saved_picture_is_whole_or_not_there(tmp_path: Path, full_disk: object) -> None:
    from app.core.errors import PictureError
    from app.library.saving import save_picture

    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(noise[:10, :10]).save(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(PictureError, match="could not be saved"):
        save_picture(tmp_path / "a.png", noise)
    assert (tmp_path / "a.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

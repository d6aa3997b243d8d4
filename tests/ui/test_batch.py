"""A folder of pictures is refined one after the other; what is broken is passed over and told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.request import ImageToImage
from tests.fakes import FakeBackend, painted
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture


class Folders:
    """Answers with one folder after the other."""

    def __init__(self, *folders: Path) -> None:
        self._folders = list(folders)

    def folder(self, title: str, start: Path) -> Path | None:
        return self._folders.pop(0) if self._folders else None


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    make_picture(tmp_path / "in" / "a.png", 64, 48)
    make_picture(tmp_path / "in" / "c.jpg", 96, 64)
    (tmp_path / "in" / "b.png").write_bytes(b"broken")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    return tmp_path / "in"


def begin(studio: Studio, source: Path) -> None:
    studio.window.dialogs = Folders(source, source.parent / "out")
    studio.window.actions_by_id["batch"].trigger()
    studio.choose("Start")


def test_each_is_refined_and_saved(studio: Studio, backend: FakeBackend, pictures: Path) -> None:
    make_picture(pictures.parent / "mine.png")
    studio.open(pictures.parent / "mine.png")
    studio.store.update(prompt="a calm lake", strength=0.5, seed=3, seed_locked=True)
    before = studio.document.pixels()
    studio.window.exporting.choices = studio.window.exporting.choices.__class__(folder=pictures, ending=".png")
    begin(studio, pictures)
    studio.wait(lambda: not studio.window.batch.busy)
    assert studio.titles == ["2 pictures are in “out”."]
    assert "b.png" in studio.window.notices.shown[0].details
    assert sorted(path.name for path in (pictures.parent / "out").iterdir()) == ["a.png", "c.png"]
    first, second = backend.requests
    assert (first.prompt, first.seed, first.size.width, second.size.width) == ("a calm lake", 3, 64, 96)
    assert isinstance(first.task, ImageToImage)
    written = np.asarray(Image.open(pictures.parent / "out" / "a.png"))
    np.testing.assert_array_equal(written, painted(first))
    np.testing.assert_array_equal(studio.document.pixels(), before)  # nothing of it lands on the canvas
    assert studio.desk.candidates.waiting == ()


def test_nothing_is_written_over(studio: Studio, pictures: Path) -> None:
    (pictures.parent / "out" / "a.jpg").write_bytes(b"mine")
    begin(studio, pictures)
    studio.wait(lambda: not studio.window.batch.busy)
    assert (pictures.parent / "out" / "a.jpg").read_bytes() == b"mine"
    assert (pictures.parent / "out" / "a-2.jpg").exists()


def test_it_is_cancelled(studio: Studio, backend: FakeBackend, pictures: Path) -> None:
    backend.gated = True
    begin(studio, pictures)
    studio.wait(lambda: studio.queue.running is not None)
    studio.click("noticeHelp")
    studio.wait_idle()
    assert not studio.window.batch.busy
    assert studio.titles == ["Cancelled: 0 pictures are in “out”."]
    assert list((pictures.parent / "out").iterdir()) == []


def test_an_empty_folder_is_told(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    studio.window.dialogs = Folders(tmp_path / "in", tmp_path)
    studio.window.actions_by_id["batch"].trigger()
    studio.wait(lambda: len(studio.titles) == 1)
    assert "no pictures" in studio.titles[0]

"""The history on the disk: what is kept, found, brought back, trimmed, and what survives a damaged index."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.errors import PictureError
from app.core.geometry import Size
from app.core.job import Result
from app.core.params import Intent
from app.core.request import FrameChoice, Inpaint, Request, Task, TextToImage
from app.library.history import History
from app.library.history_index import Search
from tests.fakes import result_of

IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
MASK = np.zeros((48, 64), np.uint8)
MASK[10:30, 20:40] = 255


def result(prompt: str = "a calm lake", task: Task | None = None, seed: int = 5) -> Result:
    frame = FrameChoice.WHOLE if task is None else FrameChoice.AUTO
    size = Size(64, 48)
    request = Request(prompt=prompt, model="/home/me/m", size=size, task=task or TextToImage(), seed=seed, frame=frame)
    return result_of(request, model_name="Landscapes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "Ünï 猫" / "history"


@pytest.fixture
def history(folder: Path) -> Iterator[History]:
    made = History(folder, clock=lambda: 1000.0)
    yield made
    made.close()


def reopened(history: History, folder: Path) -> History:
    history.close()
    return History(folder)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("0*.*"))


def test_a_result_is_kept_with_all_that_it_came_from(history: History) -> None:
    made = result(task=Inpaint(image=IMAGE, mask=MASK))
    entry = history.add(made)
    assert (entry.id, entry.made, entry.prompt, entry.model) == (1, 1000.0, "a calm lake", "Landscapes")
    assert entry.bytes == history.path(1).stat().st_size
    assert history.entries([1, 99]) == [entry]
    kept = history.picture(1)
    recipe = kept.recipe
    np.testing.assert_array_equal(kept.pixels, made.image)
    assert recipe is not None
    np.testing.assert_array_equal(recipe.source, IMAGE)
    np.testing.assert_array_equal(recipe.mask, MASK)
    assert recipe.values["intent"] is Intent.INPAINT
    assert recipe.exact


def test_thumbnails_are_small_and_made_anew(history: History) -> None:
    history.add(result())
    small = history.thumbnail(1)
    assert small is not None
    assert small.startswith(b"\xff\xd8")
    thumb = history.path(1).with_suffix(".jpg")
    thumb.unlink()
    assert history.thumbnail(1) == small
    assert thumb.exists()
    assert history.thumbnail(2) is None


def test_everything_is_there_the_next_time(history: History, folder: Path) -> None:
    for number in range(3):
        history.add(result(f"lake {number}"))
    history.star(2, True)
    before = history.entries([1, 2, 3])
    again = reopened(history, folder)
    assert again.entries([1, 2, 3]) == before
    assert again.add(result()).id == 4
    again.close()


def test_an_index_that_is_gone_is_made_from_the_files(history: History, folder: Path) -> None:
    for number in range(5):
        history.add(result(f"lake {number}", seed=2**40 + number))
    history.add(result("red", Inpaint(image=IMAGE, mask=MASK)))
    history.star(2, True)
    before = [vars(entry) | {"made": 0} for entry in history.entries(range(1, 7))]
    history.close()
    for path in folder.glob("index.db*"):
        path.unlink()
    again = History(folder)
    assert [vars(entry) | {"made": 0} for entry in again.entries(range(1, 7))] == before
    assert list(again.find(Search(words="lake", starred=True))) == [2]
    assert again.add(result()).id == 7
    again.close()


@pytest.mark.parametrize("damage", ["empty", "noise", "cut", "header", "newer"])
def test_a_damaged_index_is_put_aside_and_made_anew(history: History, folder: Path, damage: str) -> None:
    for number in range(30):
        history.add(result(f"lake {number} " + "x" * 500))
    history.close()
    index = folder / "index.db"
    data = bytearray(index.read_bytes())
    match damage:
        case "empty":
            data = bytearray()
        case "noise":
            data[4096:12000] = random.Random(1).randbytes(12000 - 4096)
        case "cut":
            del data[len(data) // 2 :]
        case "header":
            data[:16] = b"not a database!!"
        case "newer":
            data[60:64] = (99).to_bytes(4, "big")  # user_version
    index.write_bytes(data)
    again = History(folder)
    again.check()
    assert list(again.find(Search(words="lake"))) == list(range(30, 0, -1))
    again.close()


def test_an_index_that_is_damaged_meanwhile_is_made_anew(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.add(result())
    find, failures = history._base.find, [sqlite3.DatabaseError("database disk image is malformed")]

    def failing(search: Search):  # type: ignore[no-untyped-def]
        if failures:
            raise failures.pop()
        return find(search)

    monkeypatch.setattr(history._base, "find", failing)
    assert list(history.find(Search())) == [1]


def test_a_picture_that_was_written_and_not_yet_indexed_is_taken_in(history: History, folder: Path) -> None:
    history.add(result())
    history.add(result("never indexed"))
    history._base.remove([2])
    again = reopened(history, folder)
    assert list(again.find(Search(words="never"))) == [2]
    again.close()


def test_a_picture_is_known_again_among_others_of_its_settings(history: History) -> None:
    dark = replace(result(), image=np.zeros_like(result().image))
    first, second = history.add(result()), history.add(dark)
    history.add(result(seed=6))
    assert history.number_of(dark) == second.id
    assert history.number_of(result()) == first.id
    assert history.number_of(replace(result(), image=np.full_like(dark.image, 9))) is None
    history.path(second.id).write_bytes(b"no picture")
    assert history.number_of(dark) is None


def test_foreign_files_in_the_folder_do_no_harm(history: History, folder: Path) -> None:
    history.add(result())
    (folder / "000" / "000000009.png").write_bytes(b"no picture")
    (folder / "000" / "notes.png").write_bytes(b"")
    Image.fromarray(IMAGE).save(folder / "000" / "000000010.png")  # a picture that tells nothing
    (folder / "more").mkdir()
    again = reopened(history, folder)
    assert list(again.find(Search())) == [10, 1]
    again.close()


def test_removing_and_thinking_better_of_it(history: History, folder: Path) -> None:
    for number in range(3):
        history.add(result(f"lake {number}"))
    history.star(2, True)
    history.remove([2])
    assert list(history.find(Search())) == [3, 1]
    history.restore([2])
    assert list(history.find(Search(starred=True))) == [2]
    history.remove([1])
    again = reopened(history, folder)  # now it is too late
    assert not (folder / "trash" / "000000001.png").exists()
    assert list(again.find(Search())) == [3, 2]
    again.close()


def test_the_budget_is_kept_and_stars_with_it(history: History, folder: Path) -> None:
    for number in range(10):
        history.add(result(f"lake {number}", Inpaint(image=IMAGE, mask=MASK)))
    history.star(1, True)
    whole = history.usage().bytes
    assert history.trim(whole) == 0
    assert history.trim(whole // 2) > 0
    left = list(history.find(Search()))
    assert history.usage().bytes <= whole // 2
    assert left == sorted(left, reverse=True)
    assert left[0] == 10
    assert left[-1] == 1
    assert {name[:9] for name in files(folder)} == {f"{id:09}" for id in left}


def test_what_cannot_be_written_is_told_and_leaves_nothing(history: History, folder: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows sets no such limits")
    history.add(result())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = result_of(result().request, image=np.random.default_rng(2).integers(0, 256, (512, 512, 3), np.uint8))
    for room, words in ((300_000, "too large"), (1000, "index")):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(PictureError, match=words):
                history.add(noise)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files(folder) == ["000000001.jpg", "000000001.png"]
    assert history.add(result()).id > 1
    assert len(history.find(Search())) == 2


def test_a_history_in_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"."):
        History(tmp_path / "file" / "history")

"""Several pictures at once: they come one by one, are looked at in their place, and one is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.core.geometry import Rect, Size
from app.core.request import Inpaint, Request
from tests.fakes import FakeBackend, painted, result_of
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    make_picture(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def colour_of(request: Request) -> tuple[int, int, int]:
    """Another one for each seed."""
    return (request.seed * 37 % 256, request.seed * 91 % 256, 77)


@pytest.fixture(autouse=True)
def by_seed(backend: FakeBackend) -> None:
    """Pictures that tell their seeds."""
    backend.make_result = lambda request: result_of(request, painted(request, colour_of(request)))


def ask(studio: Studio, count: int = 3, seed: int = 10) -> None:
    studio.store.update(steps=2, count=count, seed=seed, seed_locked=True)
    studio.click("generateButton")
    studio.wait_idle()


def press(studio: Studio, key: Qt.Key) -> None:
    studio.window.canvas.setFocus()
    studio.key(key)


def seeds(studio: Studio) -> list[int]:
    return [candidate.result.request.seed for candidate in studio.desk.candidates.waiting]


def shown_seed(studio: Studio) -> int:
    assert studio.desk.candidates.shown is not None
    return studio.desk.candidates.shown.result.request.seed


def seen(studio: Studio) -> np.ndarray:
    """The colour in the middle of the canvas."""
    canvas = studio.window.canvas
    colour = canvas.grab().toImage().pixelColor(canvas.rect().center() * canvas.devicePixelRatioF())
    return np.array([colour.red(), colour.green(), colour.blue()])


def seen_is(studio: Studio, request_seed: int) -> bool:
    expected = np.array([request_seed * 37 % 256, request_seed * 91 % 256, 77])
    return bool(np.abs(seen(studio).astype(int) - expected).max() <= 2)


def test_one_picture_is_taken_at_once_as_ever(studio: Studio) -> None:
    ask(studio, count=1)
    assert studio.document.has_picture
    assert studio.document.undo.count() == 1
    assert not studio.find("candidateStrip").isVisible()


def test_several_wait_and_the_first_is_shown_in_its_place(studio: Studio, backend: FakeBackend) -> None:
    ask(studio)
    assert backend.requests[-1].count == 3
    assert seeds(studio) == [10, 11, 12]
    assert studio.find("candidateStrip").isVisible()
    assert studio.find("candidateList").count() == 3
    assert studio.find("candidateCount").text() == "1 of 3"
    assert not studio.document.has_picture
    assert not studio.window.empty_state.isVisible()
    assert seen_is(studio, 10)


def test_keys_go_forth_and_back_around_the_ends(studio: Studio) -> None:
    ask(studio)
    shown = []
    for key in (Qt.Key.Key_Period, Qt.Key.Key_Period, Qt.Key.Key_Period, Qt.Key.Key_Comma):
        press(studio, key)
        shown.append(shown_seed(studio))
    assert shown == [11, 12, 10, 12]
    assert seen_is(studio, 12)
    assert studio.find("candidateList").currentRow() == 2


def test_a_click_shows_a_candidate(studio: Studio) -> None:
    ask(studio)
    strip = studio.find("candidateList")
    box = strip.visualItemRect(strip.item(1))
    studio.qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert shown_seed(studio) == 11


def test_accepting_is_one_step(studio: Studio) -> None:
    ask(studio)
    press(studio, Qt.Key.Key_Period)
    press(studio, Qt.Key.Key_A)
    assert (studio.document.pixels() == (11 * 37 % 256, 11 * 91 % 256, 77)).all()
    assert studio.document.undo.count() == 1
    assert studio.store.params.seed == 11
    assert not studio.find("candidateStrip").isVisible()
    assert studio.find("hintLabel").text() == "The other 2 are in the history."
    studio.document.undo.undo()
    assert not studio.document.has_picture


def test_all_are_in_the_history_whatever_is_chosen(studio: Studio) -> None:
    ask(studio)
    press(studio, Qt.Key.Key_Escape)
    assert seeds(studio) == []
    assert not studio.document.has_picture
    found: list[int] = []
    from app.library.history_index import Search

    studio.desk.history.find(Search(), found.extend)
    studio.wait(lambda: not studio.desk.history.busy)
    assert len(found) == 3


def test_discarding_one_by_one(studio: Studio) -> None:
    ask(studio)
    press(studio, Qt.Key.Key_Period)
    press(studio, Qt.Key.Key_D)
    assert seeds(studio) == [10, 12]
    assert shown_seed(studio) == 12
    press(studio, Qt.Key.Key_D)
    assert shown_seed(studio) == 10
    press(studio, Qt.Key.Key_D)
    assert not studio.find("candidateStrip").isVisible()
    assert studio.window.empty_state.isVisible()


def test_the_picture_from_before_is_one_key_away(studio: Studio, photo: Path) -> None:
    studio.open(photo)
    ask(studio)
    assert np.array_equal(studio.document.pixels()[32, 48], [127, 127, 80])
    candidate = seen(studio)
    press(studio, Qt.Key.Key_C)
    assert np.abs(seen(studio).astype(int) - [127, 127, 80]).max() <= 6
    assert studio.find("candidateCount").text() == "before"
    press(studio, Qt.Key.Key_C)
    assert np.array_equal(seen(studio), candidate)


def test_a_star_goes_into_the_history(studio: Studio) -> None:
    from app.library.history_index import Search

    ask(studio)
    press(studio, Qt.Key.Key_Period)
    press(studio, Qt.Key.Key_S)
    studio.wait(lambda: not studio.desk.history.busy)
    found: list[int] = []
    studio.desk.history.find(Search(starred=True), found.extend)
    studio.wait(lambda: len(found) == 1)
    entries: list[object] = []
    studio.desk.history.look_at(found, entries.extend)
    studio.wait(lambda: bool(entries))
    assert entries[0][0].seed == 11  # type: ignore[index]


def test_more_like_it_has_other_seeds_and_all_else_the_same(studio: Studio, backend: FakeBackend) -> None:
    ask(studio)
    press(studio, Qt.Key.Key_Period)
    studio.click("candidate_moreButton")
    studio.wait_idle()
    again = backend.requests[-1]
    assert again.seed not in (10, 11, 12)
    assert replace(again, seed=10) == backend.requests[0]
    assert len(seeds(studio)) == 6
    assert shown_seed(studio) == 11  # what one looks at stays


def test_candidates_come_one_by_one_and_stay_when_the_rest_is_cancelled(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    studio.store.update(steps=2, count=3, seed=10, seed_locked=True)
    studio.click("generateButton")
    backend.release(3)
    studio.wait(lambda: len(seeds(studio)) == 1)
    assert studio.queue.current is not None
    press(studio, Qt.Key.Key_Escape)
    studio.wait_idle()
    assert seeds(studio) == [10]
    assert seen_is(studio, 10)


def test_one_picture_joins_those_that_wait(studio: Studio) -> None:
    ask(studio, count=2)
    ask(studio, count=1, seed=50)
    assert seeds(studio) == [10, 11, 50]
    assert not studio.document.has_picture


def test_inpainted_candidates_keep_the_rest_to_the_pixel(studio: Studio, backend: FakeBackend, photo: Path) -> None:
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    before = studio.document.pixels()
    ask(studio)
    task = backend.requests[-1].task
    assert isinstance(task, Inpaint)
    assert np.array_equal(studio.document.pixels(), before)
    press(studio, Qt.Key.Key_A)
    after = studio.document.pixels()
    assert (after != before).any()
    assert np.array_equal(after[task.mask == 0], before[task.mask == 0])
    studio.document.undo.undo()
    assert np.array_equal(studio.document.pixels(), before)


def test_another_picture_puts_them_away(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    ask(studio)
    make_picture(tmp_path / "other.png", 32, 32)
    studio.open(tmp_path / "other.png")
    assert seeds(studio) == []
    assert not studio.find("candidateStrip").isVisible()


def test_those_of_a_picture_that_is_no_longer_open_are_held(
    studio: Studio, backend: FakeBackend, photo: Path, tmp_path: Path
) -> None:
    studio.open(photo)
    backend.gated = True
    studio.store.update(steps=2, count=2)
    studio.click("generateButton")
    make_picture(tmp_path / "other.png", 32, 32)
    studio.open(tmp_path / "other.png")
    backend.release(4)
    studio.wait_idle()
    assert seeds(studio) == []
    assert "2 pictures are finished" in studio.titles[0]


def test_without_candidates_the_keys_do_nothing(studio: Studio) -> None:
    for id in ("accept", "discard", "next", "previous", "star", "before", "more"):
        assert not studio.window.actions_by_id[f"candidate_{id}"].isEnabled()
    for key in (Qt.Key.Key_A, Qt.Key.Key_D, Qt.Key.Key_S, Qt.Key.Key_C, Qt.Key.Key_Period):
        press(studio, key)
    assert studio.document.undo.count() == 0


def test_letters_can_be_typed_while_candidates_wait(studio: Studio) -> None:
    ask(studio)
    prompt = studio.find("promptEdit")
    prompt.setFocus()
    studio.qtbot.keyClicks(prompt, "a sad cat, .")
    assert studio.store.params.prompt == "a sad cat, ."
    assert len(seeds(studio)) == 3


def test_how_many_outlives_the_window(open_studio: Open) -> None:
    studio = open_studio()
    studio.click("moreButton")
    studio.find("countSpin").setValue(4)
    studio.window.close()
    assert open_studio().store.params.count == 4


def test_a_new_picture_of_another_size_is_shown_whole(studio: Studio) -> None:
    studio.store.update(size=Size(192, 64))
    ask(studio)
    preview = studio.desk.candidates.preview
    assert preview is not None
    assert preview.box == Rect(0, 0, 192, 64)
    press(studio, Qt.Key.Key_A)
    assert studio.document.size == Size(192, 64)

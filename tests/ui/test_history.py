"""The history panel: every result is kept, found, starred, taken out, and taken up again."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.core.job import Result
from app.core.request import Request
from app.library.history import History
from app.library.history_index import Search
from app.library.pictures import load_picture
from tests.fakes import FakeBackend, result_of
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    make_picture(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture(autouse=True)
def named(backend: FakeBackend) -> None:
    """Results that name the model which the studio has."""
    backend.make_result = lambda request: result_of(request, model_name="Own", more=_more(request))


def _more(request: Request) -> tuple[Result, ...]:
    return tuple(result_of(request.alone(number), model_name="Own") for number in range(1, request.count))


def paint(studio: Studio, *prompts: str) -> None:
    for prompt in prompts:
        studio.store.update(prompt=prompt, steps=2)
        studio.click("generateButton")
        studio.wait_idle()
    studio.wait(lambda: not studio.desk.history.busy)


def unfold(studio: Studio) -> None:
    studio.click("historyButton")
    settle(studio)


def settle(studio: Studio) -> None:
    """Until all that was asked for is there."""
    view = studio.find("historyView")
    studio.wait(lambda: not studio.desk.history.busy)
    if view.model().rowCount():
        studio.wait(lambda: view.model().entry(view.currentIndex()) is not None)
    studio.wait(lambda: not studio.desk.history.busy)


def prompts(studio: Studio) -> list[str]:
    """Of what is shown, in its order."""
    model = studio.find("historyView").model()
    found: list[str] = []
    studio.desk.history.look_at(
        [model.id(model.index(row)) for row in range(model.rowCount())],
        lambda entries: found.extend(entry.prompt for entry, _ in entries),
    )
    studio.wait(lambda: not studio.desk.history.busy)
    return found


def choose(studio: Studio, row: int) -> None:
    view = studio.find("historyView")
    view.setCurrentIndex(view.model().index(row))
    settle(studio)


def test_results_are_kept_also_while_nobody_looks(studio: Studio) -> None:
    assert studio.desk.history.path(1) is None  # nothing was opened so far
    paint(studio, "lake", "hills")
    unfold(studio)
    assert prompts(studio) == ["hills", "lake"]
    assert studio.find("historyUsage").text().startswith("2 pictures · ")
    paint(studio, "dunes")
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 3)


def test_an_empty_history_says_what_it_is_for(studio: Studio) -> None:
    unfold(studio)
    assert studio.find("historyEmpty").text() == "What you paint from now on is kept here."
    assert not studio.find("historyView").isVisible()
    assert not studio.find("historyShow").isEnabled()


def test_it_is_there_the_next_time_and_so_is_the_fold(open_studio: Open) -> None:
    studio = open_studio()
    paint(studio, "lake")
    unfold(studio)
    studio.window.close()
    again = open_studio()
    assert again.find("historyContent").isVisible()
    settle(again)
    assert prompts(again) == ["lake"]


def test_a_result_that_arrives_as_the_window_closes_is_kept(open_studio: Open, data_with_model: Path) -> None:
    studio = open_studio()
    held = threading.Event()
    studio.desk.history._background.run(held.wait, lambda _: None, lambda _: None)
    studio.store.update(steps=2)
    studio.click("generateButton")
    studio.wait_idle()
    threading.Timer(0.2, held.set).start()
    studio.window.close()
    history = History(data_with_model / "history")
    assert len(history.find(Search())) == 1
    history.close()


def test_searching_words_and_stars(studio: Studio) -> None:
    paint(studio, "a calm lake", "red hills", "a lake at dusk")
    unfold(studio)
    studio.qtbot.keyClicks(studio.find("historyWords"), "lak")
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 2)
    settle(studio)
    assert prompts(studio) == ["a lake at dusk", "a calm lake"]
    choose(studio, 1)
    studio.click("historyStar")
    settle(studio)
    studio.click("historyStarred")
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 1)
    settle(studio)
    assert prompts(studio) == ["a calm lake"]
    studio.find("historyWords").setText("nowhere")
    studio.wait(lambda: studio.find("historyEmpty").isVisible())
    assert studio.find("historyEmpty").text() == "Nothing like that was found."


def test_a_time_can_be_chosen(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(studio, "lake")
    unfold(studio)
    now = __import__("time").time()
    monkeypatch.setattr("app.ui.panels.history.time.time", lambda: now + 3 * 86_400)
    studio.find("historyTime").setCurrentIndex(1)  # within a day
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 0)
    studio.find("historyTime").setCurrentIndex(2)  # within a week
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 1)


def test_all_settings_are_taken_over(studio: Studio, backend: FakeBackend) -> None:
    paint(studio, "a calm lake")
    asked = backend.requests[-1]
    studio.store.update(prompt="else", steps=33, guidance=9.0, negative="x")
    unfold(studio)
    studio.click("historyUse")
    studio.wait(lambda: studio.store.params.prompt == "a calm lake")
    assert "same picture again" in studio.window.notices.shown[0].text
    studio.click("generateButton")
    studio.wait_idle()
    assert backend.requests[-1] == asked


def test_only_what_is_ticked_is_taken_over(studio: Studio, backend: FakeBackend) -> None:
    paint(studio, "a calm lake")
    seed = backend.requests[-1].seed
    studio.store.update(prompt="else", steps=33, seed=seed + 1, guidance=9.0)
    unfold(studio)
    studio.find("historyTickPrompt").setChecked(False)
    studio.find("historyTickSampler").setChecked(False)
    studio.click("historyUse")
    studio.wait(lambda: studio.store.params.seed == seed)
    params = studio.store.params
    assert (params.prompt, params.steps, params.guidance) == ("else", 33, backend.requests[-1].guidance)


def test_source_and_mask_come_back(studio: Studio, backend: FakeBackend, photo: Path) -> None:
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    mask = studio.document.mask_pixels()
    paint(studio, "a red boat")
    done = studio.document.pixels()
    studio.window.commands.handlers()["clear_mask"]()
    unfold(studio)
    studio.click("historySource")
    studio.wait(lambda: np.array_equal(studio.document.pixels(), load_picture(photo).pixels))
    assert np.array_equal(studio.document.mask_pixels(), mask)
    studio.click("generateButton")
    studio.wait_idle()
    assert np.array_equal(studio.document.pixels(), done)
    assert backend.requests[-1] == backend.requests[-2]


def test_an_entry_from_a_prompt_has_no_source(studio: Studio) -> None:
    paint(studio, "lake")
    unfold(studio)
    assert not studio.find("historySource").isVisible()


def test_a_picture_is_shown_and_taken_back(studio: Studio, photo: Path) -> None:
    paint(studio, "lake")
    made = studio.document.pixels()
    studio.open(photo)
    unfold(studio)
    studio.find("historyView").setFocus()
    studio.key(Qt.Key.Key_Return)
    studio.wait(lambda: np.array_equal(studio.document.pixels(), made))
    studio.document.undo.undo()
    assert np.array_equal(studio.document.pixels(), load_picture(photo).pixels)


def test_every_candidate_is_kept(studio: Studio) -> None:
    from dataclasses import replace

    request = Request(prompt="four", model="m", size=studio.store.params.size, steps=2, seed=7)
    studio.queue.submit(replace(request, count=4))
    studio.wait_idle()
    unfold(studio)
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 4)
    assert prompts(studio) == ["four"] * 4


def test_delete_takes_out_the_one_that_is_chosen_and_can_be_taken_back(studio: Studio) -> None:
    paint(studio, "one", "two", "three")
    unfold(studio)
    choose(studio, 1)
    studio.find("historyView").setFocus()
    studio.key(Qt.Key.Key_Delete)
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 2)
    assert prompts(studio) == ["three", "one"]
    studio.click("noticeHelp")
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 3)
    assert prompts(studio) == ["three", "two", "one"]


def test_the_star_key(studio: Studio) -> None:
    paint(studio, "one")
    unfold(studio)
    studio.find("historyView").setFocus()
    studio.key(Qt.Key.Key_S)
    studio.wait(lambda: studio.find("historyStar").accessibleName() == "Take the star away")


def test_dragged_out_an_entry_is_its_file(studio: Studio) -> None:
    paint(studio, "one")
    unfold(studio)
    model = studio.find("historyView").model()
    (url,) = model.mimeData([model.index(0)]).urls()
    assert np.array_equal(load_picture(Path(url.toLocalFile())).pixels, studio.document.pixels())


def test_housekeeping_says_what_it_did(studio: Studio) -> None:
    paint(studio, "one", "two")
    unfold(studio)
    studio.desk.history.set_budget(1)
    studio.wait(lambda: studio.find("historyView").model().rowCount() == 0)
    assert any("2 oldest pictures were deleted" in title for title in studio.titles)


def test_the_budget_outlives_the_window(open_studio: Open) -> None:
    studio = open_studio()
    menu = studio.find("historyMore").menu()
    next(action for action in menu.actions() if action.text() == "5 GB").trigger()
    studio.window.close()
    assert open_studio().desk.history.budget == 5_000_000_000


def test_a_history_that_cannot_be_written_is_told_once_and_costs_no_picture(
    open_studio: Open, data_with_model: Path
) -> None:
    (data_with_model / "history").write_bytes(b"in the way")
    studio = open_studio()
    paint(studio, "lake")
    assert studio.document.has_picture
    assert len(studio.titles) == 1
    assert studio.titles[0].startswith("The history cannot be used")
    paint(studio, "hills")
    assert studio.titles == []


def test_nothing_of_it_is_done_on_the_windows_thread(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    for name in ("add", "find", "entries", "thumbnail", "usage", "trim", "picture"):
        original = getattr(History, name)

        def noting(self, *rest, original=original):  # type: ignore[no-untyped-def]
            threads.add(threading.current_thread())
            return original(self, *rest)

        monkeypatch.setattr(History, name, noting)
    paint(studio, "lake")
    unfold(studio)
    studio.click("historyUse")
    studio.wait(lambda: not studio.desk.history.busy)
    assert threads
    assert threading.main_thread() not in threads


def test_memory_stays_flat_however_far_one_scrolls(studio: Studio) -> None:
    from app.ui import history as module
    from app.ui.history import HistoryModel

    paint(studio, *(f"picture {number}" for number in range(12)))
    model = HistoryModel(studio.desk.history, studio.window)
    model.look_for(Search())
    studio.wait(lambda: model.rowCount() == 12)
    most, module._MOST_SHOWN = module._MOST_SHOWN, 5
    try:
        for row in range(12):
            model.data(model.index(row), Qt.ItemDataRole.DecorationRole)
            studio.wait(lambda row=row: model.entry(model.index(row)) is not None)
        assert len(model._known) == 5
    finally:
        module._MOST_SHOWN = most

"""The journal in the window: what was done is there again after a program that ended badly."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage

from app.core.geometry import Rect
from app.core.grid import make_grid, read_axis
from app.core.job import Purpose
from app.document import images
from app.document.commands import SetFrame
from app.document.layer_commands import ChangeLayers, PaintLayer, added, changed, paint_layer
from app.document.layers import Layer
from app.document.snapshot import snapshot
from app.document.tiles import TileEdit
from app.library.history_index import Entry, Search
from app.ui.notices import Notice
from app.ui.sheet import SheetDialog
from tests.fakes import FakeBackend, painted, result_of
from tests.ui.conftest import Open, Studio

TITLE = "Limner closed unexpectedly."
MEANWHILE = "Limner was closed while pictures waited to be painted."


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (300, 520, 3), np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(noise).save(path)
    return path


def crash(studio: Studio) -> None:
    """Leave the journal as a killed program would: nothing is said to it any more."""
    assert studio.window.journal.wait(10)
    studio.window.journal.stop(remove=False)
    studio.window.close()


def card(studio: Studio) -> Notice:
    studio.wait(lambda: TITLE in studio.titles)
    return next(notice for notice in studio.window.notices.shown if notice.title == TITLE)


def choose(studio: Studio, label: str) -> None:
    choices = card(studio).choices
    studio.click(f"noticeChoice{[choice.label for choice in choices].index(label)}")


def restore(studio: Studio) -> None:
    choose(studio, "Restore")
    studio.wait(lambda: not studio.window.recovery.busy)


def looks(studio: Studio) -> tuple[bytes, bytes, object]:
    document = studio.document
    return document.pixels().tobytes(), document.mask_pixels().tobytes(), document.frame


def sessions(data: Path) -> list[Path]:
    return [path for path in (data / "journal").iterdir() if path.is_dir()] if (data / "journal").exists() else []


def test_a_session_comes_back_with_every_step(open_studio: Open, picture: Path) -> None:
    studio = open_studio()
    studio.open(picture)
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.document.undo.push(SetFrame(studio.document, Rect(8, 16, 128, 64)))
    studio.drag(QPoint(300, 50), QPoint(400, 250))
    studio.document.undo.undo()
    studio.store.update(prompt="a red house", seed=77, steps=31)
    count, index = studio.document.undo.count(), studio.document.undo.index()
    expected = {}
    for number in range(count + 1):
        studio.document.undo.setIndex(number)
        expected[number] = looks(studio)
    studio.document.undo.setIndex(index)
    texts = [studio.document.undo.text(number) for number in range(count)]
    crash(studio)

    again = open_studio()
    assert "photo.png" in card(again).text
    restore(again)
    undo = again.document.undo
    assert (undo.count(), undo.index()) == (count, index)
    assert [undo.text(number) for number in range(count)] == texts
    assert looks(again) == expected[index]
    assert again.window.windowTitle().startswith("photo.png")
    assert again.window.files.unsaved
    for number in [*range(count + 1), *reversed(range(count + 1))]:
        undo.setIndex(number)
        assert looks(again) == expected[number]
    assert (again.store.params.prompt, again.store.params.seed, again.store.params.steps) == ("a red house", 77, 31)


def stack(studio: Studio) -> list[tuple[object, ...]]:
    def pixels(layer: Layer) -> bytes:
        return images.layer_part(layer.image, layer.image.rect()).tobytes()

    layers = studio.document.layers
    return [(it.name, it.kind, it.box, it.opacity, it.visible, pixels(it)) for it in layers]


def test_layers_come_back_with_every_step(open_studio: Open, picture: Path) -> None:
    studio = open_studio()
    document = studio.document
    studio.open(picture)
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.click("generateButton")  # a result, which becomes a layer
    studio.wait(lambda: len(document.layers) == 2)
    top = document.layers[1].id
    document.undo.push(ChangeLayers(document, changed(document.layers, top, opacity=0.5, x=30), top, "Fade"))
    box = QRect(3, 4, 20, 10)
    before = images.layer_part(document.layers[1].image, box)
    document.undo.push(PaintLayer(document, document.layers[1], [TileEdit(box, before, 255 - before)]))
    document.undo.push(ChangeLayers(document, added(document, new := paint_layer(document)), new.id, "Add layer"))
    document.undo.undo()
    count, index = document.undo.count(), document.undo.index()
    expected = {}
    for number in range(count + 1):
        document.undo.setIndex(number)
        expected[number] = (looks(studio), stack(studio))
    document.undo.setIndex(index)
    crash(studio)

    again = open_studio()
    restore(again)
    assert (looks(again), stack(again)) == expected[index]
    for number in [*reversed(range(count + 1)), *range(count + 1)]:
        again.document.undo.setIndex(number)
        assert (looks(again), stack(again)) == expected[number]
    fresh = paint_layer(again.document)
    assert fresh.id not in {layer.id for layer in again.document.layers}


def test_what_was_restored_can_be_restored_again(open_studio: Open, picture: Path, data_with_model: Path) -> None:
    studio = open_studio()
    studio.open(picture)
    crash(studio)
    again = open_studio()
    restore(again)
    again.drag(QPoint(20, 20), QPoint(200, 120))
    expected = looks(again)
    crash(again)
    assert len(sessions(data_with_model)) == 1
    third = open_studio()
    restore(third)
    assert looks(third) == expected
    third.document.undo.undo()
    assert not third.document.mask_pixels().any()
    third.document.undo.undo()
    assert not third.document.has_picture


def test_candidates_wait_again(open_studio: Open, picture: Path, backend: FakeBackend) -> None:
    studio = open_studio()
    studio.open(picture)
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.store.update(count=3, prompt="a boat")
    studio.click("generateButton")
    studio.wait_idle()
    studio.desk.candidates.show(2)
    studio.desk.candidates.star()
    before = studio.desk.candidates.waiting
    assert len(before) == 3
    crash(studio)

    again = open_studio()
    restore(again)
    after = again.desk.candidates.waiting
    assert [one.result.request for one in after] == [one.result.request for one in before]
    assert all(np.array_equal(a.result.image, b.result.image) for a, b in zip(after, before, strict=True))
    assert [one.starred for one in after] == [False, False, True]
    assert again.desk.candidates.number == 2
    again.window.commands.accept_candidate()
    assert np.array_equal(again.document.pixels(), before[2].result.image)


def starred(studio: Studio) -> list[int]:
    """Seeds of the entries that have a star."""
    studio.wait(lambda: not studio.desk.history.busy)
    found: list[array[int]] = []
    studio.desk.history.find(Search(starred=True), found.append)
    studio.wait(lambda: bool(found))
    seen: list[tuple[Entry, QImage]] = []
    studio.desk.history.look_at(found[0], seen.extend)
    studio.wait(lambda: len(seen) == len(found[0]))
    return [entry.seed for entry, _ in seen]


def test_a_star_of_a_candidate_from_before_reaches_the_history(open_studio: Open, data_with_model: Path) -> None:
    studio = open_studio()
    studio.store.update(count=3, seed=11, seed_locked=True)
    studio.click("generateButton")
    studio.wait_idle()
    studio.desk.candidates.show(2)
    studio.window.commands.star_candidate()
    assert starred(studio) == [13]
    crash(studio)

    again = open_studio()
    restore(again)
    again.window.commands.star_candidate()
    assert starred(again) == []
    again.desk.candidates.show(1)
    again.window.commands.star_candidate()
    assert starred(again) == [12]
    entries = sorted((data_with_model / "history").rglob("*.png"))
    assert len(entries) == 3
    entries[0].unlink()  # the program ended before it was written
    again.desk.candidates.show(0)
    again.window.commands.star_candidate()
    assert sorted(starred(again)) == [11, 12]
    assert len(list((data_with_model / "history").rglob("*.png"))) == 3


def test_jobs_that_waited_are_offered_and_not_begun(open_studio: Open, backend: FakeBackend) -> None:
    studio = open_studio()
    backend.gated = True
    studio.store.update(prompt="one", seed_locked=True, seed=5)
    studio.click("generateButton")
    studio.store.update(prompt="two")
    studio.window.painting.submit()
    studio.wait(lambda: studio.queue.running is not None)
    crash(studio)
    asked = len(backend.requests)
    backend.gated = False

    again = open_studio()
    restore(again)
    assert "2 pictures wait to be painted; the queue is paused." in again.titles
    assert again.queue.running is None
    assert [job.request.prompt for job in again.queue.waiting] == ["one", "two"]
    assert len(backend.requests) == asked
    again.click("noticeChoice0")
    again.wait_idle()
    assert [request.prompt for request in backend.requests[asked:]] == ["one", "two"]


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot
def test_a_grid_comes_back_with_what_was_painted_of_it(
    open_studio: Open, picture: Path, backend: FakeBackend, data_with_model: Path
) -> None:
    backend.make_result = lambda request: result_of(request, painted(request, (request.steps, request.seed, 0)))
    studio = open_studio()
    studio.open(picture)
    studio.drag(QPoint(20, 20), QPoint(200, 120))
    studio.store.update(prompt="a boat", seed=5, steps=2)
    request = snapshot(studio.document, studio.store.params)
    backend.gated = True
    grid = make_grid(request, read_axis("steps", "2, 3, 4"), read_axis("seed", "5, 6"))
    run = studio.window.grids.paint(grid)
    backend.release(2 + 3)
    studio.wait(lambda: len(run.pictures) == 2)
    other = studio.window.grids.paint(make_grid(request, read_axis("steps", "7"), None))
    sheets = studio.window.findChildren(SheetDialog)
    sheets[1].close()  # it is not wanted any more
    assert other not in studio.window.grids.runs
    before = {place: result.image for place, (_, result) in run.pictures.items()}
    crash(studio)
    backend.gated = False

    again = open_studio()
    assert "2 grid pictures" in card(again).text
    restore(again)
    (back,) = again.window.grids.runs
    assert back.grid.cells == grid.cells
    assert {place: result.image.tobytes() for place, (_, result) in back.pictures.items()} == {
        place: image.tobytes() for place, image in before.items()
    }
    assert (back.left, back.failures) == (4, {})
    assert "4 pictures wait to be painted; the queue is paused." in again.titles
    assert again.queue.running is None
    again.choose("Paint")
    again.wait(lambda: len(back.pictures) == 6)
    assert back.pick((0, 1))
    shown = again.desk.candidates.shown
    assert shown is not None
    assert np.array_equal(shown.result.image, before[0, 1])
    crash(again)

    third = open_studio()
    restore(third)
    (whole,) = third.window.grids.runs
    assert (len(whole.pictures), whole.left) == (6, 0)
    assert not third.queue.paused
    third.window.findChild(SheetDialog).close()
    third.wait(lambda: not third.window.grids.runs)
    crash(third)
    fourth = open_studio()
    restore(fourth)
    assert fourth.window.grids.runs == ()


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_a_grid_that_is_closed_with_the_window_is_offered_too(open_studio: Open, backend: FakeBackend) -> None:
    studio = open_studio()
    backend.gated = True
    request = snapshot(studio.document, studio.store.params)
    studio.window.grids.paint(make_grid(request, read_axis("steps", "2, 3"), None))
    studio.wait(lambda: studio.queue.running is not None)
    studio.window.close()
    again = open_studio()
    again.wait(lambda: MEANWHILE in again.titles)
    again.choose("Restore")
    again.wait(lambda: len(again.window.grids.runs) == 1)
    assert again.window.grids.runs[0].left == 2
    again.choose("Forget")
    again.wait(lambda: again.window.grids.runs[0].left == 0)
    assert again.queue.current is None


def test_a_window_that_is_closed_keeps_its_queue(open_studio: Open, picture: Path, backend: FakeBackend) -> None:
    studio = open_studio()
    studio.open(picture)
    expected = looks(studio)
    backend.gated = True
    for prompt in ("one", "two", "three"):
        studio.store.update(prompt=prompt)
        studio.window.painting.submit()
    studio.wait(lambda: studio.queue.running is not None)
    asked = [job.request for job in (studio.queue.running, *studio.queue.waiting)]
    studio.window.close()
    backend.gated = False

    again = open_studio()
    again.wait(lambda: MEANWHILE in again.titles)
    assert TITLE not in again.titles
    assert "3 waiting jobs" in again.window.notices.shown[0].text
    again.choose("Restore")
    again.wait(lambda: len(again.queue.waiting) == 3)
    assert [job.request for job in again.queue.waiting] == asked
    assert again.queue.paused
    assert looks(again) == expected
    crash(again)
    third = open_studio()
    third.wait(lambda: TITLE in third.titles)  # this time it was no closing
    assert MEANWHILE not in third.titles


def test_what_is_only_looked_at_is_not_kept_for_the_next_start(
    open_studio: Open, picture: Path, backend: FakeBackend, data_with_model: Path
) -> None:
    studio = open_studio()
    studio.open(picture)
    backend.gated = True
    request = snapshot(studio.document, studio.store.params)
    studio.queue.submit(request, purpose=Purpose.LIVE)
    studio.wait(lambda: studio.queue.running is not None)
    studio.window.close()
    assert sessions(data_with_model) == []


def test_a_session_that_ended_well_leaves_nothing(open_studio: Open, picture: Path, data_with_model: Path) -> None:
    studio = open_studio()
    studio.open(picture)
    assert studio.window.journal.wait(10)
    assert len(sessions(data_with_model)) == 1
    studio.window.close()
    assert sessions(data_with_model) == []
    again = open_studio()
    again.wait(lambda: not again.window.recovery.busy)
    assert again.titles == []


def test_nothing_done_nothing_offered(open_studio: Open, data_with_model: Path) -> None:
    crash(open_studio())
    again = open_studio()
    again.wait(lambda: not again.window.recovery.busy)
    assert again.titles == []


def test_later_offers_it_at_the_next_start(open_studio: Open, picture: Path) -> None:
    studio = open_studio()
    studio.open(picture)
    expected = looks(studio)
    crash(studio)
    again = open_studio()
    choose(again, "Later")
    again.window.close()
    third = open_studio()
    restore(third)
    assert looks(third) == expected


def test_discard_can_be_thought_better_of_until_the_end(
    open_studio: Open, picture: Path, data_with_model: Path
) -> None:
    studio = open_studio()
    studio.open(picture)
    crash(studio)
    again = open_studio()
    choose(again, "Discard")
    again.click("noticeHelp")
    choose(again, "Discard")
    again.window.close()
    assert sessions(data_with_model) == []


def test_what_is_open_is_not_lost_to_what_is_restored(open_studio: Open, picture: Path) -> None:
    studio = open_studio()
    studio.open(picture)
    first = looks(studio)
    crash(studio)
    again = open_studio()
    again.drag(QPoint(20, 20), QPoint(200, 120))
    second = looks(again)
    restore(again)
    assert looks(again) == first
    again.window.close()
    third = open_studio()
    restore(third)
    assert looks(third) == second


def test_two_windows_do_not_take_each_other_for_dead(open_studio: Open, picture: Path) -> None:
    one = open_studio()
    one.open(picture)
    two = open_studio()
    two.wait(lambda: not two.window.recovery.busy)
    assert two.titles == []
    two.drag(QPoint(20, 20), QPoint(200, 120))
    first, second = looks(one), looks(two)
    crash(one)
    crash(two)
    three = open_studio()
    restore(three)
    seen = [looks(three)]
    restore(three)
    seen.append(looks(three))
    assert sorted(seen, key=str) == sorted([first, second], key=str)


def test_saving_goes_on_into_the_same_file(open_studio: Open, picture: Path, tmp_path: Path) -> None:
    studio = open_studio()
    studio.open(picture)
    studio.window.projects.save(tmp_path / "mine.ora")
    studio.wait(lambda: studio.window.file_commands.own_file is not None)
    crash(studio)
    again = open_studio()
    restore(again)
    assert again.window.file_commands.named() == ("mine.ora", str(tmp_path / "mine.ora"))
    crash(again)
    (tmp_path / "mine.ora").unlink()
    third = open_studio()
    restore(third)
    assert third.window.file_commands.named() == ("mine.ora", "")

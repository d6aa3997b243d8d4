"""What a person does with the window, from the prompt to the picture, with a Backend that paints flat colours."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QWidget

from app.core.errors import UnfinishedError, UserError
from app.core.geometry import Rect, Size
from app.core.job import Backend, JobState
from app.core.params import Intent
from app.core.request import ImageToImage, Inpaint, Request, TextToImage
from app.core.trail import Branch
from app.document.snapshot import snapshot
from app.ui.status_line import working_text
from tests.fakes import COLOUR, FakeBackend, result_of, some_trail
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_a_prompt_becomes_a_picture(studio: Studio, backend: FakeBackend) -> None:
    prompt = studio.find("promptEdit")
    prompt.setFocus()
    studio.qtbot.keyClicks(prompt, "a calm lake")
    assert studio.generate_button.text() == "Generate"
    studio.click("generateButton")
    studio.wait(lambda: studio.document.has_picture)
    asked = backend.requests[0]
    assert asked.prompt == "a calm lake"
    assert isinstance(asked.task, TextToImage)
    assert asked.size == Size(128, 128)  # the model's own
    assert (studio.document.pixels() == COLOUR).all()
    assert studio.store.params.intent is Intent.GENERATE
    assert not studio.window.empty_state.isVisible()


def test_ctrl_enter_paints_from_inside_the_prompt(studio: Studio, backend: FakeBackend) -> None:
    prompt = studio.find("promptEdit")
    prompt.setFocus()
    studio.qtbot.keyClicks(prompt, "lake")
    studio.qtbot.keyClick(prompt, Qt.Key.Key_Return, CTRL)
    studio.wait(lambda: studio.document.has_picture)
    assert backend.requests[0].prompt == "lake"
    assert len(backend.requests) == 1


def test_an_example_on_the_empty_canvas_paints_itself(studio: Studio, backend: FakeBackend) -> None:
    studio.click("exampleCard1")
    studio.wait(lambda: studio.document.has_picture)
    assert backend.requests[0].prompt == "red hills"
    assert studio.find("promptEdit").toPlainText() == "red hills"


def test_a_dropped_picture_is_refined(studio: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    pixels = make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    assert studio.generate_button.text() == "Refine"
    slider = studio.find("strengthSlider")
    slider.setValue(50)
    assert studio.find("strengthSpin").value() == 0.5
    studio.click("generateButton")
    studio.wait_idle()
    task = backend.requests[0].task
    assert isinstance(task, ImageToImage)
    assert task.strength == 0.5
    assert np.array_equal(task.image, pixels)
    assert not np.array_equal(studio.document.pixels(), pixels)


def test_a_mask_is_inpainted_undone_and_redone(studio: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    pixels = make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    assert not studio.document.mask_empty
    assert studio.generate_button.text() == "Inpaint"
    studio.click("generateButton")
    studio.wait_idle()
    task = backend.requests[0].task
    assert isinstance(task, Inpaint)
    painted = studio.document.pixels()
    kept = studio.document.mask_pixels() == 0
    assert np.array_equal(painted[kept], pixels[kept])
    assert not np.array_equal(painted, pixels)
    assert not studio.document.mask_empty  # it stays
    at = studio.window.canvas.to_view(QPointF(40.5, 30.5)).toPoint()
    seen = studio.window.canvas.grab().toImage().pixelColor(at)
    assert (seen.red(), seen.green(), seen.blue()) == COLOUR, "what was painted is seen, not the mask over it"
    assert studio.find("outsideLabel").text() == "0 px changed outside the mask"
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_Z, CTRL)
    assert np.array_equal(studio.document.pixels(), pixels)
    studio.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert np.array_equal(studio.document.pixels(), painted)


def test_cancel_is_acknowledged_at_once(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    studio.click("generateButton")
    backend.release(2)
    studio.wait(lambda: studio.queue.running is not None and studio.queue.running.step == 2)
    assert studio.find("progressBar").value() == 2
    assert studio.find("progressBar").maximum() == 20
    assert studio.find("progressLabel").text().startswith("step 2 of 20")
    studio.click("cancelButton")
    assert studio.find("progressLabel").text() == "cancelling…"
    assert not studio.find("cancelButton").isEnabled()
    studio.wait_idle()
    assert backend.steps_done == 2
    assert not studio.document.has_picture
    assert studio.document.undo.count() == 0
    backend.gated = False
    studio.click("generateButton")
    studio.wait(lambda: studio.document.has_picture)


def test_two_jobs_queue_and_are_counted(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    studio.click("generateButton")
    studio.click("generateButton")
    studio.wait(lambda: studio.queue.running is not None)
    assert studio.find("progressLabel").text().endswith("· +1 waiting")
    backend.release(40)
    studio.wait_idle()
    assert len(backend.requests) == 2
    assert backend.requests[0].seed != backend.requests[1].seed
    assert studio.document.undo.count() == 2


def test_cancel_all_empties_the_queue(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    for _ in range(3):
        studio.click("generateButton")
    studio.wait(lambda: studio.queue.running is not None)
    next(action for action in studio.find("cancelButton").menu().actions() if action.text() == "Cancel all").trigger()
    studio.wait_idle()
    assert len(backend.requests) == 1
    assert not studio.document.has_picture


def test_the_seed_changes_with_each_job_until_it_is_locked(studio: Studio, backend: FakeBackend) -> None:
    def paint() -> int:
        studio.click("generateButton")
        studio.wait_idle()
        return backend.requests[-1].seed

    first = paint()
    assert studio.find("seedSpin").value() == first
    studio.click("moreButton")
    studio.click("seedLock")
    assert [paint(), paint()] == [first, first]
    studio.click("seedDice")
    assert paint() == studio.find("seedSpin").value() != first
    studio.click("seedLock")
    assert paint() != backend.requests[-2].seed


def test_previews_are_shown_and_gone_with_the_result(studio: Studio, backend: FakeBackend, monkeypatch) -> None:
    shown = []
    show = studio.window.canvas.show_preview
    monkeypatch.setattr(studio.window.canvas, "show_preview", lambda p, at=0.0: (shown.append((p, at)), show(p, at)))
    backend.gated = True
    studio.click("generateButton")
    for step in range(1, 21):
        backend.release()
        studio.wait(lambda step=step: (bool(shown) and shown[-1][1] == step / 20) or studio.queue.current is None)
    studio.wait_idle()
    previews = [progress for preview, progress in shown if preview is not None]
    assert previews[:19] == [step / 20 for step in range(1, 20)]
    assert shown[-1][0] is None


@pytest.mark.expects_log
@pytest.mark.parametrize(
    ("error", "title"),
    [
        (UserError("The model is damaged.", "Get it again."), "The model is damaged."),
        (RuntimeError("boom"), "Something went wrong inside Limner while painting."),
        (RuntimeError("CUDA out of memory"), "There was not enough memory to paint this."),
    ],
)
def test_a_failure_is_shown_and_the_button_works_again(
    studio: Studio, backend: FakeBackend, error: Exception, title: str
) -> None:
    backend.error = error
    studio.click("generateButton")
    studio.wait(lambda: studio.titles == [title])
    assert studio.queue.current is None
    assert not studio.document.has_picture
    assert studio.generate_button.isEnabled()
    backend.error = None
    studio.click("noticeHelp")  # Try again
    studio.wait(lambda: studio.document.has_picture)
    assert studio.titles == []


def test_notes_of_a_result_are_told_quietly(studio: Studio, backend: FakeBackend) -> None:
    backend.make_result = lambda request: result_of(request, notes=("The prompt was cut after 75 words.",))
    studio.click("generateButton")
    studio.wait(lambda: studio.document.has_picture)
    assert studio.titles == ["The prompt was cut after 75 words."]


def test_a_job_given_before_the_engine_is_ready_starts_by_itself(open_studio: Open, tmp_path: Path) -> None:
    ready = threading.Event()

    def make() -> Backend:
        ready.wait()
        return FakeBackend()

    studio = open_studio(make)
    try:
        assert studio.find("progressLabel").text() == "The engine is getting ready; paint meanwhile"
        make_picture(tmp_path / "photo.png")
        studio.open(tmp_path / "photo.png")
        studio.drag(QPoint(30, 30), QPoint(50, 30))  # painting works meanwhile
        studio.click("generateButton")
        assert studio.find("progressLabel").text() == "waiting for the engine; it starts by itself"
        count = studio.document.undo.count()
    finally:
        ready.set()
    studio.wait(lambda: studio.document.undo.count() == count + 1)
    studio.wait_idle()
    assert studio.find("progressLabel").text() == ""


@pytest.mark.expects_log
def test_an_engine_that_does_not_start_says_why_and_can_be_tried_again(open_studio: Open) -> None:
    failing = [True]

    def make() -> Backend:
        if failing[0]:
            raise ImportError("no torch here")
        return FakeBackend()

    studio = open_studio(make)
    studio.wait(lambda: studio.titles == ["The painting engine could not be started."])
    studio.click("generateButton")
    studio.wait(lambda: studio.queue.current is None and studio.titles != [])
    assert studio.titles == ["The painting engine could not be started."]
    failing[0] = False
    studio.click("generateButton")
    studio.wait(lambda: studio.document.has_picture)


def test_closing_in_the_middle_of_a_job_ends_everything(open_studio: Open, backend: FakeBackend) -> None:
    backend.gated = True
    studio = open_studio()
    studio.click("generateButton")
    studio.wait(lambda: studio.queue.running is not None)
    ended = []
    studio.queue.changed.connect(lambda job: ended.append(job.state))
    assert studio.window.close()
    assert ended[-1] is JobState.CANCELLED
    assert not studio.window.isVisible()


def test_editing_on_while_a_job_runs_changes_nothing_in_it(
    studio: Studio, backend: FakeBackend, tmp_path: Path
) -> None:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    backend.gated = True
    studio.drag(QPoint(20, 20), QPoint(30, 20))
    studio.click("generateButton")
    studio.wait(lambda: bool(backend.requests))
    task = backend.requests[0].task
    assert isinstance(task, Inpaint)
    before = task.mask.copy()
    studio.drag(QPoint(60, 50), QPoint(80, 50))
    assert np.array_equal(task.mask, before)
    backend.release(20)
    studio.wait_idle()
    assert studio.document.mask_pixels()[50, 70] > 0  # what was painted meanwhile is there


def test_without_a_model_the_button_says_what_to_do(open_studio: Open, tmp_path: Path, backend: FakeBackend) -> None:
    studio = open_studio(data=tmp_path / "empty")
    assert studio.desk.shelf.current is None
    studio.click("generateButton")
    assert studio.titles == ["There is no model to paint with yet."]
    assert backend.requests == []


def test_an_impossible_request_is_told_and_not_submitted(
    studio: Studio, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.store.update(sampler="lcm", steps=100)
    studio.click("generateButton")
    assert len(studio.titles) == 1
    assert "LCM" in studio.titles[0]
    assert studio.queue.current is None
    assert backend.requests == []


def test_the_request_holds_what_the_panels_say(studio: Studio, backend: FakeBackend) -> None:
    studio.click("moreButton")
    for name, value in (("stepsSpin", 7), ("widthSpin", 96), ("heightSpin", 80), ("guidanceSlider", 85)):
        studio.find(name).setValue(value)
    combo = studio.find("samplerCombo")
    combo.setCurrentIndex(combo.findData("euler_a"))
    studio.find("negativePromptEdit").setPlainText("fog")
    studio.click("generateButton")
    studio.wait_idle()
    asked: Request = backend.requests[0]
    assert (asked.steps, asked.size, asked.guidance, asked.sampler, asked.negative) == (
        7,
        Size(96, 80),
        8.5,
        "euler_a",
        "fog",
    )


def picture(folder: Path, name: str, width: int = 96, height: int = 64) -> Path:
    make_picture(folder / name, width, height)
    return folder / name


def test_two_new_pictures_asked_for_in_a_row_are_two_steps(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    studio.click("generateButton")
    studio.store.update(size=Size(96, 96))  # the second has another size
    studio.click("generateButton")
    backend.release(40)
    studio.wait_idle()
    assert studio.titles == []
    assert studio.document.undo.count() == 2
    assert studio.document.size == Size(96, 96)


def test_a_part_of_a_new_picture_is_repainted_behind_it(studio: Studio, backend: FakeBackend) -> None:
    studio.click("generateButton")
    studio.wait_idle()
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    backend.colour = (10, 20, 30)
    studio.click("generateButton")
    studio.click("generateButton")  # the first does not make the second homeless
    studio.wait_idle()
    assert [type(asked.task) for asked in backend.requests] == [TextToImage, Inpaint, Inpaint]
    assert studio.titles == []
    assert studio.document.undo.count() == 4
    assert tuple(studio.document.pixels()[30, 40]) == (10, 20, 30)


def test_a_part_asked_for_before_a_new_picture_came_is_not_put_into_it(
    studio: Studio, backend: FakeBackend, tmp_path: Path
) -> None:
    studio.open(picture(tmp_path, "photo.png", 128, 128))
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    backend.gated = True
    studio.store.update(intent=Intent.GENERATE)
    studio.click("generateButton")
    studio.store.update(intent=Intent.INPAINT)
    studio.click("generateButton")
    backend.release(40)
    studio.wait_idle()
    assert (studio.document.pixels() == COLOUR).all()
    assert studio.titles == ["The picture is finished, but another one is open now."]


@pytest.mark.parametrize("intent", [Intent.GENERATE, Intent.REFINE])
def test_a_result_for_a_picture_that_is_no_longer_open_is_held(
    studio: Studio, backend: FakeBackend, tmp_path: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.open(picture(tmp_path, "first.png"))
    backend.gated = True
    studio.store.update(intent=intent, size=Size(64, 64))
    studio.click("generateButton")
    backend.release(2)
    studio.wait(lambda: studio.queue.running is not None and studio.queue.running.step == 2)
    make_picture(tmp_path / "other.png")
    shown = []
    studio.window.canvas.show_preview(None)
    monkeypatch.setattr(studio.window.canvas, "show_preview", lambda preview, at=0.0: shown.append(preview))
    studio.open(tmp_path / "other.png")
    other = studio.document.pixels()
    assert shown == [None]  # the preview goes with the picture that it belongs to
    backend.release(18)
    studio.wait_idle()
    assert all(preview is None for preview in shown)
    assert np.array_equal(studio.document.pixels(), other)
    assert studio.document.undo.count() == 2
    assert studio.titles == ["The picture is finished, but another one is open now."]
    studio.drop_files(tmp_path / "first.png")  # what is only worth knowing would go now
    studio.wait(lambda: studio.document.undo.count() == 3)
    assert len(studio.titles) == 1
    studio.click("noticeHelp")
    assert studio.titles == []
    assert studio.document.undo.count() == 4
    assert studio.document.size == backend.requests[0].size
    studio.document.undo.undo()
    studio.document.undo.undo()
    assert np.array_equal(studio.document.pixels(), other)


def test_undoing_the_open_step_holds_the_result_and_keeps_redo(
    studio: Studio, backend: FakeBackend, tmp_path: Path
) -> None:
    pixels = make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    backend.gated = True
    studio.click("generateButton")
    studio.wait(lambda: studio.queue.running is not None)
    studio.document.undo.undo()
    backend.release(20)
    studio.wait_idle()
    assert not studio.document.has_picture
    assert len(studio.titles) == 1
    studio.document.undo.redo()
    assert np.array_equal(studio.document.pixels(), pixels)


def test_undo_back_to_its_picture_brings_a_job_home(studio: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    pixels = make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    backend.gated = True
    studio.click("generateButton")
    studio.wait(lambda: studio.queue.running is not None)
    studio.open(picture(tmp_path, "other.png"))
    studio.document.undo.undo()
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    studio.document.undo.undo()  # strokes and their undo are edits of the same picture
    backend.release(20)
    studio.wait_idle()
    assert studio.titles == []
    assert not np.array_equal(studio.document.pixels(), pixels)


def test_several_held_pictures_are_shown_one_after_the_other(
    studio: Studio, backend: FakeBackend, tmp_path: Path
) -> None:
    backend.gated = True
    for side in (64, 96):
        studio.store.update(size=Size(side, side))
        studio.click("generateButton")
    studio.open(picture(tmp_path, "photo.png"))
    backend.release(40)
    studio.wait_idle()
    assert studio.titles == ["2 pictures are finished, but another one is open now."]
    studio.click("noticeHelp")
    assert studio.document.size == Size(96, 96)
    assert studio.titles == ["The picture is finished, but another one is open now."]
    studio.wait(lambda: len(studio.window.notices.findChildren(QWidget, "noticeHelp")) == 1)
    studio.click("noticeHelp")
    assert studio.document.size == Size(64, 64)
    assert studio.titles == []


def test_a_held_picture_that_was_closed_is_not_offered_again(
    studio: Studio, backend: FakeBackend, tmp_path: Path
) -> None:
    backend.gated = True
    for _ in range(2):
        studio.click("generateButton")
    studio.open(picture(tmp_path, "photo.png"))
    backend.release(20)
    studio.wait(lambda: len(studio.titles) == 1)
    assert studio.window.notices.close_newest()
    backend.release(20)
    studio.wait_idle()
    assert studio.titles == ["The picture is finished, but another one is open now."]


@pytest.mark.parametrize(
    ("frame", "working", "text"),
    [
        (Rect(8, 8, 300, 300), Size(512, 512), "frame 512 × 512 → 300 × 300"),
        (Rect(8, 8, 512, 512), Size(512, 512), "frame 512 × 512"),
    ],
)
def test_the_frame_of_a_result_is_told(frame: Rect, working: Size, text: str) -> None:
    request = Request(prompt="", model="m", size=Size(640, 640), task=TextToImage())
    assert working_text(result_of(request, frame=frame, working=working, box=Rect(10, 10, 20, 20))) == text


def test_a_picture_that_could_not_be_decoded_is_finished_on_demand(studio: Studio, backend: FakeBackend) -> None:
    studio.store.update(prompt="red hills", seed=5, seed_locked=True)
    request = snapshot(studio.document, studio.store.params)
    trail = some_trail(request)
    backend.error = UnfinishedError("There was not enough memory.", "Close other programs.", trail)
    studio.click("generateButton")
    studio.wait_idle()
    assert studio.titles == ["There was not enough memory."]
    help = studio.window.notices.shown[0].help
    assert help is not None
    assert help.label == "Finish the picture"
    backend.error = None
    help.act()
    studio.wait_idle()
    assert backend.requests[1] == replace(backend.requests[0], resume=Branch(trail, len(trail)))
    assert studio.document.has_picture

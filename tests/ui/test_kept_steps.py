"""The steps of a candidate in the window: looked at in their place, taken, and gone on from; and small variations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.core.job import Result
from app.core.params import Intent
from app.core.request import Inpaint, Request
from app.core.trail import Branch, Look
from tests.fakes import FakeBackend, painted, result_of, some_trail
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture
from tests.ui.test_candidates import ask, press, seeds, seen

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
STEPS = 5


def by_step(request: Request) -> Result:
    """A step that is looked at is as red as it is far; everything else is blue."""
    if isinstance(request.resume, Look):
        return result_of(request, painted(request, (40 * request.resume.step, 0, 0)), trail=request.resume.trail)
    return result_of(request, painted(request, (0, 0, 200)), trail=some_trail(request))


@pytest.fixture
def choosing(studio: Studio, backend: FakeBackend) -> Studio:
    """Two candidates wait, and the steps of the first are shown."""
    backend.make_result = by_step
    ask(studio, count=2)
    studio.store.update(steps=STEPS)
    studio.wait(lambda: studio.window.isActiveWindow())
    ask_again(studio, backend)
    press(studio, Qt.Key.Key_T)
    assert studio.find("stepBar").isVisible()
    return studio


def ask_again(studio: Studio, backend: FakeBackend) -> None:
    """With as many steps as we want to walk along."""
    studio.desk.candidates.clear()
    studio.click("generateButton")
    studio.wait_idle()
    backend.requests.clear()


def sees(studio: Studio, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(seen(studio).astype(int) - colour).max() <= 2)


def alt(studio: Studio, key: Qt.Key) -> None:
    studio.window.canvas.setFocus()
    studio.key(key, ALT)


def test_a_step_is_shown_in_its_place_and_the_candidate_again(choosing: Studio, backend: FakeBackend) -> None:
    assert sees(choosing, (0, 0, 200))
    alt(choosing, Qt.Key.Key_Left)
    choosing.wait(lambda: sees(choosing, (160, 0, 0)))
    assert choosing.find("stepTold").text() == "step 4 of 5"
    alt(choosing, Qt.Key.Key_Right)
    assert sees(choosing, (0, 0, 200))
    alt(choosing, Qt.Key.Key_Left)
    assert sees(choosing, (160, 0, 0)), "what was decoded once is there at once"
    assert len(backend.requests) == 1
    assert choosing.document.undo.count() == 0
    press(choosing, Qt.Key.Key_T)
    assert sees(choosing, (0, 0, 200))
    assert not choosing.find("stepBar").isVisible()


def test_only_the_step_that_the_slider_rests_on_is_decoded(choosing: Studio, backend: FakeBackend) -> None:
    for step in (4, 3, 2, 1):
        choosing.find("stepSlider").setValue(step)
    choosing.wait(lambda: sees(choosing, (40, 0, 0)))
    assert [request.resume.step for request in backend.requests if request.resume] == [1]


def test_looking_does_not_fill_the_history(choosing: Studio) -> None:
    choosing.wait(lambda: not choosing.desk.history.busy)
    kept: list[Any] = []
    choosing.desk.history.changed.connect(lambda: kept.append(1))
    alt(choosing, Qt.Key.Key_Left)
    choosing.wait(lambda: sees(choosing, (160, 0, 0)))
    choosing.wait(lambda: not choosing.desk.history.busy)
    assert kept == []
    choosing.window.canvas.setFocus()
    choosing.key(Qt.Key.Key_A, SHIFT)
    choosing.wait(lambda: kept == [1])


def test_a_step_is_taken_as_a_candidate(choosing: Studio) -> None:
    alt(choosing, Qt.Key.Key_Left)
    assert not choosing.find("step_takeButton").isEnabled(), "it is not there yet"
    choosing.wait(lambda: sees(choosing, (160, 0, 0)))
    choosing.click("step_takeButton")
    assert len(seeds(choosing)) == 3
    assert choosing.desk.candidates.number == 2
    assert sees(choosing, (160, 0, 0))
    shown = choosing.desk.candidates.shown
    assert shown is not None
    assert shown.result.request.stop_at == 4
    assert choosing.find("stepTold").text() == "step 4 of 5"
    assert not choosing.find("step_takeButton").isEnabled(), "it is the candidate itself"
    alt(choosing, Qt.Key.Key_Right)
    choosing.wait(lambda: sees(choosing, (200, 0, 0)))
    alt(choosing, Qt.Key.Key_Left)
    assert sees(choosing, (160, 0, 0))


def test_going_on_takes_the_prompt_and_guidance_of_now(choosing: Studio, backend: FakeBackend) -> None:
    first = choosing.desk.candidates.waiting[0].result.request
    choosing.find("stepSlider").setValue(2)
    choosing.wait(lambda: sees(choosing, (80, 0, 0)))
    choosing.store.update(prompt="in winter", guidance=3.0, steps=40)
    choosing.window.canvas.setFocus()
    choosing.key(Qt.Key.Key_N, SHIFT)
    choosing.wait(lambda: len(seeds(choosing)) == 3)
    request = backend.requests[-1]
    assert isinstance(request.resume, Branch)
    assert request.resume.step == 2
    assert (request.prompt, request.guidance, request.steps) == ("in winter", 3.0, STEPS)
    (beginning,) = request.beginnings
    assert (beginning.until, beginning.prompt, beginning.guidance) == (2, first.prompt, first.guidance)


def test_there_is_nothing_to_go_on_from_at_the_end(choosing: Studio) -> None:
    assert not choosing.find("step_branchButton").isEnabled()
    assert not choosing.find("step_takeButton").isEnabled()


def test_going_on_takes_the_mask_of_now(studio: Studio, backend: FakeBackend, tmp_path: Path) -> None:
    backend.make_result = by_step
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(10, 30), QPoint(40, 30))
    assert studio.store.params.intent is Intent.INPAINT
    studio.store.update(steps=STEPS, count=2)
    studio.click("generateButton")
    studio.wait_idle()
    studio.window.actions_by_id["candidate_steps"].trigger()
    studio.find("stepSlider").setValue(2)
    studio.wait(lambda: studio.window.kept_steps.takable)
    studio.drag(QPoint(60, 50), QPoint(80, 50))
    mask = studio.document.mask_pixels()
    studio.click("step_branchButton")
    studio.wait(lambda: len(seeds(studio)) == 3)
    task = backend.requests[-1].task
    assert isinstance(task, Inpaint)
    np.testing.assert_array_equal(task.mask, mask)


def test_a_candidate_without_steps_offers_none(studio: Studio) -> None:
    ask(studio, count=2)
    assert not studio.find("candidate_stepsButton").isEnabled()


def test_small_variations_keep_the_seed_and_mix_others_in(studio: Studio, backend: FakeBackend) -> None:
    ask(studio, count=3, seed=10)
    press(studio, Qt.Key.Key_Period)
    press(studio, Qt.Key.Key_N)
    studio.wait(lambda: len(seeds(studio)) == 6)
    asked = backend.requests[-1]
    assert (asked.seed, asked.count) == (11, 3)
    assert 0 < asked.variation.amount < 0.5
    varied = [candidate.result.request for candidate in studio.desk.candidates.waiting[3:]]
    assert len({request.variation.seed for request in varied}) == 3
    studio.desk.candidates.show(4)
    press(studio, Qt.Key.Key_A)
    assert studio.store.params.seed == 11
    assert studio.store.params.variation == varied[1].variation
    assert studio.find("variationSpin").value() == 15


def test_zooming_to_the_change_and_back(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png", 960, 640)
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(100, 100), QPoint(140, 100))
    before = studio.window.canvas.zoom
    ask(studio, count=2)
    press(studio, Qt.Key.Key_J)
    assert studio.window.canvas.zoom > 2 * before
    shown = studio.desk.candidates.shown
    assert shown is not None
    box = shown.result.box
    centre = studio.window.canvas.viewport.camera.centre
    assert (centre.x(), centre.y()) == (box.x + box.width / 2, box.y + box.height / 2)
    press(studio, Qt.Key.Key_J)
    assert studio.window.canvas.zoom == before

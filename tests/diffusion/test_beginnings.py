"""A step that was taken and a branch are told by their Requests alone: painted anew, they are the same bit for bit."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.beginning import Beginning
from app.core.errors import RequestError
from app.core.geometry import Size
from app.core.job import Result
from app.core.request import ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.seam import Seam
from app.core.trail import Branch, Look, Trail
from app.core.variation import Variation
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, aligned_mask, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

SIZE = Size(64, 48)
PICTURE = some_picture(SIZE)
MASK = aligned_mask(SIZE)
OTHER_MASK = np.zeros_like(MASK)
OTHER_MASK[8:24, 8:40] = 255
TASKS: dict[str, Task] = {
    "text": TextToImage(),
    "image": ImageToImage(image=PICTURE, strength=0.8),
    "inpaint": Inpaint(image=PICTURE, mask=MASK, strength=0.8),
}
STEPS = 6


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("beginnings")
    nine = make_tiny_model(root / "nine", TinyShape(channels_in=9))
    return {"plain": make_tiny_model(root / "plain"), "nine": nine}


@pytest.fixture(scope="module")
def engines(folders: dict[str, Path]) -> dict[str, Engine]:
    return {name: Engine(Placement(torch.device("cpu"), torch.float32)) for name in folders}


class Painter:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.hooks = RecordingHooks()

    def request(self, **changes: Any) -> Request:
        return request_for(self.folder, **({"steps": STEPS, "sampler": "dpmpp_2m_sde"} | changes))

    def run(self, request: Request) -> Result:
        self.hooks = RecordingHooks()
        return self.engine.run(request, self.hooks)

    def branch(self, before: Result, step: int, **changes: Any) -> Result:
        """As the window asks for it."""
        assert before.trail is not None
        beginnings = before.request.beginnings_to(step)
        resume = Branch(before.trail, step)
        return self.run(replace(before.request, beginnings=beginnings, stop_at=0, resume=resume, **changes))

    def look(self, before: Result, step: int) -> Result:
        assert before.trail is not None
        return self.run(replace(before.request, stop_at=step, resume=Look(before.trail, step)))

    def anew(self, result: Result) -> Result:
        """What the Request alone leads to."""
        self.engine.run(self.request(prompt="a tower", steps=1), RecordingHooks())  # nothing is left of before
        return self.run(replace(result.request, resume=None))


@pytest.fixture
def plain(engines: dict[str, Engine], folders: dict[str, Path]) -> Painter:
    return Painter(engines["plain"], folders["plain"])


@pytest.mark.parametrize(
    ("model", "task", "sampler"),
    [
        ("plain", "text", "dpmpp_2m_sde"),
        ("plain", "text", "heun"),
        ("plain", "text", "pndm"),
        ("plain", "image", "euler_a"),
        ("plain", "inpaint", "unipc"),
        ("nine", "inpaint", "ddim"),
    ],
)
def test_a_step_that_was_looked_at_is_painted_anew(
    engines: dict[str, Engine], folders: dict[str, Path], model: str, task: str, sampler: str
) -> None:
    painter = Painter(engines[model], folders[model])
    whole = painter.run(painter.request(task=TASKS[task], sampler=sampler))
    assert whole.trail is not None
    for step in (1, 3, len(whole.trail)):
        looked = painter.look(whole, step)
        again = painter.anew(looked)
        np.testing.assert_array_equal(again.image, looked.image)
        assert again.steps == step
        assert painter.hooks.steps == [(number, step) for number in range(1, step + 1)]
        assert (again.image != whole.image).any() or step == len(whole.trail)


@pytest.mark.parametrize(
    ("model", "task"), [("plain", "text"), ("plain", "image"), ("plain", "inpaint"), ("nine", "inpaint")]
)
def test_a_branch_is_painted_anew(engines: dict[str, Engine], folders: dict[str, Path], model: str, task: str) -> None:
    painter = Painter(engines[model], folders[model])
    whole = painter.run(painter.request(task=TASKS[task]))
    changes: dict[str, Any] = {"prompt": "night", "guidance": 3.0}
    if task == "inpaint":
        changes["task"] = Inpaint(image=PICTURE, mask=OTHER_MASK, strength=0.8, seam=Seam(ring=2))
    branched = painter.branch(whole, 2, **changes)
    again = painter.anew(branched)
    np.testing.assert_array_equal(again.image, branched.image)
    assert again.request == replace(branched.request, resume=None)
    assert again.trail == branched.trail
    assert len(painter.hooks.candidates) == 1
    assert painter.hooks.candidates[0].request == again.request
    assert (again.image != whole.image).any()
    plainly = painter.run(replace(again.request, beginnings=()))
    assert (plainly.image != again.image).any()


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_step_of_a_branch_of_a_branch_is_painted_anew(plain: Painter, step: int) -> None:
    whole = plain.run(plain.request(variation=Variation(seed=3, amount=0.2)))
    twice = plain.branch(plain.branch(whole, 2, prompt="night"), 4, prompt="snow")
    assert [one.prompt for one in twice.request.beginnings] == [whole.request.prompt, "night"]
    np.testing.assert_array_equal(plain.anew(twice).image, twice.image)
    looked = plain.look(twice, step)
    np.testing.assert_array_equal(plain.anew(looked).image, looked.image)
    earlier = plain.branch(twice, step, prompt="a tower")
    np.testing.assert_array_equal(plain.anew(earlier).image, earlier.image)


def test_several_at_once_are_each_as_if_alone(plain: Painter) -> None:
    request = plain.request(beginnings=(Beginning(until=2, prompt="night"),), count=2, seed=5)
    both = plain.run(request)
    assert [one.request.seed for one in plain.hooks.candidates] == [5, 6]
    assert plain.hooks.steps[-1] == (2 * STEPS, 2 * STEPS)
    for number, one in enumerate(both.candidates):
        np.testing.assert_array_equal(plain.run(request.alone(number)).image, one.image)


def test_beginnings_cross_a_process_border_and_stay_unchangeable() -> None:
    beginning = Beginning(until=2, mask=MASK.copy(), seam=Seam(grow=3))
    again = pickle.loads(pickle.dumps(beginning))
    assert again == beginning
    assert again != replace(beginning, mask=OTHER_MASK.copy())
    with pytest.raises(ValueError, match="read-only"):
        again.mask[0] = 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stop_at": -1}, "cannot stop at step -1"),
        ({"stop_at": True}, "cannot stop at step True"),
        ({"beginnings": (Beginning(until=3), Beginning(until=3))}, "do not follow each other"),
        (
            {"task": TASKS["inpaint"], "beginnings": (Beginning(until=2, mask=np.ones((8, 8), np.uint8)),)},
            "a picture of another size",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(plain: Painter, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        plain.request(**changes)
    with pytest.raises(RequestError, match="begun with 0 steps"):
        Beginning(until=0)


def test_kept_trails_stay_as_long_as_what_was_painted(plain: Painter) -> None:
    stopped = plain.run(plain.request(stop_at=2))
    trail = stopped.trail
    assert isinstance(trail, Trail)
    assert len(trail) == 2
    gone_on = plain.branch(stopped, 2)
    np.testing.assert_array_equal(gone_on.image, plain.run(plain.request()).image)

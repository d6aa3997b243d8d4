"""The steps of a run are kept: going on from one gives the same picture, or another where something was changed."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import RequestError
from app.core.geometry import Rect, Size
from app.core.job import Mode, Phase, Result
from app.core.request import FrameChoice, ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.samplers import SAMPLERS
from app.core.trail import Branch, Look, Trail
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, aligned_mask, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
SIZE = Size(64, 48)
PICTURE = some_picture(SIZE)
MASK = aligned_mask(SIZE)
TASKS: dict[str, Task] = {
    "text": TextToImage(),
    "image": ImageToImage(image=PICTURE, strength=0.6),
    "inpaint": Inpaint(image=PICTURE, mask=MASK, strength=0.8),
}
STEPS = 6


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("trails")
    return {
        "plain": make_tiny_model(root / "plain"),
        "nine": make_tiny_model(root / "nine", TinyShape(channels_in=9)),
    }


@pytest.fixture(scope="module")
def engines(folders: dict[str, Path]) -> dict[str, Engine]:
    return {name: Engine(CPU) for name in folders}


class Painter:
    """One model and its engine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder

    def request(self, **changes: Any) -> Request:
        return request_for(self.folder, **({"steps": STEPS, "sampler": "dpmpp_2m_sde"} | changes))

    def run(self, request: Request) -> tuple[Result, RecordingHooks]:
        hooks = RecordingHooks()
        return self.engine.run(request, hooks), hooks

    def paint(self, **changes: Any) -> Result:
        return self.run(self.request(**changes))[0]


@pytest.fixture(scope="module")
def plain(engines: dict[str, Engine], folders: dict[str, Path]) -> Painter:
    return Painter(engines["plain"], folders["plain"])


def trail_of(result: Result) -> Trail:
    assert result.trail is not None
    return result.trail


@pytest.mark.parametrize(
    ("model", "task"), [("plain", "text"), ("plain", "image"), ("plain", "inpaint"), ("nine", "inpaint")]
)
@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_going_on_with_nothing_changed_gives_the_same_picture_bit_for_bit(
    engines: dict[str, Engine], folders: dict[str, Path], model: str, task: str, sampler: str
) -> None:
    painter = Painter(engines[model], folders[model])
    whole = painter.paint(sampler=sampler, task=TASKS[task])
    trail = trail_of(whole)
    assert len(trail) == whole.steps
    steps = {0, 1, 2, len(trail) - 1, len(trail)} if task == "text" else {2, len(trail) - 1}
    for step in steps:
        again, hooks = painter.run(replace(whole.request, resume=Branch(trail, step)))
        np.testing.assert_array_equal(again.image, whole.image)
        assert again.trail == trail
        assert again.steps == len(trail) - step
        assert hooks.steps == [(number, len(trail)) for number in range(step + 1, len(trail) + 1)]


@pytest.mark.parametrize(
    "changes",
    [{"prompt": "night"}, {"negative": "lake"}, {"guidance": 9.0}, {"guidance_interval": (0.0, 0.3)}, {"clip_skip": 2}],
)
def test_a_branch_with_other_words_leaves_the_steps_before_it_as_they_were(
    plain: Painter, changes: dict[str, Any]
) -> None:
    whole = plain.paint(task=TASKS["inpaint"])
    trail = trail_of(whole)
    branched = plain.run(replace(whole.request, resume=Branch(trail, 2), **changes))[0]
    assert (branched.image != whole.image).any()
    np.testing.assert_array_equal(trail_of(branched).latents[:3], trail.latents[:3])
    assert (trail_of(branched).latents[3] != trail.latents[3]).any()
    np.testing.assert_array_equal(branched.image[MASK == 0], PICTURE[MASK == 0])


def test_a_branch_with_another_mask_holds_what_the_new_one_keeps(plain: Painter) -> None:
    whole = plain.paint(task=TASKS["inpaint"])
    other = np.zeros_like(MASK)
    other[8:24, 8:40] = 255
    task = Inpaint(image=PICTURE, mask=other, strength=0.8)
    branched = plain.run(replace(whole.request, task=task, resume=Branch(trail_of(whole), 2)))[0]
    assert branched.changed_outside == 0
    np.testing.assert_array_equal(branched.image[other == 0], PICTURE[other == 0])
    assert (branched.image != PICTURE)[other > 0].mean() > 0.9


@pytest.mark.parametrize(
    ("sampler", "differs"), [("dpmpp_2m_sde", True), ("euler_a", True), ("lcm", True), ("ddim", False)]
)
def test_another_sampler_seed_matters_to_samplers_that_draw(plain: Painter, sampler: str, differs: bool) -> None:
    whole = plain.paint(sampler=sampler)
    branched = plain.run(replace(whole.request, resume=Branch(trail_of(whole), 3, seed=99)))[0]
    assert (branched.image != whole.image).any() == differs


@pytest.mark.parametrize("step", [1, 3, 4])
def test_a_branch_of_a_branch_goes_on_with_the_numbers_that_it_had(plain: Painter, step: int) -> None:
    whole = plain.paint()
    first = plain.run(replace(whole.request, resume=Branch(trail_of(whole), 3, seed=99)))[0]
    again = plain.run(replace(whole.request, resume=Branch(trail_of(first), step)))[0]
    expected = first if step >= 3 else whole  # before the branch the run's own numbers count
    np.testing.assert_array_equal(again.image, expected.image)


def test_a_look_decodes_what_the_model_took_for_the_picture(plain: Painter) -> None:
    whole = plain.paint(sampler="ddim", task=TASKS["inpaint"])
    trail = trail_of(whole)
    looks = [plain.run(replace(whole.request, resume=Look(trail, step))) for step in range(1, len(trail) + 1)]
    pictures = [result.image for result, _ in looks]
    far = [np.abs(picture.astype(int) - whole.image).mean() for picture in pictures]
    assert far[0] > far[2] > far[-1]
    assert far[-1] < 1  # where DDIM ends is what the model takes for the picture
    for result, hooks in looks:
        assert (result.steps, hooks.steps, result.mode) == (0, [], Mode.INPAINT_BLEND)
        assert Phase.DENOISING not in hooks.phases
        assert result.changed_outside == 0
        assert result.trail == trail
        assert len(hooks.candidates) == 1


def test_the_frame_of_the_run_stays(plain: Painter) -> None:
    size = Size(150, 130)
    picture = some_picture(size)
    mask = np.zeros((130, 150), np.uint8)
    mask[20:40, 20:40] = 255
    whole = plain.paint(size=size, frame=FrameChoice.AUTO, task=Inpaint(image=picture, mask=mask))
    wider = mask.copy()
    wider[20:60, 20:60] = 255
    task = Inpaint(image=picture, mask=wider)
    branched = plain.run(replace(whole.request, task=task, resume=Branch(trail_of(whole), 2)))[0]
    assert (branched.frame, branched.working) == (whole.frame, whole.working)
    far = np.zeros_like(mask)
    far[120:, 140:] = 255
    with pytest.raises(RequestError, match="outside the frame of the kept steps"):
        replace(whole.request, task=Inpaint(image=picture, mask=far), resume=Branch(trail_of(whole), 2))


def test_each_candidate_has_its_own_steps(plain: Painter) -> None:
    result = plain.paint(count=2, seed=5)
    for candidate in result.candidates:
        again = plain.run(replace(candidate.request, resume=Branch(trail_of(candidate), 4)))[0]
        np.testing.assert_array_equal(again.image, candidate.image)


def test_trails_cross_a_process_border_and_stay_unchangeable(plain: Painter) -> None:
    result = plain.paint()
    branch = Branch(trail_of(result), 2)
    again = pickle.loads(pickle.dumps(replace(result.request, resume=branch)))
    assert again.resume == branch
    with pytest.raises(ValueError, match="read-only"):
        again.resume.trail.latents[0] = 0
    assert branch != Branch(trail_of(plain.paint(seed=8)), 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampler": "ddim"}, "with the sampler dpmpp_2m_sde, not ddim"),
        ({"steps": 7}, "with the steps 6, not 7"),
        ({"seed": 8}, "with the seed 7, not 8"),
        ({"size": Size(64, 64)}, "with the size 64 x 48, not 64 x 64"),
        ({"task": TASKS["image"]}, "with the strength 1.0, not 0.6"),
        ({"count": 2}, "belongs to one candidate"),
    ],
)
def test_a_request_that_is_not_of_the_run_is_refused(plain: Painter, changes: dict[str, Any], words: str) -> None:
    result = plain.paint()
    with pytest.raises(RequestError, match=words):
        replace(result.request, resume=Branch(trail_of(result), 2), **changes)


@pytest.mark.parametrize(
    ("kind", "step"), [(Branch, -1), (Branch, STEPS + 1), (Branch, True), (Look, 0), (Look, STEPS + 1)]
)
def test_a_step_that_was_not_kept_is_refused(plain: Painter, kind: Any, step: int) -> None:
    with pytest.raises(RequestError, match=f"There is no step {step}"):
        kind(trail_of(plain.paint()), step)
    with pytest.raises(RequestError, match="The seed -1"):
        Branch(trail_of(plain.paint()), 0, seed=-1)


@pytest.mark.parametrize("resume", [Branch, Look])
def test_the_steps_of_another_kind_of_model_are_refused(plain: Painter, resume: Any) -> None:
    result = plain.paint()
    trail = replace(trail_of(result), working=Size(32, 32), box=Rect(0, 0, 32, 32))
    with pytest.raises(RequestError, match="their latents are 4 x 6 x 8, the model’s 4 x 4 x 4"):
        plain.run(replace(result.request, resume=resume(trail, 2)))

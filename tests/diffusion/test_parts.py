"""A mask of several far parts: one frame each, one job, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import Cancelled
from app.core.geometry import Rect, Size
from app.core.mask_parts import MOST_PARTS, mask_parts
from app.core.request import FrameChoice, Inpaint, Request
from app.core.seam import Seam
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.frame import plan_frame
from app.diffusion.generate import generate
from app.diffusion.parts import generate_parts
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, request_for, some_picture
from tests.tiny_models import make_tiny_model

SIZE = Size(600, 400)
PICTURE = some_picture(SIZE)
MASK = np.zeros((400, 600), np.uint8)
MASK[20:50, 20:60] = 255
MASK[350:380, 500:560] = 200
TOP, BOTTOM = np.s_[:200], np.s_[200:]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = make_tiny_model(tmp_path_factory.mktemp("parts") / "plain")
    return load_bundle(folder, Placement(torch.device("cpu"), torch.float32))


def _ask(mask: np.ndarray = MASK, image: np.ndarray = PICTURE, **changes: Any) -> Request:
    task = Inpaint(image=image, mask=mask)
    return request_for(Path("unused"), size=SIZE, task=task, **({"steps": 2, "frame": FrameChoice.PARTS} | changes))


def _only(where: Any) -> np.ndarray:
    mask = np.zeros_like(MASK)
    mask[where] = MASK[where]
    return mask


def test_each_part_is_what_it_would_be_alone(bundle: ModelBundle) -> None:
    hooks = RecordingHooks()
    result = generate_parts(bundle, _ask(), hooks)
    first = generate(bundle, _ask(_only(TOP), frame=FrameChoice.AUTO), RecordingHooks())
    second = generate(bundle, _ask(_only(BOTTOM), first.image, frame=FrameChoice.AUTO), RecordingHooks())
    np.testing.assert_array_equal(result.image, second.image)
    assert result.parts == (first.frame, second.frame)
    assert result.frame == first.frame.joined(second.frame)
    assert result.request.task == _ask().task
    assert (result.changed_outside, result.steps) == (0, 4)
    np.testing.assert_array_equal(result.image[MASK == 0], PICTURE[MASK == 0])
    for where in (TOP, BOTTOM):
        assert (result.image[where] != PICTURE[where]).any()


def test_one_job_counts_the_steps_of_all(bundle: ModelBundle) -> None:
    hooks = RecordingHooks()
    result = generate_parts(bundle, _ask(count=2), hooks)
    assert hooks.steps == [(step, 8) for step in range(1, 9)]
    assert [one.request.seed for one in result.candidates] == [7, 8]
    np.testing.assert_array_equal(
        result.candidates[1].image, generate_parts(bundle, _ask(seed=8), RecordingHooks()).image
    )


def test_cancel_works_in_any_part(bundle: ModelBundle) -> None:
    hooks = RecordingHooks(stop_after=3)
    with pytest.raises(Cancelled):
        generate_parts(bundle, _ask(), hooks)
    assert len(hooks.steps) == 3


def test_one_part_and_other_frames_are_done_as_ever(bundle: ModelBundle) -> None:
    for request in (_ask(_only(TOP)), _ask(frame=FrameChoice.AUTO)):
        result = generate_parts(bundle, request, RecordingHooks())
        assert result.parts == ()
        expected = generate(bundle, replace(request, frame=FrameChoice.AUTO), RecordingHooks())
        np.testing.assert_array_equal(result.image, expected.image)


def test_parts_are_what_hangs_together() -> None:
    assert mask_parts(MASK) == [Rect(20, 20, 40, 30), Rect(500, 350, 60, 30)]
    whole = np.full((30, 50), 1, np.uint8)
    assert mask_parts(whole) == [Rect(0, 0, 50, 30)]
    ring = np.zeros((100, 100), np.uint8)
    ring[10:90, 10:90] = 255
    ring[20:80, 20:80] = 0
    assert mask_parts(ring) == [Rect(10, 10, 80, 80)]


def test_dust_is_looked_at_from_further_away() -> None:
    dust = np.zeros((1000, 1000), np.uint8)
    dust[5::30, 5::30] = 255
    boxes = mask_parts(dust)
    assert 1 <= len(boxes) <= MOST_PARTS
    covered = np.zeros_like(dust)
    for box in boxes:
        covered[box.slices] = 1
    assert covered[dust > 0].all()


def test_a_reach_that_was_asked_for_lies_in_the_frame() -> None:
    task = Inpaint(image=PICTURE, mask=_only(TOP), seam=Seam(grow=60, feather=40))
    plan = plan_frame(request_for(Path("x"), size=SIZE, task=task, frame=FrameChoice.AUTO), native_size=64)
    assert plan.box.right >= 60 + 100 + 32
    assert plan.box.bottom >= 50 + 100 + 32

"""Every value that crosses the line to a Backend survives pickling, so that a Backend may live in another process."""

from __future__ import annotations

import dataclasses
import pickle
import typing
from typing import Any

import numpy as np
import pytest

from app.core import errors, job
from app.core.geometry import FramePlan, Rect, Size
from app.core.job import Entered, Event, Failed, Finished, Job, Made, Phase, Preview, Started, Stepped, Stopped
from app.core.params import Intent, Params
from app.core.request import FrameChoice, ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.samplers import SAMPLERS
from app.core.trail import Branch, Look
from tests.fakes import result_of, some_trail

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)
MASK = np.full((8, 16), 9, np.uint8)
TASKS: list[Task] = [TextToImage(), ImageToImage(image=IMAGE, strength=0.5), Inpaint(image=IMAGE, mask=MASK)]
REQUESTS = [
    Request(prompt="猫\n", negative="b", model="/m", size=Size(16, 8), task=task, frame=frame, seed=2**63 - 1)
    for task in TASKS
    for frame in (*FrameChoice, Rect(1, 1, 4, 4))
]
PREVIEW = Preview(np.full((2, 2, 4), 7, np.uint8), Rect(0, 0, 16, 8))
EVENTS: list[Event] = [
    Started(1),
    *(Entered(1, phase) for phase in Phase),
    Stepped(1, 2, 3, PREVIEW),
    Stepped(1, 2, 3, None),
    Made(1, result_of(REQUESTS[0])),
    Finished(1, result_of(REQUESTS[-1], notes=("a note",))),
    Stopped(1),
    Failed(1, "It broke.", "Mend it.", "trace"),
    Failed(1, "It broke.", "Mend it.", trail=some_trail()),
]


def same(one: Any, other: Any) -> bool:
    """Equality that looks into arrays and into values that are compared by identity."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
        )
    return bool(one == other)


VALUES = [
    *REQUESTS,
    *EVENTS,
    *SAMPLERS.values(),
    Job(id=1, request=REQUESTS[0], step_times=[0.5]),
    FramePlan(Rect(0, 0, 2, 2), Size(2, 2)),
    Params(prompt="x", intent=Intent.INPAINT),
    Branch(some_trail(), 1, seed=5),
    Look(some_trail(), 2),
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_the_same(value: object, protocol: int) -> None:
    assert same(pickle.loads(pickle.dumps(value, protocol)), value)


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event) for event in EVENTS} == set(typing.get_args(job.Event))


def test_a_pickled_task_is_still_read_only() -> None:
    back = pickle.loads(pickle.dumps(REQUESTS[-1]))
    assert isinstance(back.task, Inpaint)
    assert not back.task.image.flags.writeable
    assert not back.task.mask.flags.writeable


@pytest.mark.parametrize("kind", [errors.UserError, errors.RequestError, errors.ModelError, errors.PictureError])
def test_errors_come_back_with_both_sentences(kind: type[errors.UserError]) -> None:
    back = pickle.loads(pickle.dumps(kind("It broke.", "Mend it.")))
    assert type(back) is kind
    assert (back.message, back.remedy, str(back)) == ("It broke.", "Mend it.", "It broke. Mend it.")

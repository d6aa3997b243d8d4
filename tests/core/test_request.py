"""A Request is complete and sound from the moment it exists, or does not exist."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RequestError, UserError
from app.core.geometry import Rect, Size
from app.core.request import (
    MOST_COUNT,
    MOST_PROMPT,
    MOST_SEED,
    MOST_SIDE,
    FrameChoice,
    ImageToImage,
    Inpaint,
    Request,
    Task,
    TextToImage,
)
from app.core.samplers import DEFAULT_SAMPLER, SAMPLERS, sampler
from app.core.seam import PLAIN

SIZE = Size(6, 4)
IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
MASK = np.zeros((4, 6), np.uint8)
MASK[1:3, 2:4] = 255


def request(**changes: Any) -> Request:
    return Request(**({"prompt": "a cat", "model": "m", "size": SIZE} | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": Size(0, 8)}, "The size 0 x 8 cannot be painted"),
        ({"size": Size(8, -1)}, "cannot be painted"),
        ({"size": Size(MOST_SIDE + 1, 8)}, "cannot be painted"),
        ({"size": Size(8.0, 8)}, "cannot be painted"),  # type: ignore[arg-type]
        ({"size": Size(True, True)}, "cannot be painted"),
        ({"steps": 0}, "0 steps cannot be run with DPM++ 2M"),
        ({"steps": -1}, "-1 steps"),
        ({"steps": 1001}, "1001 steps"),
        ({"steps": 2.5}, "2.5 steps"),
        ({"steps": True}, "True steps"),
        ({"steps": 51, "sampler": "lcm"}, "51 steps cannot be run with LCM"),
        ({"steps": 51, "sampler": "tcd"}, "51 steps cannot be run with TCD"),
        ({"sampler": "nope"}, "no sampler called “nope”"),
        ({"guidance": 0.9}, "The guidance is 0.9"),
        ({"guidance": 101}, "The guidance is 101"),
        ({"guidance": math.nan}, "The guidance is nan"),
        ({"guidance": math.inf}, "The guidance is inf"),
        ({"seed": -1}, "The seed -1"),
        ({"seed": MOST_SEED + 1}, "The seed"),
        ({"seed": 1.5}, "The seed 1.5"),
        ({"prompt": "x" * (MOST_PROMPT + 1)}, "The prompt has 100001 characters"),
        ({"negative": "x" * (MOST_PROMPT + 1)}, "The negative prompt has"),
        ({"prompt": "a (cat:11)"}, "A part of the prompt has the weight 11, beyond 10"),
        ({"prompt": "a (cat:-10.5)"}, "the weight -10.5"),
        ({"prompt": "a (cat:" + "9" * 400 + ")"}, "the weight inf"),
        ({"prompt": "a, ((cat:0), dog:" + "9" * 400 + ")"}, "the weight nan"),
        ({"negative": "(" * 30 + "cat"}, "A part of the negative prompt has the weight 17.4"),
        ({"guidance_interval": (0.5, 0.5)}, "The guidance interval from 0.5 to 0.5"),
        ({"guidance_interval": (-0.1, 1.0)}, "The guidance interval"),
        ({"guidance_interval": (0.0, 1.1)}, "The guidance interval"),
        ({"guidance_interval": (math.nan, 1.0)}, "The guidance interval"),
        ({"count": 0}, "0 candidates cannot be painted at once"),
        ({"count": MOST_COUNT + 1}, "65 candidates"),
        ({"count": 2.0}, "2.0 candidates"),
        ({"count": 3, "seed": MOST_SEED - 1}, "The seeds run past the largest one"),
        ({"clip_skip": 0}, "The clip skip 0"),
        ({"clip_skip": 1.5}, "The clip skip 1.5"),
        ({"size": Size(6, 5), "task": ImageToImage(image=IMAGE, strength=1)}, "The picture is 6 x 4 but 6 x 5"),
        ({"task": Inpaint(image=IMAGE, mask=MASK), "frame": Rect(0, 0, 7, 4)}, "does not lie on the picture"),
        ({"task": Inpaint(image=IMAGE, mask=MASK), "frame": Rect(-1, 0, 2, 2)}, "does not lie on the picture"),
        ({"task": Inpaint(image=IMAGE, mask=MASK), "frame": Rect(0, 0, 0, 4)}, "does not lie on the picture"),
        ({"task": Inpaint(image=IMAGE, mask=MASK), "frame": Rect(0, 0, 2, 2)}, "nothing of the mask"),
    ],
)
def test_what_cannot_be_worked_with_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        request(**changes)
    assert words in caught.value.message
    assert caught.value.remedy.endswith(".")


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": ""},
        {"size": Size(1, 1)},
        {"size": Size(MOST_SIDE, MOST_SIDE)},
        {"steps": 1},
        {"steps": 1000},
        {"steps": 50, "sampler": "lcm"},
        {"guidance": 1},
        {"guidance": 100.0},
        {"seed": MOST_SEED},
        {"task": ImageToImage(image=IMAGE, strength=0)},
        {"task": ImageToImage(image=IMAGE, strength=1.0)},
        {"task": Inpaint(image=IMAGE, mask=MASK), "frame": Rect(2, 1, 1, 1)},
        {"task": Inpaint(image=IMAGE, mask=MASK), "frame": FrameChoice.AUTO},
        {"task": ImageToImage(image=IMAGE, strength=1.0), "frame": Rect(0, 0, 2, 2)},
    ],
)
def test_the_edges_of_what_works(changes: dict[str, Any]) -> None:
    assert request(**changes) == request(**changes)


@pytest.mark.parametrize("strength", [-0.01, 1.01, math.nan, math.inf])
def test_strength_outside_0_to_1(strength: float) -> None:
    for make in (
        lambda: ImageToImage(image=IMAGE, strength=strength),
        lambda: Inpaint(image=IMAGE, mask=MASK, strength=strength),
    ):
        with pytest.raises(RequestError, match="The strength is"):
            make()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (IMAGE[..., 0], "The picture has the shape"),
        (np.dstack([IMAGE, MASK]), "The picture has the shape"),
        (IMAGE[:0], "The picture has the shape"),
        (IMAGE.astype(np.float32), "8-bit"),
        (IMAGE.tolist(), "8-bit"),
        (None, "8-bit"),
    ],
)
def test_pictures_that_are_none(image: Any, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        ImageToImage(image=image, strength=0.5)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (MASK[:3], "The mask is 6 x 3 pixels, the picture 6 x 4"),
        (np.repeat(MASK[..., None], 3, 2), "The mask is"),
        (np.zeros_like(MASK), "The mask is empty"),
        (MASK.astype(bool), "8-bit"),
    ],
)
def test_masks_that_do_not_fit(mask: Any, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Inpaint(image=IMAGE, mask=mask)


def test_nothing_outside_can_change_a_request() -> None:
    image, mask = IMAGE.copy(), MASK.copy()
    task = Inpaint(image=image, mask=mask)
    image[:] = 0
    mask[:] = 0
    assert task == Inpaint(image=IMAGE, mask=MASK)
    for array in (task.image, task.mask):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    made = request(task=task)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.steps = 3  # type: ignore[misc]


def test_read_only_pixels_are_shared_and_not_copied() -> None:
    image = IMAGE.copy()
    image.flags.writeable = False
    assert ImageToImage(image=image, strength=0.5).image is image


OTHER = IMAGE + 1
OTHER_MASK = np.full_like(MASK, 9)
TASKS: list[Task] = [
    TextToImage(),
    ImageToImage(image=IMAGE, strength=0.5),
    ImageToImage(image=OTHER, strength=0.5),
    ImageToImage(image=IMAGE, strength=0.6),
    Inpaint(image=IMAGE, mask=MASK),
    Inpaint(image=OTHER, mask=MASK),
    Inpaint(image=IMAGE, mask=OTHER_MASK),
    Inpaint(image=IMAGE, mask=MASK, strength=0.5),
    Inpaint(image=IMAGE, mask=MASK, seam=PLAIN),
]


def test_equal_means_equal_in_everything() -> None:
    for i, one in enumerate(TASKS):
        for j, other in enumerate(TASKS):
            assert (request(task=one) == request(task=other)) is (i == j)
    for task in TASKS[1:]:
        with pytest.raises(TypeError):
            hash(task)


@given(st.text(max_size=50))
def test_prompts_can_always_be_encoded(text: str) -> None:
    made = request(prompt=text, negative=text)
    assert made.prompt == made.negative
    assert "\0" not in made.prompt
    assert made.prompt.encode("utf-8").decode("utf-8") == made.prompt
    if "\0" not in text and text.isprintable():
        assert made.prompt == text


def test_a_lone_surrogate_and_a_nul_are_replaced() -> None:
    assert request(prompt="a\ud800b\0c 🚀").prompt == "a?b c 🚀"


# Samplers


def test_the_sampler_table() -> None:
    assert set(SAMPLERS) == {
        "ddim",
        "pndm",
        "euler",
        "euler_a",
        "heun",
        "dpm2",
        "dpmpp_2m",
        "dpmpp_2m_karras",
        "dpmpp_2m_sde",
        "dpmpp_2m_sde_karras",
        "unipc",
        "lcm",
        "tcd",
    }
    assert DEFAULT_SAMPLER in SAMPLERS
    assert len({row.label for row in SAMPLERS.values()}) == len(SAMPLERS)
    for id, row in SAMPLERS.items():
        assert row.id == id
        assert sampler(id) is row
    with pytest.raises(TypeError):
        SAMPLERS["new"] = SAMPLERS["ddim"]  # type: ignore[index]


def test_an_unknown_sampler_names_the_known_ones() -> None:
    with pytest.raises(UserError) as caught:
        sampler("k_euler")
    for id in SAMPLERS:
        assert id in caught.value.remedy
    assert str(caught.value) == f"{caught.value.message} {caught.value.remedy}"

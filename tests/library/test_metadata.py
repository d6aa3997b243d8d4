"""The text in a saved picture: what WebUI writes, so that other programs can read it."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.geometry import Size
from app.core.request import ImageToImage, Inpaint, Request, Task, TextToImage
from app.library.metadata import parameters
from tests.fakes import result_of

IMAGE = np.zeros((8, 16, 3), np.uint8)
MASK = np.full((8, 16), 255, np.uint8)


def request(**changes: object) -> Request:
    values: dict[str, object] = {"prompt": "a cat", "model": "/home/someone/secret/m", "size": Size(16, 8), "seed": 7}
    return Request(**(values | {"steps": 12, "guidance": 6.5, "sampler": "dpmpp_2m_karras"} | changes))  # type: ignore[arg-type]


def test_text_to_image() -> None:
    assert parameters(result_of(request())) == (
        "a cat\nSteps: 12, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 7, Size: 16x8, Model: fake"
    )


@pytest.mark.parametrize(
    "task", [ImageToImage(image=IMAGE, strength=0.55), Inpaint(image=IMAGE, mask=MASK, strength=0.55)]
)
def test_strength_is_told_where_there_is_one(task: Task) -> None:
    assert parameters(result_of(request(task=task))).endswith(", Denoising strength: 0.55")


def test_clip_skip_is_told_where_it_is_used() -> None:
    assert parameters(result_of(request(clip_skip=2))).endswith(", Model: fake, Clip skip: 2")


def test_negative_prompt_and_lines() -> None:
    lines = parameters(result_of(request(prompt="a\nb", negative="c\nd", task=TextToImage()))).split("\n")
    assert lines[:4] == ["a", "b", "Negative prompt: c", "d"]


def test_separators_in_a_name_are_quoted_and_no_path_is_told() -> None:
    text = parameters(result_of(request(), model_name='My "best", model: 2'))
    assert text.endswith('Model: "My \\"best\\", model: 2"')
    assert "secret" not in text

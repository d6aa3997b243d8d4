"""The text in a saved picture: what WebUI writes, so that other programs can read it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.geometry import Size
from app.core.params import Intent
from app.core.request import ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.samplers import SAMPLERS
from app.core.variation import Variation
from app.library.webui import parameters, parse
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


def test_a_variation_is_told_as_the_web_ui_does_and_read_again() -> None:
    varied = Variation(seed=99, amount=0.15)
    text = parameters(result_of(request(variation=varied), image=IMAGE))
    assert text.endswith(", Variation seed: 99, Variation seed strength: 0.15")
    recipe = parse(text)
    assert recipe is not None
    assert recipe.values["variation"] == varied
    alone = parse("a\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Variation seed strength: 0.2")
    assert alone is not None
    assert "variation" not in alone.values
    assert "Variation seed" not in parameters(result_of(request()))


def test_the_step_that_is_shown_is_told_and_read_again() -> None:
    text = parameters(result_of(request(stop_at=4)))
    assert text.endswith(", Shown at step: 4")
    recipe = parse(text)
    assert recipe is not None
    assert recipe.values["stop_at"] == 4
    assert "Shown at step" not in parameters(result_of(request()))


def test_negative_prompt_and_lines() -> None:
    lines = parameters(result_of(request(prompt="a\nb", negative="c\nd", task=TextToImage()))).split("\n")
    assert lines[:4] == ["a", "b", "Negative prompt: c", "d"]


def test_separators_in_a_name_are_quoted_and_no_path_is_told() -> None:
    text = parameters(result_of(request(), model_name='My "best", model: 2'))
    assert text.endswith('Model: "My \\"best\\", model: 2"')
    assert "secret" not in text


# Reading


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"prompt": "a\n\nb, (c:1.3)", "negative": "d\ne: f"},
        {"prompt": "", "negative": "only this"},
        {"prompt": "Steps: a lot, Colour: red", "sampler": "euler_a"},
        {"seed": 2**63 - 1, "size": Size(8, 16384), "steps": 1},
    ],
)
def test_what_is_written_is_read_again(changes: dict[str, object]) -> None:
    asked = request(**changes)
    recipe = parse(parameters(result_of(asked, image=IMAGE, model_name='My "best", model: 2')))
    assert recipe is not None
    assert recipe.notes == ()
    assert recipe.model_name == 'My "best", model: 2'
    read = recipe.values
    assert (read["prompt"], read["negative"]) == (asked.prompt, asked.negative)
    assert (read["seed"], read["steps"], read["size"]) == (asked.seed, asked.steps, asked.size)
    assert (read["guidance"], read["sampler"], read["intent"]) == (6.5, asked.sampler, Intent.GENERATE)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_is_known_by_its_label(sampler: str) -> None:
    steps = min(12, SAMPLERS[sampler].most_steps)
    recipe = parse(parameters(result_of(request(sampler=sampler, steps=steps), image=IMAGE)))
    assert recipe is not None
    assert recipe.values["sampler"] == sampler


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("Sampler: DPM++ 2M, Schedule type: Karras", "dpmpp_2m_karras"),
        ("Sampler: DPM++ 2M SDE, Schedule type: Karras", "dpmpp_2m_sde_karras"),
        ("Sampler: DPM++ 2M, Schedule type: Automatic", "dpmpp_2m"),
        ("Sampler: Euler a", "euler_a"),
        ("Sampler: PLMS", "pndm"),
    ],
)
def test_samplers_as_other_programs_write_them(sampler: str, expected: str) -> None:
    recipe = parse(f"a\nSteps: 20, {sampler}, CFG scale: 7, Seed: 1, Size: 512x512")
    assert recipe is not None
    assert recipe.values["sampler"] == expected


def test_a_picture_from_the_web_ui() -> None:
    recipe = parse(
        "masterpiece, (a cat:1.2), <lora:fur:0.8>\nNegative prompt: blurry\nSteps: 28, Sampler: DDIM CFG++, "
        "CFG scale: 6, Seed: 4294967295, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, "
        'Denoising strength: 0.4, Hires upscale: 2, Lora hashes: "fur: 1234, other: 5678", Version: v1.9.0'
    )
    assert recipe is not None
    assert recipe.values["seed"] == 4294967295
    assert recipe.values["strength"] == 0.4
    assert recipe.values["intent"] is Intent.GENERATE
    assert "sampler" not in recipe.values
    assert recipe.notes == ("“Sampler: DDIM CFG++” is not known here and was left out.",)
    assert recipe.model_name == "v1-5-pruned-emaonly"


def test_a_refined_picture_does_not_say_what_to_do() -> None:
    recipe = parse("a\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 8x8, Denoising strength: 0.4")
    assert recipe is not None
    assert "intent" not in recipe.values


def test_numbers_are_clamped_and_nonsense_is_left_out() -> None:
    recipe = parse("a\nSteps: 99999999, Sampler: Euler, CFG scale: nan, Seed: -1, Size: 999999x0, Clip skip: 1e9")
    assert recipe is not None
    assert recipe.values["steps"] == 1000
    assert recipe.values["size"] == Size(16384, 1)
    assert not {"guidance", "seed", "seed_locked"} & set(recipe.values)


@pytest.mark.parametrize("text", ["", "a cat", "a: b\nc: d, e: f", "\n\n\n", "Steps", "x" * 1_000_001])
def test_other_texts_are_none(text: str) -> None:
    assert parse(text) is None


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from('aS:,"\\\n 1x-\0{}') | st.characters(), max_size=400))
def test_any_text_is_survived(text: str) -> None:
    parse(text)
    parse(f"{text}\nSteps: {text}, Sampler: Euler, Seed: {text}, Size: 8x8, CFG scale: 7")


@settings(max_examples=200, deadline=None)
@given(prompt=st.text(max_size=200), negative=st.text(max_size=100))
def test_prompts_come_back_exactly(prompt: str, negative: str) -> None:
    clean = [text.replace("\0", " ").replace("\r", "").replace("Negative prompt:", "") for text in (prompt, negative)]
    clean = [text.encode("utf-8", "replace").decode("utf-8").replace("(", "").replace("[", "") for text in clean]
    clean[1] = clean[1].strip()
    recipe = parse(parameters(result_of(request(prompt=clean[0], negative=clean[1]), image=IMAGE)))
    assert recipe is not None
    assert [recipe.values["prompt"], recipe.values["negative"]] == clean


@pytest.mark.parametrize(
    "pattern", ['"', "\\", 'a:"', "a:", ",", ", ", '"\\', " ", "\n", "a: b,", "Negative prompt:\n"]
)
def test_a_hundred_kilobytes_take_no_time(pattern: str) -> None:
    """Linear: the tenth part takes about a tenth. A quadratic parser would need minutes here."""
    text = pattern * (100_000 // len(pattern))
    began = time.process_time()
    parse(text)
    parse(f"{text}\nSteps: 1, Seed: 2, Size: {text}")
    assert time.process_time() - began < 5

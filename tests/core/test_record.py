"""A Request written as plain values comes back the same, and nothing that stands in their place can do harm."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.additions import EmbeddingUse, LoraUse
from app.core.beginning import Beginning
from app.core.geometry import Rect, Size
from app.core.params import Intent
from app.core.recipe import recipe_of
from app.core.record import VERSION, Packed, pack, unpack
from app.core.request import FrameChoice, ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.seam import Seam
from app.core.trail import Branch
from tests.fakes import some_trail

IMAGE = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
MASK = np.zeros((16, 24), np.uint8)
MASK[4:9, 6:20] = 200
TASKS: list[Task] = [TextToImage(), ImageToImage(image=IMAGE, strength=0.5), Inpaint(image=IMAGE, mask=MASK)]


def request(task: Task, **changes: Any) -> Request:
    values: dict[str, Any] = {"prompt": "猫, (a:1.2)\n", "negative": "b", "model": "/home/me/m", "size": Size(24, 16)}
    return Request(**(values | {"task": task, "seed": 2**63 - 1, "steps": 7, "guidance": 3.25} | changes))


def finished(task: Task) -> np.ndarray:
    """A picture that differs from the source where the mask says so, or everywhere."""
    picture = np.full((16, 24, 3), 9, np.uint8)
    if isinstance(task, Inpaint):
        picture = np.where(task.mask[..., None] > 0, picture, task.image)
    return picture


def through_json(packed: Packed) -> Any:
    return json.loads(json.dumps(packed.plain))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
@pytest.mark.parametrize("frame", [*FrameChoice, Rect(2, 2, 16, 12)])
def test_a_request_comes_back_the_same(task: Task, frame: Any) -> None:
    asked, picture = request(task, frame=frame), finished(task)
    packed = pack(asked, picture)
    back = unpack(through_json(packed), packed.parts, picture, asked.model)
    assert back.request == asked
    assert back.complete
    assert back.notes == ()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_how_the_first_steps_were_painted_comes_back_the_same(task: Task) -> None:
    other = np.zeros((16, 24), np.uint8)
    other[2:5, 3:9] = 255
    through = {"mask": other, "seam": Seam(grow=3)} if isinstance(task, Inpaint) else {}
    lora = LoraUse(file="/home/me/loras/Ink.safetensors", weight=0.5)
    beginnings = (
        Beginning(until=2, prompt="c", guidance=2.5, loras=(lora,), guidance_interval=(0.0, 0.5), **through),
        Beginning(until=4, prompt="d", clip_skip=2),
    )
    frame = FrameChoice.WHOLE if isinstance(task, TextToImage) else FrameChoice.AUTO
    asked = request(task, beginnings=beginnings, stop_at=5, frame=frame)
    packed = pack(asked, finished(task))
    assert "/home/me" not in json.dumps(packed.plain)
    back = unpack(through_json(packed), packed.parts, finished(task), asked.model)
    named = replace(beginnings[0], loras=(replace(lora, file="Ink.safetensors"),))
    assert back.request == replace(asked, beginnings=(named, beginnings[1]))
    assert back.complete
    recipe = recipe_of(back, "m")
    assert recipe.exact
    assert recipe.values["stop_at"] == 5
    assert recipe.values["beginnings"] == back.request.beginnings
    if through:
        bare = recipe_of(unpack(through_json(packed), (), finished(task), asked.model), "m")
        assert [beginning.mask for beginning in bare.values["beginnings"]] == [None, None]
        assert not bare.exact


@pytest.mark.parametrize("plain", [{}, {"until": 0}, {"until": "2"}, 3, [{"until": 3}, {"until": 2}]])
def test_beginnings_that_are_none_are_left_out_with_a_note(plain: Any) -> None:
    packed = through_json(pack(request(TASKS[0]), finished(TASKS[0])))
    packed["request"]["beginnings"] = plain if isinstance(plain, list) else [plain]
    packed["request"]["stop_at"] = -4
    back = unpack(packed, ())
    assert all(beginning.until >= 1 for beginning in back.request.beginnings)
    assert back.request.stop_at == 0


def test_only_what_the_picture_does_not_hold_is_written() -> None:
    task = TASKS[2]
    packed = pack(request(task), finished(task))
    assert [part.shape for part in packed.parts] == [(5, 14, 3), (5, 14)]
    assert "/home/me" not in json.dumps(packed.plain)


@pytest.mark.parametrize("task", TASKS[1:], ids=lambda task: type(task).__name__)
def test_without_its_pixels_the_settings_are_told_all_the_same(task: Task) -> None:
    packed = pack(request(task), finished(task)).without_parts()
    back = unpack(through_json(packed), packed.parts, finished(task))
    assert not back.complete
    assert type(back.request.task) is type(task)
    assert back.request.task.strength == task.strength  # type: ignore[union-attr]
    recipe = recipe_of(back, "m")
    assert (recipe.source, recipe.mask, recipe.exact) == (None, None, False)
    assert recipe.values["seed"] == 2**63 - 1


def test_pixels_around_a_crop_need_the_picture() -> None:
    packed = pack(request(TASKS[2]), finished(TASKS[2]))
    assert not unpack(packed.plain, packed.parts, None).complete
    assert not unpack(packed.plain, packed.parts, np.zeros((8, 8, 3), np.uint8)).complete


def test_missing_fields_get_their_default_and_unknown_ones_are_passed_over() -> None:
    plain = {"version": VERSION, "request": {"prompt": "a", "size": {"width": 8, "height": 8}, "colour": "red"}}
    back = unpack(plain, (), None)
    assert back.request == Request(prompt="a", model="", size=Size(8, 8))
    assert back.notes == ()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("steps", 10**9, 1000),
        ("steps", -5, 1),
        ("guidance", 1e300, 100.0),
        ("guidance", 5, 5.0),
        ("seed", -1, 0),
        ("seed", 2**70, 2**63 - 1),
    ],
)
def test_numbers_out_of_range_are_brought_into_it(field: str, value: Any, expected: Any) -> None:
    plain = pack(request(TextToImage()), IMAGE).plain
    back = unpack({**plain, "request": plain["request"] | {field: value}}, (), None)
    assert getattr(back.request, field) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", "7"),
        ("steps", True),
        ("guidance", float("nan")),
        ("negative", None),
        ("sampler", "no such"),
        ("sampler", ["euler"]),
        ("task", {"kind": "Rm", "path": "/"}),
        ("task", {"kind": "Inpaint", "image": {"shape": [10**9, 10**9, 3]}}),
        ("frame", {"kind": "Rect", "x": 0, "y": 0, "width": "2", "height": 2}),
        ("frame", "elsewhere"),
        ("clip_skip", -3),
    ],
)
def test_what_makes_no_sense_is_left_at_its_default_with_a_note(field: str, value: Any) -> None:
    plain = pack(request(TextToImage()), IMAGE).plain
    back = unpack({**plain, "request": plain["request"] | {field: value}}, (), None)
    assert getattr(back.request, field) == getattr(Request(prompt="", model="", size=Size(8, 8)), field)
    assert back.notes


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {},
        {"version": 1},
        {"version": VERSION + 1, "request": {}},
        {"version": 1, "request": {"prompt": "a"}},
        {"version": 1, "request": {"prompt": "(a:99)", "size": {"width": 8, "height": 8}}},
    ],
)
def test_what_is_no_record_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(plain, (), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_json_in_any_place_is_survived(data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(TASKS))
    packed = pack(request(task), finished(task))
    plain = through_json(packed)
    place = plain["request"]
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    try:
        back = unpack(plain, packed.parts, finished(task))
    except ValueError:
        return
    assert isinstance(back.request, Request)


def test_a_recipe_leads_to_the_same_parameters() -> None:
    packed = pack(request(TASKS[2], frame=FrameChoice.AUTO), finished(TASKS[2]))
    recipe = recipe_of(unpack(packed.plain, packed.parts, finished(TASKS[2])), "My model")
    assert recipe.values["intent"] is Intent.INPAINT
    assert recipe.values["inpaint_strength"] == 1.0
    assert recipe.values["seed_locked"]
    assert "size" not in recipe.values
    assert recipe.exact
    np.testing.assert_array_equal(recipe.source, IMAGE)
    np.testing.assert_array_equal(recipe.mask, MASK)


def test_a_recipe_says_what_the_panels_cannot_set() -> None:
    by_hand = request(TASKS[1], frame=Rect(0, 0, 8, 8))
    recipe = recipe_of(unpack(pack(by_hand, IMAGE).plain, (), IMAGE), "m")
    assert not recipe.exact
    assert any("frame" in note for note in recipe.notes)


def test_additions_are_told_by_name_and_never_by_path() -> None:
    loras = (LoraUse(file="/home/me/loras/style.safetensors", weight=0.5),)
    embeddings = (EmbeddingUse(file="/home/me/cat.safetensors", word="<cat>"),)
    asked = request(TextToImage(), loras=loras, embeddings=embeddings, vae="/home/me/v.safetensors")
    packed = pack(asked, finished(TextToImage()))
    assert "/home/me" not in json.dumps(packed.plain)
    back = unpack(through_json(packed), packed.parts).request
    assert back.loras == (LoraUse(file="style.safetensors", weight=0.5),)
    assert back.embeddings == (EmbeddingUse(file="cat.safetensors", word="<cat>"),)
    assert back.vae == "v.safetensors"


def test_kept_steps_are_neither_written_nor_read() -> None:
    asked = request(TextToImage())
    trail = some_trail(asked)
    plain = through_json(pack(replace(asked, resume=Branch(trail, 2)), finished(TextToImage())))
    assert "resume" not in plain["request"]
    array = {"shape": [16, 24], "around": "zero", "box": [0, 0, 0, 0]}
    told = {
        "kind": "Trail",
        "sampler": "ddim",
        "steps": 7,
        "strength": 1.0,
        "seed": 1,
        "latents": array,
        "noise": array,
    }
    plain["request"]["resume"] = {"kind": "Branch", "trail": told, "step": 0}
    back = unpack(plain, (), model="/home/me/m")
    assert (back.request, back.notes) == (asked, ())

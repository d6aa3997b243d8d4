"""Mixing another seed's noise in: none of it changes nothing, all of it is the other seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import RequestError
from app.core.geometry import Size
from app.core.request import MOST_SEED, ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.trail import Branch
from app.core.variation import Variation
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement
from app.diffusion.variation import generator_of, slerp
from tests.engine_tools import RecordingHooks, aligned_mask, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

SIZE = Size(64, 48)
TASKS: dict[str, Task] = {
    "text": TextToImage(),
    "image": ImageToImage(image=some_picture(SIZE), strength=0.6),
    "inpaint": Inpaint(image=some_picture(SIZE), mask=aligned_mask(SIZE), strength=0.8),
}
WAYS = [("plain", "text"), ("plain", "image"), ("plain", "inpaint"), ("nine", "inpaint")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("variations")
    return {
        "plain": make_tiny_model(root / "plain"),
        "nine": make_tiny_model(root / "nine", TinyShape(channels_in=9)),
    }


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Placement(torch.device("cpu"), torch.float32))


def image(engine: Engine, request: Request) -> np.ndarray:
    return engine.run(request, RecordingHooks()).image


@pytest.mark.parametrize(("model", "task"), WAYS)
@pytest.mark.parametrize("sampler", ["dpmpp_2m", "euler_a"])
def test_none_is_the_seed_itself_and_all_is_the_other(
    engine: Engine, folders: dict[str, Path], model: str, task: str, sampler: str
) -> None:
    asked = request_for(folders[model], task=TASKS[task], sampler=sampler, seed=7, steps=3)
    none = image(engine, replace(asked, variation=Variation(seed=99, amount=0.0)))
    whole = image(engine, replace(asked, variation=Variation(seed=99, amount=1.0)))
    assert np.array_equal(none, image(engine, asked))
    assert np.array_equal(whole, image(engine, replace(asked, seed=99)))
    assert not np.array_equal(none, whole)


def test_a_little_of_another_seed_stays_closer_than_much(engine: Engine, folders: dict[str, Path]) -> None:
    asked = request_for(folders["plain"], steps=3)
    own = image(engine, asked).astype(float)

    def distance(amount: float) -> float:
        varied = image(engine, replace(asked, variation=Variation(seed=99, amount=amount)))
        return float(np.abs(varied - own).mean())

    assert 0.0 < distance(0.05) < distance(0.3) < distance(1.0)


def test_what_is_mixed_is_noise_of_the_same_strength() -> None:
    drawn = [torch.randn((4, 64, 64), generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    for amount in (0.1, 0.5, 0.9):
        assert float(slerp(*drawn, amount).std()) == pytest.approx(1.0, abs=0.02)
    assert float(torch.lerp(*drawn, 0.5).std()) < 0.8, "a straight line would do if this were not so"
    assert torch.equal(slerp(drawn[0], drawn[0], 0.5), drawn[0])


def test_candidates_count_the_variation_on_and_are_what_each_is_alone(engine: Engine, folders: dict[str, Path]) -> None:
    asked = request_for(folders["plain"], steps=3, count=3, variation=Variation(seed=40, amount=0.2))
    together = engine.run(asked, RecordingHooks()).candidates
    assert [one.request.seed for one in together] == [7, 7, 7]
    assert [one.request.own_seed for one in together] == [40, 41, 42]
    assert len({one.image.tobytes() for one in together}) == 3
    assert np.array_equal(together[2].image, image(engine, together[2].request))


@pytest.mark.parametrize("task", ["text", "inpaint"])
def test_the_steps_of_a_variation_can_be_gone_on_from(engine: Engine, folders: dict[str, Path], task: str) -> None:
    varied = Variation(seed=40, amount=0.3)
    asked = request_for(folders["plain"], task=TASKS[task], sampler="euler_a", steps=4, variation=varied)
    result = engine.run(asked, RecordingHooks())
    assert result.trail is not None
    again = image(engine, replace(asked, resume=Branch(result.trail, 2)))
    assert np.array_equal(again, result.image)


def test_the_other_seed_alone_decides_which_one_it_is(folders: dict[str, Path]) -> None:
    asked = request_for(folders["plain"], variation=Variation(seed=5, amount=0.5))
    first, again = (generator_of(asked).gaussian((8,)) for _ in range(2))  # type: ignore[attr-defined]
    other = generator_of(replace(asked, variation=Variation(seed=6, amount=0.5))).gaussian((8,))  # type: ignore[attr-defined]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"amount": 1.1}, "outside 0 to 1"),
        ({"amount": float("nan")}, "outside 0 to 1"),
        ({"seed": -1}, "cannot be used"),
        ({"seed": True}, "cannot be used"),
    ],
)
def test_what_is_no_variation_is_refused_in_words(values: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Variation(**values)


def test_the_seeds_of_variations_do_not_run_past_the_largest() -> None:
    with pytest.raises(RequestError, match="run past"):
        Request(prompt="", model="m", size=SIZE, count=2, seed=1, variation=Variation(seed=MOST_SEED, amount=0.1))

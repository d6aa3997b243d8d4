"""Several candidates in one Request: each is the picture that its seed gives alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.errors import Cancelled
from app.core.geometry import Size
from app.core.request import ImageToImage, Inpaint, Task, TextToImage
from app.diffusion import generate
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.conditioning import encode_prompts
from app.diffusion.denoise import denoise
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement
from app.diffusion.start import prepare_start
from tests.engine_tools import RecordingHooks, aligned_mask, final_latents, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
SIZE = Size(64, 48)
PICTURE = some_picture(SIZE)
TASKS: dict[str, Task] = {
    "text": TextToImage(),
    "image": ImageToImage(image=PICTURE, strength=0.6),
    "inpaint": Inpaint(image=PICTURE, mask=aligned_mask(SIZE), strength=0.8),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("candidates")
    shapes = {"plain": TinyShape(), "nine": TinyShape(channels_in=9), "tiny-vae": TinyShape(vae="AutoencoderTiny")}
    return {name: make_tiny_model(root / name, shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("model", ["plain", "nine"])
def test_on_the_cpu_each_is_the_picture_of_its_seed_bit_for_bit(
    folders: dict[str, Path], model: str, task: str
) -> None:
    engine, hooks = Engine(CPU), RecordingHooks()
    request = request_for(folders[model], seed=11, count=3, steps=4, sampler="dpmpp_2m_sde", task=TASKS[task])
    result = engine.run(request, hooks)
    assert [one.request.seed for one in result.candidates] == [11, 12, 13]
    assert [one.image.tobytes() for one in hooks.candidates] == [one.image.tobytes() for one in result.candidates]
    total = 3 * result.steps
    assert hooks.steps == [(step, total) for step in range(1, total + 1)]
    for candidate in result.candidates:
        assert candidate.more == ()
        assert candidate.request.count == 1
        alone = engine.run(candidate.request, RecordingHooks())
        np.testing.assert_array_equal(candidate.image, alone.image)
        assert alone.candidates[0].request == candidate.request


@torch.inference_mode()
def latents_of_a_group(bundle: ModelBundle, requests: list[Any]) -> torch.Tensor:
    frame = generate.working_frame(bundle, requests[0])
    generators = [torch.Generator().manual_seed(one.seed) for one in requests]
    schedule = generate.make_schedule(bundle, requests[0], generators)
    start = prepare_start(bundle, requests[0], frame, schedule, generators)
    return list(denoise(bundle.unet, schedule, start.x, encode_prompts(bundle, requests[0]), start.region))[-1].x


@pytest.mark.parametrize("sampler", ["ddim", "euler_a", "dpmpp_2m_sde", "heun", "lcm"])
@pytest.mark.parametrize(
    ("model", "task", "guidance"), [("plain", "inpaint", 5.0), ("nine", "inpaint", 1.0), ("tiny-vae", "image", 5.0)]
)
def test_painted_together_they_differ_by_rounding_alone(
    folders: dict[str, Path], model: str, task: str, guidance: float, sampler: str
) -> None:
    bundle = load_bundle(folders[model], CPU)
    request = request_for(folders[model], sampler=sampler, guidance=guidance, count=3, steps=4, task=TASKS[task])
    requests = [request.alone(number) for number in range(3)]
    together = latents_of_a_group(bundle, requests)
    alone = torch.cat([final_latents(bundle, one)[0] for one in requests])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(alone[0], alone[1], atol=1e-2)


def test_a_graphics_card_paints_them_together(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.diffusion.thrift.most_at_once", lambda device, count: 2)
    hooks = RecordingHooks()
    result = Engine(CPU).run(request_for(folders["plain"], seed=3, count=3, steps=2), hooks)
    assert hooks.steps == [(2, 6), (4, 6), (5, 6), (6, 6)]
    for candidate in result.candidates:
        alone = Engine(CPU).run(candidate.request, RecordingHooks()).image
        assert np.abs(candidate.image.astype(int) - alone).max() <= 1


def test_cancel_between_candidates_keeps_those_that_were_told(folders: dict[str, Path]) -> None:
    hooks = RecordingHooks(stop_after=5)
    with pytest.raises(Cancelled):
        Engine(CPU).run(request_for(folders["plain"], count=3, steps=3), hooks)
    assert len(hooks.candidates) == 1


def test_strength_0_gives_the_source_as_often_as_it_is_asked_for(folders: dict[str, Path]) -> None:
    task = ImageToImage(image=PICTURE, strength=0)
    hooks = RecordingHooks()
    result = Engine(CPU).run(request_for(folders["plain"], count=2, task=task), hooks)
    assert len(result.candidates) == len(hooks.candidates) == 2
    np.testing.assert_array_equal(result.candidates[1].image, PICTURE)

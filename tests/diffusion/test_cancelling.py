"""A cancel takes effect at the next block of UNet or VAE, and what is painted afterwards is the same bit for bit."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.errors import Cancelled
from app.core.geometry import Size
from app.core.job import Phase
from app.core.request import Inpaint, Request
from app.diffusion.bundle import load_bundle
from app.diffusion.cancelling import stoppable
from app.diffusion.engine import Engine
from app.diffusion.kept import Kept
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, aligned_mask, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
SIZE = Size(64, 48)


@dataclass
class StopsWhenAsked(RecordingHooks):
    """Says that the person cancelled from the ``limit``-th question on."""

    limit: float = float("inf")
    asked: int = 0

    def cancelled(self) -> bool:
        self.asked += 1
        return self.asked > self.limit


@pytest.fixture(scope="module", params=["AutoencoderKL", "AutoencoderTiny"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("cancelling") / "model", TinyShape(vae=request.param))


def _request(folder: Path) -> Request:
    task = Inpaint(image=some_picture(SIZE), mask=aligned_mask(SIZE), strength=0.8)
    return request_for(folder, steps=3, sampler="dpmpp_2m_sde", task=task)


def test_cancelled_in_any_block_and_painted_again(folder: Path) -> None:
    # nothing kept, or the source would be read in the first run only
    engine, request = Engine(CPU, prepare=lambda bundle: replace(bundle, kept=Kept(most=0))), _request(folder)
    hooks = StopsWhenAsked()
    whole = engine.run(request, hooks).image
    assert hooks.asked > 100
    for limit in sorted(random.Random(5).sample(range(hooks.asked), 20)):
        stopped = StopsWhenAsked(limit=limit)
        with pytest.raises(Cancelled):
            engine.run(request, stopped)
        assert stopped.asked == limit + 1, "it went on after it was told to stop"
        assert not stopped.candidates
    np.testing.assert_array_equal(engine.run(request, RecordingHooks()).image, whole)


@pytest.mark.parametrize("phase", [Phase.ENCODING, Phase.DENOISING, Phase.DECODING])
def test_every_phase_is_stopped_within(folder: Path, phase: Phase) -> None:
    class StopsIn(RecordingHooks):
        """Cancelled at the third question within the phase."""

        left = 3

        def cancelled(self) -> bool:
            if self.phases[-1:] == [phase]:
                self.left -= 1
            return self.left <= 0

    hooks = StopsIn()
    with pytest.raises(Cancelled):
        Engine(CPU).run(_request(folder), hooks)
    assert hooks.phases[-1] is phase
    assert len(hooks.steps) == (2 if phase is Phase.DECODING else 0)  # strength 0.8 of 3 steps


def test_nothing_stays_on_the_networks(folder: Path) -> None:
    bundle = load_bundle(folder, CPU)
    with stoppable(bundle, lambda: False):
        assert any(module._forward_pre_hooks for module in bundle.unet.modules())
        assert any(module._forward_pre_hooks for module in bundle.vae.modules())
    for network in (bundle.unet, bundle.vae):
        assert not any(module._forward_pre_hooks for module in network.modules())

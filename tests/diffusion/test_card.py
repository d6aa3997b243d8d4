"""The way of working on a graphics card, on stand-ins: it waits for nothing within the loop, and paints the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from app.core.errors import Cancelled, UserError
from app.core.geometry import Size
from app.core.request import ImageToImage, Inpaint, Request
from app.core.samplers import SAMPLERS
from app.core.trail import Branch
from app.diffusion import transfers
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.conditioning import Guidance
from app.diffusion.denoise import Step, denoise
from app.diffusion.engine import Engine
from app.diffusion.follow import AHEAD, Follower
from app.diffusion.placement import Placement
from app.diffusion.regions import BlendMask, ConcatMask, Region, Together
from app.diffusion.schedule import Schedule
from app.diffusion.transfers import Unhurried, sent
from app.diffusion.unet_pass import SharedPass
from tests.cards import as_card
from tests.diffusion.test_thrift import spoiling
from tests.engine_tools import RecordingHooks, aligned_mask, final_latents, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
META = torch.device("meta")
SIZE = Size(64, 48)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("card") / "plain")


@pytest.fixture(scope="module")
def bundle(folder: Path) -> ModelBundle:
    return load_bundle(folder, CPU)


# Nothing within the loop waits. torch's meta device has no numbers: whoever looks at one fails.


class WaitedError(AssertionError):
    pass


_LOOKS = ("_local_scalar_dense", "_linalg_check_errors", "nonzero", "masked_select", "equal")


class NoWaiting(TorchDispatchMode):
    """Raises where the processor would wait for what is queued on the device: it looks at a number there, or carries
    some over by itself. (A single number on the processor is told to the device with the work.)"""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name, given = func.overloadpacket.__name__, [one for one in tree_leaves((args, kwargs)) if torch.is_tensor(one)]
        if name in _LOOKS and any(one.device == META for one in given):
            raise WaitedError(name)
        carries = name in ("_to_copy", "copy_")
        devices = {
            one.device.type for one in [*given, *tree_leaves(out)] if torch.is_tensor(one) and (carries or one.ndim)
        }
        if len(devices) > 1 and not (carries and (kwargs.get("non_blocking") or True in args[2:])):
            raise WaitedError(f"{name} of {given[0].dtype}, {tuple(given[0].shape)}")
        return out


@pytest.fixture(scope="module")
def hollow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A UNet of nine channels without numbers."""
    made = make_tiny_model(tmp_path_factory.mktemp("card") / "nine", TinyShape(channels_in=9))
    return load_bundle(made, CPU).unet.to(META).half()


def hollow_latents(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, device=META, dtype=dtype)


class Quick:
    """A UNet's place, where only the sampler is looked at."""

    dtype = torch.float16

    def __call__(self, x: torch.Tensor, t: torch.Tensor, **given: Any) -> tuple[torch.Tensor]:
        return (x[:, :4] * t,)


def loop(bundle: ModelBundle, unet: Any, sampler: str, region: Region | None = None) -> list[Step]:
    """Two candidates, on the device without numbers, with all that a loop can have in it."""
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    schedule = Schedule(bundle.scheduler_config, SAMPLERS[sampler], 6, 1.0, generators, META)
    x, mask = hollow_latents(2, 4, 8, 8), hollow_latents(1, 1, 8, 8)
    held = region or BlendMask(mask, x.clone(), x.clone(), schedule)
    guidance = Guidance(hollow_latents(2, 24, 32, dtype=torch.float16), 5.0, least=200, most=800)
    with NoWaiting():
        return list(denoise(unet, schedule, x, guidance, Together(ConcatMask(mask, x), held)))


@pytest.mark.parametrize("sampler", list(SAMPLERS))
@torch.no_grad()  # in inference mode, operators that are made up of others are not seen in their parts
def test_no_sampler_waits_for_the_card(bundle: ModelBundle, sampler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_card(monkeypatch, "meta")
    steps = loop(bundle, Quick(), sampler)
    assert len(steps) >= 6
    assert steps[-1].x.device == META
    assert steps[-1].x.dtype == torch.float32


@pytest.mark.parametrize("shared", [True, False])
@torch.no_grad()
def test_no_pass_waits_for_the_card(
    bundle: ModelBundle, hollow: Any, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_card(monkeypatch, "meta")
    assert len(loop(bundle, SharedPass(hollow) if shared else hollow, "ddim")) == 6


@torch.no_grad()
def test_whoever_waited_would_be_seen(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    as_card(monkeypatch, "meta")

    class Looks:
        def model_input(self, x: torch.Tensor) -> torch.Tensor:
            return x

        def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor:
            assert x.isfinite().all()
            return x

    class Carries(Looks):
        def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor:
            return x + torch.ones(2, 1, 1, 1).to(x.device)

    with pytest.raises(RuntimeError, match="meta"):
        loop(bundle, Quick(), "ddim", Looks())
    with pytest.raises(WaitedError):
        loop(bundle, Quick(), "ddim", Carries())
    monkeypatch.setattr("app.diffusion.schedule.unhurried", lambda device: torch.no_grad())
    for sampler in ("euler_a", "unipc"):  # what they draw and solve would be waited for but for Unhurried
        with pytest.raises(WaitedError):
            loop(bundle, Quick(), sampler)


def test_what_is_sent_is_sent_from_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    as_card(monkeypatch, "meta")
    pinned: list[torch.Tensor] = []
    monkeypatch.setattr("app.diffusion.transfers._pinned", lambda x: pinned.append(x) or x)
    with NoWaiting():
        assert sent(torch.ones(3), META, torch.float16).dtype == torch.float16
        with Unhurried():
            torch.ones(3).to(META)
            torch.ones(3).to(torch.empty(1, device=META, dtype=torch.float16))
            torch.ones(3).to(device="meta", dtype=torch.float64)
            assert torch.ones(3).to(torch.float16).device.type == "cpu"  # stays
    assert [one.dtype for one in pinned] == [torch.float16, torch.float32, torch.float16, torch.float64]


class Short:
    """A tensor where the system has no pinned memory left."""

    def __init__(self, x: torch.Tensor) -> None:
        self._x, self.device = x, x.device

    def pin_memory(self) -> torch.Tensor:
        raise RuntimeError("CUDA error: out of memory")

    def to(self, device: Any, non_blocking: bool = False) -> torch.Tensor:
        if torch.device(device).type == "cpu" and non_blocking:
            raise RuntimeError("CUDA error: out of memory")
        return self._x.to(device)

    def cpu(self) -> torch.Tensor:
        return self._x


@pytest.mark.expects_log
def test_without_pinned_memory_it_goes_over_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(transfers, "runs_ahead", lambda device: device.type == "meta")
    short: Any = Short(torch.ones(3))
    assert sent(short, META).device == META
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: None)
    card = transfers.CudaCard(torch.device("cuda"))
    assert torch.equal(card.copied(short), torch.ones(3))
    assert len([line for line in caplog.records if "no pinned memory" in line.message]) == 2


# A card that is behind, in the processor's place: real numbers, late


def requests(folder: Path) -> Iterator[Request]:
    picture = some_picture(SIZE)
    yield request_for(folder, sampler="dpmpp_2m_sde", count=2)
    yield request_for(folder, sampler="euler_a", task=ImageToImage(image=picture, strength=0.7))
    yield request_for(folder, sampler="unipc", task=Inpaint(image=picture, mask=aligned_mask(SIZE), strength=0.8))


def test_the_picture_its_steps_and_its_previews_are_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for request in requests(folder):
        plain = RecordingHooks()
        expected = Engine(CPU).run(request, plain)
        with monkeypatch.context() as patch:
            cards, hooks = as_card(patch), RecordingHooks()
            result = Engine(CPU).run(request, hooks)
        assert sum(card.waits for card in cards) > len(plain.steps)
        assert hooks.steps == plain.steps
        for mine, theirs in zip(result.candidates, expected.candidates, strict=True):
            np.testing.assert_array_equal(mine.image, theirs.image)
            assert mine.trail == theirs.trail
        assert len(hooks.previews) == len(hooks.steps)
        for mine, theirs in zip(hooks.previews, plain.previews, strict=True):
            np.testing.assert_array_equal(mine.pixels, theirs.pixels)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_every_sampler_ends_in_the_same_latents(
    bundle: ModelBundle, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Inpaint(image=some_picture(SIZE), mask=aligned_mask(SIZE), strength=0.9)
    request = request_for(Path("unused"), sampler=sampler, steps=6, task=task)
    expected = final_latents(bundle, request)[0]
    as_card(monkeypatch)
    assert torch.equal(final_latents(bundle, request)[0], expected)


def test_a_run_is_gone_on_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_for(folder, sampler="dpmpp_2m_sde")
    first = Engine(CPU).run(request, RecordingHooks())
    assert first.trail is not None
    as_card(monkeypatch)
    for step in (0, 2, len(first.trail)):
        again = Engine(CPU).run(replace(request, resume=Branch(first.trail, step)), RecordingHooks())
        np.testing.assert_array_equal(again.image, first.image)


def test_the_processor_is_one_step_ahead_and_no_more(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = as_card(monkeypatch)
    asked: list[int] = []

    def steps() -> Iterator[Step]:
        for number in range(1, 6):
            asked.append(number)
            x = torch.full((1, 4, 2, 2), float(number))
            yield Step(number, 5, x, x + 1, x)

    told = []
    for seen in Follower(bundle.preview, torch.device("cpu")).seen(steps()):
        assert seen.finite
        assert float(seen.x.mean()) == seen.step.number  # arrived, and its own
        assert float(seen.noise.mean()) == seen.step.number + 1
        told.append(seen.step.number)
        assert asked[-1] == min(5, told[-1] + AHEAD)
        assert cards[0].done == 4 * told[-1]  # nothing that was queued later was waited for
    assert told == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_found(folder: Path, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    as_card(monkeypatch)
    engine = Engine(CPU)
    engine.run(request_for(folder, steps=1), RecordingHooks())
    assert engine._bundle is not None
    with torch.no_grad():
        engine._bundle.unet.conv_out.bias[0] = value
    for steps in (1, 4):
        hooks = RecordingHooks()
        with pytest.raises(UserError, match="no numbers"):
            engine.run(request_for(folder, steps=steps), hooks)
        assert hooks.steps == []
        assert not hooks.candidates


def test_in_half_precision_they_are_answered_with_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_card(monkeypatch)
    engine, request = Engine(Placement(torch.device("cpu"), torch.bfloat16)), request_for(folder, steps=3)
    good = engine.run(request, RecordingHooks())
    assert engine._bundle is not None
    unet = engine._bundle.unet
    monkeypatch.setattr(unet, "forward", spoiling(unet.forward, unet))
    result = engine.run(request, RecordingHooks())
    assert result.notes == ("It was painted in full precision: in half of it, the model's values ran over.",)
    assert np.abs(result.image.astype(int) - good.image).mean() < 12


def test_a_cancel_takes_effect_within_two_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_card(monkeypatch)
    engine, passes = Engine(CPU), []
    engine.run(request_for(folder, steps=1), RecordingHooks())
    assert engine._bundle is not None
    engine._bundle.unet.conv_in.register_forward_hook(lambda *_: passes.append(1))
    hooks = RecordingHooks(stop_after=2)
    with pytest.raises(Cancelled):
        engine.run(request_for(folder, steps=8, sampler="ddim"), hooks)
    assert len(hooks.steps) == 2
    assert len(passes) <= 2 + AHEAD
    assert not hooks.candidates

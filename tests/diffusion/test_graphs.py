"""Recorded passes, on a stand-in for a CUDA graph: played where they may be, else computed as ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.environment import GRAPHS
from app.core.errors import Cancelled
from app.core.geometry import Size
from app.core.request import ImageToImage
from app.diffusion import graphs, quick
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.engine import Engine
from app.diffusion.graphs import RecordedPass
from app.diffusion.placement import Placement
from app.diffusion.thrift import Thrift, applied
from app.diffusion.unet_pass import SharedPass
from tests.engine_tools import RecordingHooks, request_for, some_picture
from tests.tiny_models import make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("graphs") / "tiny")


@pytest.fixture
def bundle(folder: Path) -> ModelBundle:
    return load_bundle(folder, CPU)


class FakeTape:
    """Does at each play what it was told once; as on a card, recording alone computes nothing."""

    def __init__(self) -> None:
        self.plays = 0

    def record(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        self._work = work
        self._made = torch.full_like(work(), torch.nan)
        return self._made

    def play(self) -> None:
        self.plays += 1
        self._made.copy_(self._work())


class Deck:
    """Hands out tapes and remembers them."""

    def __init__(self, kind: Callable[[], FakeTape] = FakeTape) -> None:
        self.tapes: list[FakeTape] = []
        self._kind = kind

    def __call__(self) -> FakeTape:
        self.tapes.append(self._kind())
        return self.tapes[-1]


def inputs(seed: int, height: int = 8, rows: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, texts = (torch.randn(shape, generator=generator) for shape in ((1, 4, height, 8), (rows, 24, 32)))
    return x, torch.tensor(100 + seed), texts


def test_a_pass_is_computed_once_recorded_once_and_then_played(bundle: ModelBundle) -> None:
    deck, whole = Deck(), SharedPass(bundle.unet)
    recorded = RecordedPass(lambda: SharedPass(bundle.unet), deck)
    answers = []
    for seed in range(1, 6):  # other latents, time and texts each: nothing of them may be baked in
        answers.append((recorded.predict(*inputs(seed)), whole.predict(*inputs(seed))))
        assert [tape.plays for tape in deck.tapes] == ([] if seed == 1 else [seed - 1])
    for mine, theirs in answers:  # and none is written over by a later play
        assert torch.equal(mine, theirs)


def test_each_shape_has_a_recording_of_its_own(bundle: ModelBundle) -> None:
    deck, whole = Deck(), SharedPass(bundle.unet)
    recorded = RecordedPass(lambda: SharedPass(bundle.unet), deck)
    kinds = [{}, {"height": 10}, {"rows": 1}]
    for seed in (1, 2, 3):
        for kind in kinds:
            assert torch.equal(recorded.predict(*inputs(seed, **kind)), whole.predict(*inputs(seed, **kind)))
    x, t, texts = inputs(4)
    for _ in range(2):
        recorded.predict(x.contiguous(memory_format=torch.channels_last), t, texts)
    assert [tape.plays for tape in deck.tapes] == [2, 2, 2, 1]


class Refuses(FakeTape):
    def record(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")


class OutOfMemory(FakeTape):
    def record(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")


class BreaksLater(FakeTape):
    def play(self) -> None:
        super().play()
        if self.plays == 2:
            raise RuntimeError("CUDA error: invalid argument")


@pytest.mark.expects_log
@pytest.mark.parametrize("kind", [Refuses, OutOfMemory, BreaksLater])
def test_where_the_card_refuses_all_is_as_ever(
    bundle: ModelBundle, kind: type[FakeTape], caplog: pytest.LogCaptureFixture
) -> None:
    deck, whole = Deck(kind), SharedPass(bundle.unet)
    recorded = RecordedPass(lambda: SharedPass(bundle.unet), deck)
    for seed in range(1, 6):
        assert torch.equal(recorded.predict(*inputs(seed)), whole.predict(*inputs(seed)))
    assert len(deck.tapes) == 1, "it was tried again"
    assert [line.levelname for line in caplog.records if "record" in line.message] == ["WARNING"]


def test_a_cancel_while_recording_is_a_cancel(bundle: ModelBundle) -> None:
    recorded = RecordedPass(lambda: SharedPass(bundle.unet), Deck())
    recorded.predict(*inputs(1))

    def stop(module: object, inputs: object) -> None:
        raise Cancelled

    handle = bundle.unet.conv_in.register_forward_pre_hook(stop)
    with pytest.raises(Cancelled):
        recorded.predict(*inputs(2))
    handle.remove()
    assert torch.equal(recorded.predict(*inputs(3)), SharedPass(bundle.unet).predict(*inputs(3)))


def recording_engine(monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, Deck]:
    """On the processor, as if it were a card with recordings asked for."""
    deck = Deck()
    monkeypatch.setattr(graphs, "CudaTape", lambda device: deck())
    return Engine(CPU, prepare=lambda bundle: replace(bundle, shares=True, records=True)), deck


def test_pictures_are_the_same_and_no_recording_outlives_its_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, deck = recording_engine(monkeypatch)
    plain = Engine(CPU, prepare=lambda bundle: replace(bundle, shares=True))
    task = ImageToImage(image=some_picture(Size(64, 48)), strength=0.9)
    for count, request in enumerate(
        (
            request_for(folder, sampler="pndm", steps=6),  # it keeps what was predicted
            request_for(folder, sampler="dpmpp_2m", steps=6, task=task),
            request_for(folder, sampler="ddim", steps=6, seed=8),
        ),
        1,
    ):
        mine, theirs = (one.run(request, RecordingHooks()) for one in (engine, plain))
        np.testing.assert_array_equal(mine.image, theirs.image)
        assert mine.trail == theirs.trail
        assert len(deck.tapes) == count
        assert deck.tapes[-1].plays == mine.steps - 1


def test_where_guidance_ends_another_recording_begins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, deck = recording_engine(monkeypatch)
    request = request_for(folder, sampler="ddim", steps=8, guidance_interval=(0.0, 0.5))
    result = engine.run(request, RecordingHooks())
    assert [tape.plays for tape in deck.tapes] == [3, 3]
    plain = Engine(CPU, prepare=lambda bundle: replace(bundle, shares=True)).run(request, RecordingHooks())
    np.testing.assert_array_equal(result.image, plain.image)


def test_drafts_and_short_memory_are_not_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, deck = recording_engine(monkeypatch)
    engine.run(request_for(folder, steps=6, draft=True), RecordingHooks())
    assert deck.tapes == []
    bundle = replace(load_bundle(folder, CPU), shares=True, records=True)
    for rung in (
        Thrift(passes=True),
        Thrift(sliced=True),
        Thrift(in_turns=True),
        Thrift(on_cpu=True),
        Thrift(full=True),
    ):
        with applied(bundle, rung) as working:
            assert not working.records
    with applied(bundle, Thrift(at_once=4)) as working:
        assert working.records


def test_nothing_is_recorded_unless_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And never on the processor."""
    monkeypatch.setattr(quick, "TINY", 0)
    cuda = Placement(torch.device("cuda"), torch.float16)
    for value, records in ((None, False), ("", False), ("0", False), ("1", True)):
        monkeypatch.delenv(GRAPHS, raising=False) if value is None else monkeypatch.setenv(GRAPHS, value)
        assert quick.quickened(replace(load_bundle(folder, CPU), placement=cuda)).records is records
        assert not quick.quickened(load_bundle(folder, CPU)).records

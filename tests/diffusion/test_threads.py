"""Small work is done by one thread, large work by all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import torch

from app.core.errors import UserError
from app.core.geometry import Size
from app.core.job import Preview
from app.core.settings import resources
from app.diffusion.engine import Engine
from app.diffusion.placement import Placement
from tests.engine_tools import RecordingHooks, request_for

STARTER = resources() / "models" / "starter"
CPU = Placement(torch.device("cpu"), torch.float32)


@dataclass
class Counting(RecordingHooks):
    """Remembers how many threads there were at each step."""

    threads: set[int] = field(default_factory=set)
    stumbles: bool = False

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self.threads.add(torch.get_num_threads())
        if self.stumbles:
            raise UserError("no", "no")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CPU)


@pytest.mark.parametrize(
    ("side", "count", "threads"), [(128, 1, 1), (256, 1, 1), (128, 4, 1), (264, 1, 2), (128, 5, 1)]
)
def test_a_small_picture_of_a_small_model_is_one_thread_s_work(
    engine: Engine, side: int, count: int, threads: int
) -> None:
    hooks = Counting()
    engine.run(request_for(STARTER, size=Size(side, side), count=count, steps=1, guidance=1.0), hooks)
    assert hooks.threads == {threads}
    assert torch.get_num_threads() == 2


def test_whatever_happens_the_others_come_back(engine: Engine) -> None:
    with pytest.raises(UserError):
        engine.run(request_for(STARTER, size=Size(64, 64), steps=2), Counting(stumbles=True))
    assert torch.get_num_threads() == 2


def test_a_model_that_is_left_as_it_is_keeps_torch_s_threads() -> None:
    hooks = Counting()
    Engine(CPU, prepare=lambda bundle: bundle).run(request_for(STARTER, size=Size(64, 64), steps=1), hooks)
    assert hooks.threads == {2}

"""Stand-ins for a graphics card: one that comes to what it was asked only when it is waited for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from app.diffusion import transfers


class SlowMark:
    def __init__(self, card: SlowCard) -> None:
        self._card = card
        self._come_to = len(card.queue)

    def synchronize(self) -> None:
        self._card.waits += 1
        self._card.advance(self._come_to)


class SlowCard:
    """Copies hold nonsense until somebody waits for a mark that stands behind them."""

    def __init__(self, device: torch.device) -> None:
        self.queue: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.done = 0
        self.waits = 0
        self._open = False
        cards.append(self)

    @contextlib.contextmanager
    def beside(self, used: Sequence[torch.Tensor]) -> Iterator[None]:
        self._open = True
        yield
        self._open = False

    def copied(self, x: torch.Tensor) -> torch.Tensor:
        assert self._open, "a copy in the main queue holds up what follows"
        here = torch.full_like(x, True if x.dtype == torch.bool else 77)
        self.queue.append((here, x.clone()))
        return here

    def mark(self) -> SlowMark:
        return SlowMark(self)

    def advance(self, to: int) -> None:
        for here, value in self.queue[self.done : to]:
            here.copy_(value)
        self.done = max(self.done, to)


cards: list[SlowCard] = []
"""Those that were made since ``as_card``."""


def as_card(patch: pytest.MonkeyPatch, kind: str = "cpu") -> list[Any]:
    """From now on this kind of device is taken for a card. Returns the cards that are made."""
    cards.clear()
    patch.setattr(transfers, "runs_ahead", lambda device: device.type == kind)
    patch.setattr(transfers, "_pinned", lambda x: x)
    patch.setattr(transfers, "CudaCard", SlowCard)
    return cards

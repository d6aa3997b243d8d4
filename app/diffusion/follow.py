"""What the processor sees of a run: each step once the device has done it, while it works on the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from app.core.request import Pixels
from app.diffusion.denoise import Step
from app.diffusion.preview import PreviewMap
from app.diffusion.transfers import Card, Fetched, card_of

AHEAD = 1
"""Steps that are queued on a card before the one before them is looked at. The card is never idle for the look, and yet
progress and preview are those of now, and a cancel takes effect within two steps."""


@dataclass(frozen=True)
class Seen:
    """A step that the device has done. ``x`` and ``noise`` lie on the processor, ``colours`` are the first candidate's
    clean estimate (h x w x 3); ``finite``: all latents are numbers."""

    step: Step
    finite: bool
    colours: Pixels
    x: torch.Tensor
    noise: torch.Tensor


class Follower:
    """Looks at one run's steps on its device: what is looked at is worked out there, and comes over beside the next
    step. Where the processor cannot be ahead of the device, each step is looked at before the next begins."""

    def __init__(self, preview: PreviewMap, device: torch.device, card: Card | None = None) -> None:
        self._card = card or card_of(device)
        self._preview = preview.on(device)

    def seen(self, steps: Iterable[Step]) -> Iterator[Seen]:
        ahead = 0 if self._card is None else AHEAD
        waiting: deque[tuple[Step, Fetched]] = deque()
        for step in steps:
            waiting.append((step, self._looked_at(step)))
            while len(waiting) > ahead:
                yield _taken(*waiting.popleft())
        while waiting:
            yield _taken(*waiting.popleft())

    def _looked_at(self, step: Step) -> Fetched:
        if self._card is None:
            return Fetched(tuple(one.cpu() for one in self._look(step)))
        with self._card.beside((step.x, step.noise, step.clean)):
            copies = tuple(self._card.copied(one) for one in self._look(step))
            return Fetched(copies, self._card.mark())

    def _look(self, step: Step) -> tuple[torch.Tensor, ...]:
        return torch.isfinite(step.x).all(), self._preview.colours(step.clean), step.x, step.noise


def _taken(step: Step, fetched: Fetched) -> Seen:
    finite, colours, x, noise = fetched.taken()
    return Seen(step, bool(finite), colours.numpy(), x, noise)

"""The random numbers of a Request: its seed's, or those mixed with another seed's."""

from __future__ import annotations

import math

import torch

from app.core.request import Request


class MixedGenerator(torch.Generator):
    """The seed's generator, with a second one beside it: what the picture begins with is drawn from both.

    What a sampler adds at its steps is drawn from the first alone.
    """

    other: torch.Generator
    amount: float

    def gaussian(self, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Noise of unit variance, from the first generator to the second by ``amount``."""
        first = torch.randn(shape, generator=self, dtype=dtype)
        return slerp(first, torch.randn(shape, generator=self.other, dtype=dtype), self.amount)


def generator_of(request: Request) -> torch.Generator:
    """All that is random in this Request's picture comes from here. Amounts of 0 and 1 are the seeds themselves."""
    variation = request.variation
    if variation.amount == 0.0:
        return torch.Generator().manual_seed(request.seed)
    if variation.amount == 1.0:
        return torch.Generator().manual_seed(variation.seed)
    mixed = MixedGenerator()
    mixed.manual_seed(request.seed)
    mixed.other = torch.Generator().manual_seed(variation.seed)
    mixed.amount = variation.amount
    return mixed


def slerp(first: torch.Tensor, second: torch.Tensor, amount: float) -> torch.Tensor:
    """From one noise to another along the sphere that both lie on (Shoemake 1985): a straight line would leave it,
    and noise that is too weak makes pictures dull."""
    a, b = first.double().flatten(), second.double().flatten()
    cosine = float(torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if math.sin(angle) < 1e-6:  # nearly the same, or opposite: there is no one way around
        return torch.lerp(first, second, amount)
    weights = math.sin((1.0 - amount) * angle) / math.sin(angle), math.sin(amount * angle) / math.sin(angle)
    return (weights[0] * a + weights[1] * b).to(first.dtype).reshape(first.shape)

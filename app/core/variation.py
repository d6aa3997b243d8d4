"""Variation: how much of another seed's noise is mixed into a picture's own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.core.errors import RequestError

MOST_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Variation:
    """``amount`` 0: the seed's own noise, and the picture that it gives; 1: the noise of the other ``seed``, and that
    one's picture. Between them lie pictures that have ever less in common with the first. Raises RequestError."""

    seed: int = 0
    amount: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed <= MOST_SEED:
            raise RequestError(
                f"The variation seed {self.seed} cannot be used.", f"Choose a whole number from 0 to {MOST_SEED}."
            )
        if not (math.isfinite(self.amount) and 0.0 <= self.amount <= 1.0):
            raise RequestError(
                f"The variation of {self.amount} is outside 0 to 1.",
                "Choose a number between 0 (the seed's own picture) and 1 (the other seed's).",
            )

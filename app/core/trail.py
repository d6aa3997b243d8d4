"""What a run leaves at each of its steps, so that any of them can be looked at and gone on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import RequestError
from app.core.geometry import Rect, Size

Latents = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trail:
    """The steps of one candidate: some ten kilobytes each for a picture of 512 x 512.

    ``latents``: (N + 1) x C x h x w, before the first of N steps and after each. ``noise``: N x C x h x w, what the
    model predicted at each. Together they bring a scheduler, whatever history it keeps, to the state that it had after
    any step, without the model. ``channels_last``: for each of the latents and of the predictions, whether it lay that
    way in memory; laid otherwise, convolutions round otherwise. ``reseeded``: the steps at which the sampler went on
    with numbers from another seed. The rest is what a Request must have in common with the run to go on from it;
    ``box`` and ``working`` tell the frame.
    """

    latents: Latents
    noise: Latents
    channels_last: tuple[tuple[bool, ...], tuple[bool, ...]]
    sampler: str
    steps: int
    strength: float
    seed: int
    size: Size
    box: Rect
    working: Size
    reseeded: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for array in (self.latents, self.noise):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.noise)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trail) and all(
            np.array_equal(mine, vars(other)[name]) if isinstance(mine, np.ndarray) else mine == vars(other)[name]
            for name, mine in vars(self).items()
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()  # unpickled arrays can be written to again

    __hash__ = None  # type: ignore[assignment]  # holds arrays


@dataclass(frozen=True)
class Branch:
    """Go on after ``step`` steps of a run (0: from its start) with whatever prompt, guidance and mask the Request has.

    ``seed``: where the sampler takes its numbers from there on; None goes on with the run's own.
    """

    trail: Trail
    step: int
    seed: int | None = None

    def __post_init__(self) -> None:
        _check_step(self.trail, self.step, 0)
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise RequestError(f"The seed {self.seed} cannot be used.", "Choose a whole number of at least 0.")


@dataclass(frozen=True)
class Look:
    """Show what the model took for the finished picture at step ``step``, counted from 1, and paint nothing."""

    trail: Trail
    step: int

    def __post_init__(self) -> None:
        _check_step(self.trail, self.step, 1)


Resume = Branch | Look


def _check_step(trail: Trail, step: int, least: int) -> None:
    if isinstance(step, bool) or not isinstance(step, int) or not least <= step <= len(trail):
        raise RequestError(
            f"There is no step {step}: the steps from {least} to {len(trail)} were kept.", "Choose one of them."
        )

"""Beginning: how the first steps of a picture are painted, where that is otherwise than the rest."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.additions import EmbeddingUse, LoraUse
from app.core.errors import RequestError
from app.core.seam import Seam

MOST_BEGINNINGS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Beginning:
    """What a Request says in place of its own words until ``until`` model evaluations are done.

    ``mask`` (H x W) and ``seam``: None where they are the Request's own.
    """

    until: int
    prompt: str = ""
    negative: str = ""
    guidance: float = 7.0
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    clip_skip: int = 1
    loras: tuple[LoraUse, ...] = ()
    embeddings: tuple[EmbeddingUse, ...] = ()
    mask: NDArray[np.uint8] | None = None
    seam: Seam | None = None

    def __post_init__(self) -> None:
        if isinstance(self.until, bool) or not isinstance(self.until, int) or self.until < 1:
            raise RequestError(
                f"A picture cannot be begun with {self.until} steps.", "Choose a whole number of at least 1."
            )
        if self.mask is not None:
            self.mask.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Beginning) and all(
            np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine is theirs or mine == theirs
            for mine, theirs in ((getattr(self, it.name), getattr(other, it.name)) for it in fields(self))
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()  # an unpickled array can be written to again

    __hash__ = None  # type: ignore[assignment]  # holds an array


SAID = ("prompt", "negative", "guidance", "guidance_interval", "clip_skip", "loras", "embeddings")
"""What stands in a Request under the same name."""


def check_beginnings(beginnings: tuple[Beginning, ...], mask_shape: tuple[int, ...] | None) -> None:
    """``mask_shape``: of the Request's mask, None where it has none. Raises RequestError."""
    ends = [beginning.until for beginning in beginnings]
    if len(ends) > MOST_BEGINNINGS or ends != sorted(set(ends)):
        raise RequestError(
            "The beginnings of the picture do not follow each other.", f"Give {MOST_BEGINNINGS} at most, in order."
        )
    for beginning in beginnings:
        if beginning.mask is not None and mask_shape is not None and beginning.mask.shape != mask_shape:
            raise RequestError(
                "The first steps were painted with the mask of a picture of another size.",
                "Bring back the picture that it was painted from, or paint all steps as they are set now.",
            )

"""Coverage laid over the mask: the one formula for strokes and areas alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def blended(mask: NDArray[np.uint8], cover: NDArray[np.uint8], *, erase: bool) -> NDArray[np.uint8]:
    """Coverage laid over the mask, or taken from it; rounded, and exact at 0 and 255."""
    weight = cover.astype(np.uint16)
    kept = mask if erase else 255 - mask
    left = (kept * (255 - weight) + 127) // 255
    result: NDArray[np.uint8] = (left if erase else 255 - left).astype(np.uint8)
    return result

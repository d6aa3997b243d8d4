"""Coverage laid over the mask or over a layer: the one formula of each for strokes and areas alike."""

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


def erased(pixels: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A layer's pixels (H x W x 4, straight alpha) made transparent by the coverage; their colours stay."""
    result = pixels.copy()
    result[..., 3] = blended(pixels[..., 3], cover, erase=True)
    return result


def painted(pixels: NDArray[np.uint8], cover: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """One colour over a layer's pixels (H x W x 4, straight alpha) by the coverage: Porter and Duff's "over" (1984).

    Where nothing is covered, no bit changes.
    """
    result = pixels.copy()
    if not pixels[..., 3].any():  # mostly: nothing has been painted here yet, and it is much faster
        result[..., 3] = cover
        for channel, value in enumerate(colour):
            np.copyto(result[..., channel], np.uint8(value), where=cover > 0)
        return result
    alpha = blended(pixels[..., 3], cover, erase=False)
    result[..., 3] = alpha
    touched = cover > 0
    under = touched & (pixels[..., 3] > 0) & (cover < 255)
    result[touched, :3] = colour
    if under.any():
        weight = cover[under].astype(np.float32) / np.maximum(alpha[under], 1)
        before = pixels[under, :3].astype(np.float32)
        mixed = before + (np.array(colour, np.float32) - before) * weight[:, None]
        result[under, :3] = np.rint(mixed)
    return result

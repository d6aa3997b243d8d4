"""The zones around a mask: where the model may paint beyond it, and where its result is mixed in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.core.geometry import FramePlan, Rect
from app.core.request import Mask
from app.core.seam import Reach

_AREA = 640 * 640  # pixels that zones are worked out on, if the frame has as many: they are only shown
_MOST_STEPS = 96  # that a width is worked out in


@dataclass(frozen=True, eq=False, kw_only=True)
class Zones:
    """Three masks of one size over ``box`` of the picture. ``painted``: the mask. ``denoised``: how strongly the model
    repaints; from the mask outwards it falls to 0. ``mixed``: how much of what comes out is taken; inside the mask it
    rises to 255."""

    box: Rect
    painted: Mask
    denoised: Mask
    mixed: Mask


def zones_of(mask: Mask, plan: FramePlan, reach: Reach) -> Zones | None:
    """With the engine's own arithmetic, on a canvas as fine as the eye needs; None where nothing is painted there."""
    from PIL import Image  # not needed until somebody looks, and the window must open fast

    from app.core.edges import faded, mixing

    cut = mask[plan.box.slices]
    if not cut.any():
        return None
    scale = max(1.0, math.sqrt(plan.box.size.area / _AREA), reach.outward / _MOST_STEPS, reach.ring / _MOST_STEPS)
    size = plan.box.size.scaled(1.0 / scale)  # of the canvas; ``scale`` picture pixels to one of its own
    small = Image.fromarray(np.ascontiguousarray(cut)).resize((size.width, size.height), Image.Resampling.BILINEAR)
    painted = np.asarray(small)
    height, width = mask.shape
    box = plan.box
    beyond = (box.y == 0, box.bottom == height, box.x == 0, box.right == width)
    return Zones(
        box=box,
        painted=painted,
        denoised=faded(painted, round(reach.grow / scale), round(reach.feather / scale)),
        mixed=mixing(painted, round(reach.ring / scale), beyond),
    )

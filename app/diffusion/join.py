"""What the model painted becomes part of the picture: colours matched, mixed over the ring, all else untouched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.edges import Sides, mixing
from app.core.geometry import Rect
from app.core.request import Inpaint, Mask, Pixels
from app.diffusion.colour import match_colours
from app.diffusion.frame import WorkingFrame, mask_bounds, paste_back


@dataclass(frozen=True)
class Joined:
    """``image``: the whole picture; it may differ from the source inside ``box`` only. ``changed_outside``: pixels
    that differ where the mask keeps, counted over all of the picture; None where there is no mask. ``blend``: how much
    of the result is mixed in, per pixel of ``box``; None: wholly."""

    image: Pixels
    box: Rect
    changed_outside: int | None = None
    blend: Mask | None = None


def join(task: Inpaint, frame: WorkingFrame, canvas: Pixels) -> Joined:
    """The canvas that the model painted, put into the picture at the picture's own resolution."""
    box, reach = frame.plan.box, frame.reach
    mask = task.mask[box.slices]
    if task.seam.colour_match:
        source, painted_over = frame.trim(frame.cut(task.image)), frame.trim(frame.cut_mask(task.mask))
        canvas = match_colours(frame.trim(canvas), source, painted_over)
    alpha = mixing(mask, 0 if reach is None else reach.ring, _beyond(box, task.mask))
    image = paste_back(task.image, frame.restore(canvas), box, alpha)
    bounds = mask_bounds(mask)
    changed = Rect(box.x + bounds.x, box.y + bounds.y, bounds.width, bounds.height)
    blend = np.ascontiguousarray(alpha[bounds.slices])
    return Joined(image, changed, count_changed_outside(task.image, image, task.mask, changed), blend)


def _beyond(box: Rect, mask: Mask) -> Sides:
    """The sides of the frame that are the picture's: nothing has to be met there."""
    height, width = mask.shape
    return box.y == 0, box.bottom == height, box.x == 0, box.right == width


def count_changed_outside(source: Pixels, result: Pixels, mask: Mask, box: Rect) -> int:
    """How many pixels that the mask keeps (0) differ. Outside ``box`` there should be none, so that a comparison of
    whole strips is enough while it holds."""
    strips = (
        np.s_[: box.y],
        np.s_[box.bottom :],
        np.s_[box.y : box.bottom, : box.x],
        np.s_[box.y : box.bottom, box.right :],
    )
    same = all(np.array_equal(source[strip], result[strip]) for strip in strips)
    where = box.slices if same else np.s_[:]
    return int(((source[where] != result[where]).any(axis=2) & (mask[where] == 0)).sum())

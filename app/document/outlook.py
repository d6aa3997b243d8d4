"""What will happen to the picture, before it does: the frame, the working size, and how far the model reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from app.core.geometry import FramePlan, plan_around, plan_box, plan_reduced, plan_whole
from app.core.params import Intent, Params
from app.core.request import FrameChoice
from app.core.seam import Reach, plan_reach
from app.document import images
from app.document.document import Document

LATENT = 8  # working pixels a side of one latent


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``plan``: what the model is given and works on. ``reach``: how far beyond the mask it may paint and over how
    many pixels the result is mixed in, in picture pixels; None where there is no mask to keep to."""

    plan: FramePlan
    reach: Reach | None = None

    @property
    def sentence(self) -> str:
        """512 × 512, pasted back at 1180 × 1770"""
        box, working = self.plan.box.size, self.plan.working
        worked = f"{working.width} × {working.height}"
        return worked if box == working else f"{worked}, pasted back at {box.width} × {box.height}"


def outlook(document: Document, params: Params, native: int) -> Outlook | None:
    """What ``params.intent`` would do with a model of that native size; None where there is nothing to be seen in
    advance: a new picture, no picture or mask yet, or a frame for each part of the mask, which the engine finds."""
    if not document.has_picture:
        return None
    frame = document.frame
    match params.intent:
        case Intent.GENERATE:
            return None
        case Intent.REFINE:
            return Outlook(plan=plan_reduced(document.size, native) if frame is None else plan_box(frame, native))
        case Intent.INPAINT:
            plan = _around_mask(document, params, native)
            if plan is None:
                return None
            return Outlook(plan=plan, reach=plan_reach(params.seam, params.inpaint_strength, plan, LATENT))
        case _:
            assert_never(params.intent)


def _around_mask(document: Document, params: Params, native: int) -> FramePlan | None:
    """As the engine plans it."""
    bounds = images.bounds(document.mask)
    if bounds is None:
        return None
    if document.frame is not None:
        return plan_box(document.frame, native)
    if params.frame is FrameChoice.WHOLE:
        return plan_whole(document.size)
    if params.frame is FrameChoice.PARTS:
        return None
    asked = (params.seam.grow or 0) + (params.seam.feather or 0)
    return plan_around(document.size, bounds.grown(asked).clamped(document.size), native)

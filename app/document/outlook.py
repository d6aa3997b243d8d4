"""What will happen to the picture, before it does: the frames, the working sizes, and where the model paints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from app.core.geometry import FramePlan, Rect, Size, group_parts, plan_around, plan_box, plan_reduced, plan_whole
from app.core.mask_parts import mask_parts
from app.core.params import Intent, Params
from app.core.request import FrameChoice, Mask
from app.core.seam import Reach, plan_reach
from app.document import images
from app.document.document import Document
from app.document.zones import Zones, zones_of

LATENT = 8  # working pixels a side of one latent


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What of a document counts here. The mask shares its pixels: who writes them gets a copy of their own, so that
    this can be read on any thread."""

    size: Size
    mask: QImage
    frame: Rect | None
    has_picture: bool

    @classmethod
    def of(cls, document: Document) -> Ground:
        return cls(
            size=document.size, mask=QImage(document.mask), frame=document.frame, has_picture=document.has_picture
        )


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """One frame. ``plan``: what the model is given and works on. ``reach``: how far beyond the mask it may paint and
    over how many pixels the result is mixed in, in picture pixels, and ``zones`` where; None where there is no mask to
    keep to."""

    plan: FramePlan
    reach: Reach | None = None
    zones: Zones | None = None

    @property
    def sentence(self) -> str:
        """512 × 512, pasted back at 1180 × 1770"""
        box, working = self.plan.box.size, self.plan.working
        worked = f"{working.width} × {working.height}"
        return worked if box == working else f"{worked}, pasted back at {box.width} × {box.height}"


def outlooks(ground: Ground, params: Params, native: int) -> tuple[Outlook, ...]:
    """What ``params.intent`` would do with a model of that native size, frame by frame; none where there is nothing to
    be seen in advance: a new picture, no picture or mask yet."""
    if not ground.has_picture:
        return ()
    match params.intent:
        case Intent.GENERATE:
            return ()
        case Intent.REFINE:
            frame = ground.frame
            plan = plan_reduced(ground.size, native) if frame is None else plan_box(frame, native)
            return (Outlook(plan=plan),)
        case Intent.INPAINT:
            return _inpainting(ground, params, native)
        case _:
            assert_never(params.intent)


def _inpainting(ground: Ground, params: Params, native: int) -> tuple[Outlook, ...]:
    """As the engine plans it."""
    bounds = images.bounds(ground.mask)
    if bounds is None:
        return ()
    mask = images.to_mask(ground.mask)
    if ground.frame is not None:
        return (_inpaint(mask, plan_box(ground.frame, native), params),)
    if params.frame is FrameChoice.WHOLE:
        return (_inpaint(mask, plan_whole(ground.size), params),)
    asked = (params.seam.grow or 0) + (params.seam.feather or 0)
    parts: tuple[Rect, ...] = (bounds,)
    if params.frame is FrameChoice.PARTS:
        parts = group_parts(mask_parts(mask), ground.size, native)
    found = []
    for part in parts:
        own = mask if len(parts) == 1 else _alone(mask, part)
        around = _bounds(own, part).grown(asked).clamped(ground.size)
        found.append(_inpaint(own, plan_around(ground.size, around, native), params))
    return tuple(found)


def _inpaint(mask: Mask, plan: FramePlan, params: Params) -> Outlook:
    reach = plan_reach(params.seam, params.inpaint_strength, plan, LATENT)
    outlook = Outlook(plan=plan, reach=reach)
    zones = zones_of(mask, plan, reach)
    return outlook if zones is None else replace(outlook, zones=zones)


def _alone(mask: Mask, part: Rect) -> NDArray[np.uint8]:
    """The mask with nothing but one of its parts."""
    own = np.zeros_like(mask)
    own[part.slices] = mask[part.slices]
    return own


def _bounds(mask: Mask, part: Rect) -> Rect:
    """The smallest box within ``part`` that holds what is painted there."""
    inside = mask[part.slices]
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return Rect(part.x + x, part.y + y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)

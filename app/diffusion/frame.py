"""The part of the picture that the model works on: cut out, brought to size, padded, and pasted back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from PIL import Image

from app.core.edges import faded
from app.core.geometry import FramePlan, Rect, Size, plan_around, plan_box, plan_reduced, plan_whole
from app.core.request import FrameChoice, ImageToImage, Inpaint, Mask, Pixels, Request, TextToImage
from app.core.seam import Reach


def plan_frame(request: Request, native_size: int) -> FramePlan:
    """Which box the model is given and at how many pixels; the mask's surroundings for ``auto`` inpainting."""
    task, frame = request.task, request.frame
    if isinstance(frame, Rect) and not isinstance(task, TextToImage):
        return plan_box(frame, native_size)
    match task:
        case TextToImage():
            return plan_whole(request.size)
        case ImageToImage():
            return plan_whole(request.size) if frame is FrameChoice.WHOLE else plan_reduced(request.size, native_size)
        case Inpaint(mask=mask, seam=seam):
            if frame is FrameChoice.WHOLE:
                return plan_whole(request.size)
            # a reach that is planned is far less than the context; one that was asked for may not be
            asked = (seam.grow or 0) + (seam.feather or 0)
            bounds = mask_bounds(mask).grown(asked).clamped(request.size)
            return plan_around(request.size, bounds, native_size)
        case _:
            assert_never(task)


def mask_bounds(mask: Mask) -> Rect:
    """The smallest box that holds every pixel over 0; the mask is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return Rect(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


@dataclass(frozen=True)
class WorkingFrame:
    """Carries pixels between the picture and the model's canvas: ``plan.box`` <-> ``canvas`` (multiples of factor).

    The working pixels stand in the canvas' top left corner; what is right of and below them repeats their edge, so
    that the model sees no border there. ``reach``: the widths of the seam when a part is inpainted.
    """

    plan: FramePlan
    canvas: Size
    reach: Reach | None = None

    def cut(self, image: Pixels) -> Pixels:
        """The picture's box, at working size, padded to the canvas."""
        return self._pad(resized(image[self.plan.box.slices], self.plan.working))

    def cut_mask(self, mask: Mask) -> Mask:
        return self._pad(resized(mask[self.plan.box.slices], self.plan.working))

    def cut_denoise_mask(self, mask: Mask) -> Mask:
        """What the model repaints: the mask grown and feathered on its canvas."""
        cut = self.cut_mask(mask)
        if self.reach is None:
            return cut
        scale = self.plan.scale
        return faded(cut, round(self.reach.grow / scale), round(self.reach.feather / scale))

    def trim(self, canvas: Pixels) -> Pixels:
        """The canvas without its padding: pixels or a mask of the working size."""
        working = self.plan.working
        return canvas[: working.height, : working.width]

    def restore(self, canvas: Pixels) -> Pixels:
        """The canvas without its padding, at the box' own size."""
        return resized(self.trim(canvas), self.plan.box.size)

    def _pad(self, array: Pixels) -> Pixels:
        working = self.plan.working
        below, right = self.canvas.height - working.height, self.canvas.width - working.width
        return np.pad(array, [(0, below), (0, right), (0, 0)][: array.ndim], mode="edge")


def resized(array: Pixels, size: Size) -> Pixels:
    """To ``size`` by Lanczos for pictures and area-true bilinear for masks; the array itself when it fits already."""
    if array.shape[:2] == (size.height, size.width):
        return array
    resample = Image.Resampling.LANCZOS if array.ndim == 3 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize((size.width, size.height), resample))


def paste_back(source: Pixels, generated: Pixels, box: Rect, alpha: Mask | None) -> Pixels:
    """``source`` with ``generated`` mixed into ``box`` by ``alpha`` (both of the box' size, 255 takes all of it);
    where it is 0 not one bit changes."""
    out = source.copy()
    if alpha is None:
        out[box.slices] = generated
        return out
    part = alpha[..., None].astype(np.float32) / 255.0
    before = source[box.slices].astype(np.float32)
    mixed = before + (generated.astype(np.float32) - before) * part
    out[box.slices] = np.rint(mixed).clip(0, 255).astype(np.uint8)
    return out

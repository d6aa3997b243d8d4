"""What stands under the mask when the painting begins."""

from __future__ import annotations

from typing import assert_never

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from PIL import Image, ImageFilter

from app.core.errors import RequestError
from app.core.request import Mask, Pixels
from app.core.seam import Fill, Seam

BLUR = 1 / 12
"""Radius of the blur as a part of the canvas' shorter side: shapes go, broad colours stay."""


def filled(picture: Pixels, mask: Mask, seam: Seam) -> Pixels:
    """The picture (H x W x 3) with what ``seam.fill`` says in it, as far as the mask (H x W, 0..255) says."""
    match seam.fill:
        case Fill.ORIGINAL | Fill.NOISE:  # noise has its place among the latents
            return picture
        case Fill.BLURRED:
            radius = min(picture.shape[:2]) * BLUR
            return _mixed(picture, np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))), mask)
        case Fill.EDGES:
            return _mixed(picture, extended(picture, mask), mask)
        case Fill.TELEA:
            return _mixed(picture, telea(picture, mask), mask)
        case Fill.COLOUR:
            return _mixed(picture, np.broadcast_to(np.array(seam.colour, np.uint8), picture.shape), mask)
        case _:
            assert_never(seam.fill)


def extended(picture: Pixels, mask: Mask) -> Pixels:
    """The colours around the mask drawn smoothly into it: pull-push over a pyramid (Gortler and others, The Lumigraph,
    1996). Where nothing is kept at all, the mean colour."""
    colours = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
    kept = torch.from_numpy((mask == 0).astype(np.float32))[None, None]
    if not bool(kept.any()):
        return np.broadcast_to(np.rint(picture.mean(axis=(0, 1))).astype(np.uint8), picture.shape)
    smooth = _pull_push(colours, kept)[0].permute(1, 2, 0)
    return smooth.round().clamp(0, 255).to(torch.uint8).numpy()


def telea(picture: Pixels, mask: Mask) -> Pixels:
    """Lines of equal colour drawn on into the mask (Telea, An image inpainting technique based on the fast marching
    method, 2004), by OpenCV. Raises RequestError where that is not installed: it weighs 152 MB, so it is an extra."""
    try:
        import cv2
    except ImportError as error:
        raise RequestError(
            "Starting from “telea” needs OpenCV, which is not installed.",
            "Install “opencv-python-headless” beside Limner, or start from “edges”.",
        ) from error
    return np.asarray(cv2.inpaint(np.ascontiguousarray(picture), (mask > 0).astype(np.uint8), 5, cv2.INPAINT_TELEA))


def _pull_push(colours: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """``colours`` (1 x 3 x h x w) as far as they are ``known`` (1 x 1 x h x w, 0..1), the rest from a coarser level."""
    if bool((known >= 1).all()) or max(known.shape[-2:]) == 1:
        return colours
    weight = F.avg_pool2d(known, 2, ceil_mode=True)
    sums = F.avg_pool2d(colours * known, 2, ceil_mode=True)
    coarse = _pull_push(sums / weight.clamp(min=1e-6), (weight * 4).clamp(max=1))
    behind = F.interpolate(coarse, size=known.shape[-2:], mode="bilinear", align_corners=False)
    return colours * known + behind * (1 - known)


def _mixed(picture: Pixels, other: Pixels, mask: Mask) -> Pixels:
    part = mask[..., None].astype(np.float32) / 255
    return np.rint(picture + (other.astype(np.float32) - picture) * part).astype(np.uint8)

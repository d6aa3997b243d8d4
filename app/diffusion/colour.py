"""Colours of a repainted part brought to those around it, measured on the ring around the mask alone."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from numpy.typing import NDArray

from app.core.edges import grown
from app.core.request import Mask, Pixels

Colours = NDArray[np.float32]
"""... x 3: Oklab's lightness, green to red, blue to yellow."""
Weights = NDArray[np.float32]

RING = 6
"""Working pixels around the mask that are compared: less than a latent, nothing far away."""
SHIFT = 0.3
"""Oklab: a difference of more than this is no drift of a model's colours but another thing."""
LEAST = 8.0
"""Pixels of the ring, by their weight, without which there is nothing to go by."""
FADES = 0.25
"""The part of a neighbourhood that must be ring for its difference to count in full."""

# Björn Ottosson, "A perceptual color space for image processing", 2020 (https://bottosson.github.io/posts/oklab/)
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_CONES, _FROM_LAB = np.linalg.inv(_TO_CONES), np.linalg.inv(_TO_LAB)
_LIGHT = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255], np.float32
)


def to_oklab(pixels: Pixels) -> Colours:
    """sRGB bytes -> Oklab."""
    return np.cbrt(_LIGHT[pixels] @ _TO_CONES.T) @ _TO_LAB.T


def from_oklab(colours: Colours) -> Pixels:
    """Oklab -> sRGB bytes; what no screen can show is clipped."""
    linear = np.clip((colours @ _FROM_LAB.T) ** 3 @ _FROM_CONES.T, 0, 1)
    unit = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)
    return np.rint(unit * 255).astype(np.uint8)


def match_colours(painted: Pixels, source: Pixels, mask: Mask) -> Pixels:
    """``painted`` with the colours that ``source`` has around ``mask`` (all H x W at the model's resolution).

    Both show the same things on the ring around the mask, so what differs there is a shift of colour. As much of its
    mean as is the same all along the ring is taken from the whole picture, the rest of it from each place along the
    edge, fading out inwards (the idea of the membranes in Perez and others, Poisson Image Editing, 2003, without their
    reach: a shift of the mean and spread as a whole, as by Reinhard and others, 2001, was tried too and discoloured
    what had been asked for). Where the two differ by more than a shift would, something else was painted, and that
    place counts little. Without a ring nothing is changed.
    """
    ring = (grown(np.where(mask > 0, np.uint8(255), np.uint8(0)), RING) > 0) & (mask == 0)
    before, wanted = to_oklab(painted), to_oklab(source)
    trust = np.where(ring, np.exp(-((((before - wanted) / SHIFT) ** 2).sum(axis=2) ** 2)), 0).astype(np.float32)
    if trust.sum() < LEAST:
        return painted
    after = before + _common(wanted[ring] - before[ring], trust[ring])
    return from_oklab(after + _local((wanted - after) * trust[..., None], ring))


def _common(differences: Colours, trust: Weights) -> Colours:
    """The mean difference (n x 3 -> 3), less the more the places disagree about it (a shrinkage by mean over mean and
    spread, in squares)."""
    mean = np.average(differences, axis=0, weights=trust)
    spread = np.average((differences - mean) ** 2, axis=0, weights=trust)
    return (mean**3 / (mean**2 + spread + 1e-12)).astype(np.float32)


def _local(differences: Colours, ring: NDArray[np.bool_]) -> Colours:
    """The ring's differences spread to their neighbourhood: their mean at the edge, nothing far from it."""
    near = _blurred(np.dstack([differences, ring.astype(np.float32)]))
    weight = near[..., 3:]
    return near[..., :3] / np.maximum(weight, 1e-6) * np.minimum(weight / FADES, 1)


def _blurred(values: Colours) -> Colours:
    """H x W x C, blurred over about 5 pixels; 0 beyond the border."""
    planes = torch.from_numpy(values).permute(2, 0, 1)[None]
    for _ in range(3):  # three boxes are nearly a Gaussian
        planes = F.avg_pool2d(planes, 9, stride=1, padding=4)
    return planes[0].permute(1, 2, 0).numpy()

"""How a repainted part joins its picture: how far the model may reach, how wide the seam is, what it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.core.errors import RequestError
from app.core.geometry import FramePlan

MOST_REACH = 1024
"""Pixels: the most that a mask is grown, feathered or blended by."""


class Fill(Enum):
    """What stands under the mask when the painting begins; at strength 1 only a trace of it is left in the noise."""

    ORIGINAL = "original"
    NOISE = "noise"
    BLURRED = "blurred"
    EDGES = "edges"
    TELEA = "telea"
    """Telea's inpainting (2004), where OpenCV is installed: the extra ``opencv``."""

    COLOUR = "colour"


@dataclass(frozen=True, kw_only=True)
class Seam:
    """How the repainted part joins the rest; ``None`` is planned from the strength and the frame.

    Two masks are made from the painted one. The model repaints it widened by ``grow`` and then fading out over
    ``feather`` pixels, so that what it paints at the edge has its surroundings in view. What comes out is mixed into
    the picture over a ``ring`` of pixels that lies inside the painted edge: what was not painted over keeps every bit.
    ``fill``: what the painting begins from, ``colour`` for Fill.COLOUR. ``colour_match``: bring the colours of the
    result to those around the mask. Raises RequestError for what cannot be worked with.
    """

    grow: int | None = None
    feather: int | None = None
    ring: int | None = None
    fill: Fill = Fill.ORIGINAL
    colour: tuple[int, int, int] = (128, 128, 128)
    colour_match: bool = True

    def __post_init__(self) -> None:
        for name in ("grow", "feather", "ring"):
            _check_reach(name, getattr(self, name))
        _check_colour(self.colour)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A Seam's widths as they are used, in picture pixels."""

    grow: int
    feather: int
    ring: int

    @property
    def outward(self) -> int:
        """How far from the painted mask the model may change its canvas."""
        return self.grow + self.feather


GROW, FEATHER, RING = 0.25, 1.0, 0.875
"""The planned widths in latents, at full strength: the model's own grain, whatever the picture's size."""


def plan_reach(seam: Seam, strength: float, plan: FramePlan, factor: int) -> Reach:
    """Widths in picture pixels. Those not given follow the frame (a latent is ``factor`` working pixels, which are
    more of the picture's in a large frame) and the strength (what changes little needs little room to join)."""
    latent = factor * plan.scale * strength
    return Reach(
        grow=_given_or(seam.grow, GROW * latent),
        feather=_given_or(seam.feather, FEATHER * latent),
        ring=_given_or(seam.ring, RING * latent),
    )


def _given_or(given: int | None, planned: float) -> int:
    return given if given is not None else min(MOST_REACH, round(planned))


def _check_reach(name: str, value: object) -> None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_REACH):
        return
    raise RequestError(
        f"The mask’s {name} is {value}, not a number of pixels from 0 to {MOST_REACH}.",
        "Choose a smaller number, or leave it to be planned.",
    )


def _check_colour(colour: object) -> None:
    fits = (
        isinstance(colour, tuple)
        and len(colour) == 3
        and all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part <= 255 for part in colour)
    )
    if not fits:
        raise RequestError(
            f"The colour {colour} cannot be used.", "Give red, green and blue as whole numbers from 0 to 255."
        )


PLAIN = Seam(grow=0, feather=0, ring=0, colour_match=False)
"""The mask as it was painted and nothing else: what other programs do."""

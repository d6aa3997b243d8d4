"""How the mask is shown: in one colour, hatched, as an outline, or as a map of its strength."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.uint8]
Colours = NDArray[np.uint32]  # premultiplied ARGB

LEAST_OPACITY = 0.1
_EDGE = 26  # where the outline runs: a tenth, so that it goes around weak areas as well
_STRIPE, _GAP = 5, 5  # of the hatch, in device pixels at 1x
_GAP_OPACITY = 0.8  # of the dark between the stripes: stripes alone are lost on a picture of their colour
# From weak to strong, ever lighter, so that the order can be told in grey and with any kind of colour blindness.
_HEAT = ((0, (45, 20, 115)), (90, (35, 105, 170)), (180, (70, 190, 130)), (255, (252, 235, 70)))
_RIM = 24.0  # values over which the map fades in: an edge without any would flicker by a rounding


class MaskStyle(Enum):
    """The value is kept in the settings."""

    COLOUR = "colour"
    HATCH = "hatch"
    OUTLINE = "outline"
    HEAT = "heat"


@dataclass(frozen=True, kw_only=True)
class MaskLook:
    """``opacity`` 0.1..1, of a fully painted mask; the outline has none. It is brought into range."""

    style: MaskStyle = MaskStyle.COLOUR
    opacity: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "opacity", min(1.0, max(LEAST_OPACITY, float(self.opacity))))


def colour_table(tint: tuple[int, int, int], opacity: float) -> Colours:
    """Mask value -> colour: the more is painted, the less of the picture shows through."""
    return _premultiplied(np.tile(np.array(tint, np.float64), (256, 1)), np.arange(256) / 255.0 * opacity)


def heat_table(opacity: float) -> Colours:
    """Mask value -> colour: how strong it is is told by the colour alone."""
    places = [place for place, _ in _HEAT]
    channels = [np.interp(np.arange(256), places, [colour[at] for _, colour in _HEAT]) for at in range(3)]
    alpha = np.minimum(1.0, 1.5 * opacity) * np.clip(np.arange(256) / _RIM, 0.0, 1.0)
    return _premultiplied(np.stack(channels, axis=1), alpha)


def hatched(values: Values, x: int, y: int, tint: tuple[int, int, int], opacity: float, scale: float) -> Colours:
    """Mask values (H x W, of the screen's own pixels) as stripes that run the same way wherever the part begins.

    ``x``, ``y``: where on the pattern the array starts; ``scale``: device pixels to a view pixel.
    """
    period = max(2, round((_STRIPE + _GAP) * scale))
    along = (np.arange(values.shape[1])[None, :] + x + np.arange(values.shape[0])[:, None] + y) % period
    strong = along * (_STRIPE + _GAP) < _STRIPE * period
    light, dark = colour_table(tint, min(1.0, 1.6 * opacity)), colour_table((0, 0, 0), _GAP_OPACITY * opacity)
    return np.where(strong, light[values], dark[values])


def outlined(values: Values, width: int) -> Colours:
    """The edge of what is painted at least a tenth, light inside and dark outside, each ``width`` pixels. What lies
    within ``width`` of the array's own edge is not to be used."""
    inside = values >= _EDGE
    colours = np.zeros(values.shape, np.uint32)
    colours[_spread(inside, width) & ~inside] = 0xC8000000
    colours[inside & _spread(~inside, width)] = 0xFFFFFFFF
    return colours


def _spread(flags: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Also what is ``by`` pixels away, up, down or to the side, or both."""
    spread = flags.copy()
    for axis in (0, 1):
        before = spread.copy()
        for step in range(1, by + 1):
            low = [slice(None), slice(None)]
            high = [slice(None), slice(None)]
            low[axis], high[axis] = slice(None, -step), slice(step, None)
            spread[tuple(high)] |= before[tuple(low)]
            spread[tuple(low)] |= before[tuple(high)]
    return spread


def _premultiplied(colours: NDArray[np.float64], alpha: NDArray[np.float64]) -> Colours:
    """N x 3 and N -> N."""
    red, green, blue = np.rint(colours * alpha[:, None]).astype(np.uint32).T
    whole = np.rint(alpha * 255.0).astype(np.uint32)
    table: Colours = (whole << 24) | (red << 16) | (green << 8) | blue
    return table

"""What the tools that mark a whole area at once have in common: their settings, and how an area gets into the mask."""

from __future__ import annotations

from dataclasses import dataclass

MOST_FEATHER, MOST_TOLERANCE = 250.0, 255


@dataclass(frozen=True, kw_only=True)
class AreaSettings:
    """``erase``: it takes mask away. ``opacity`` 0..1: how strongly it marks. ``feather``: over how many pixels of the
    picture the edge falls off, to each side. ``tolerance`` 0..255 and ``contiguous`` are for the wand. Values are
    brought into range."""

    erase: bool = False
    opacity: float = 1.0
    feather: float = 0.0
    tolerance: float = 24.0
    contiguous: bool = True

    def __post_init__(self) -> None:
        for name, most in (("opacity", 1.0), ("feather", MOST_FEATHER), ("tolerance", float(MOST_TOLERANCE))):
            object.__setattr__(self, name, min(most, max(0.0, float(getattr(self, name)))))

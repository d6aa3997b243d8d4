"""How a repainted part joins its picture: what may be asked for, and what is planned where nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import RequestError
from app.core.geometry import FramePlan, Rect, Size
from app.core.seam import MOST_REACH, PLAIN, Reach, Seam, plan_reach


@pytest.mark.parametrize("name", ["grow", "feather", "ring"])
@pytest.mark.parametrize("value", [-1, MOST_REACH + 1, 2.5, True, "8"])
def test_widths_that_are_none(name: str, value: object) -> None:
    with pytest.raises(RequestError, match=f"The mask’s {name} is {value}"):
        Seam(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", [(1, 2), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0), [1, 2, 3], (True, 0, 0), "red"])
def test_colours_that_are_none(colour: Any) -> None:
    with pytest.raises(RequestError, match="The colour"):
        Seam(colour=colour)


def test_the_edges_of_what_works() -> None:
    assert Seam(grow=0, feather=MOST_REACH, ring=0, colour=(0, 255, 7)) == Seam(
        grow=0, feather=MOST_REACH, ring=0, colour=(0, 255, 7)
    )


@pytest.mark.parametrize(
    ("seam", "strength", "box", "working", "reach"),
    [
        # at the model's own resolution, a latent is 8 pixels
        (Seam(), 1.0, (512, 512), (512, 512), (2, 8, 7)),
        # half the strength needs half the room
        (Seam(), 0.5, (512, 512), (512, 512), (1, 4, 4)),
        (Seam(), 0.0, (512, 512), (512, 512), (0, 0, 0)),
        # a large frame that is worked on smaller: the same latents are more pixels of the picture
        (Seam(), 1.0, (2048, 2048), (512, 512), (8, 32, 28)),
        (Seam(), 1.0, (2048, 1024), (724, 362), (6, 23, 20)),
        # a small picture that is worked on larger
        (Seam(), 1.0, (128, 128), (512, 512), (0, 2, 2)),
        # what is given stands, whatever the frame
        (Seam(grow=3, feather=4, ring=5), 0.2, (2048, 2048), (512, 512), (3, 4, 5)),
        (Seam(ring=0), 1.0, (512, 512), (512, 512), (2, 8, 0)),
        (PLAIN, 1.0, (2048, 2048), (512, 512), (0, 0, 0)),
        # never more than may be asked for
        (Seam(), 1.0, (16384, 16384), (64, 64), (512, 1024, 1024)),
    ],
)
def test_planned_widths(
    seam: Seam, strength: float, box: tuple[int, int], working: tuple[int, int], reach: tuple[int, int, int]
) -> None:
    planned = plan_reach(seam, strength, FramePlan(Rect(0, 0, *box), Size(*working)), factor=8)
    assert planned == Reach(grow=reach[0], feather=reach[1], ring=reach[2])
    assert planned.outward == reach[0] + reach[1]

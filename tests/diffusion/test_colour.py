"""Colours are matched to the ring around the mask: shifts go, things stay, and nothing far away is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.geometry import Size
from app.core.request import Pixels
from app.diffusion.colour import from_oklab, match_colours, to_oklab
from tests.engine_tools import some_picture

SIZE = Size(96, 80)
MASK = np.zeros((80, 96), np.uint8)
MASK[24:56, 30:70] = 255
INSIDE = MASK > 0
EDGE = np.zeros_like(INSIDE)
EDGE[26:54, 32:68] = True
EDGE = INSIDE & ~EDGE  # the two outermost pixels under the mask


def _far(one: Pixels, other: Pixels, where: np.ndarray) -> float:
    """Mean distance in Oklab x 100."""
    return 100 * float(np.linalg.norm(to_oklab(one)[where] - to_oklab(other)[where], axis=1).mean())


def _shifted(pixels: Pixels, by: tuple[float, float, float]) -> Pixels:
    return from_oklab(to_oklab(pixels) + np.array(by, np.float32))


def test_oklab_there_and_back() -> None:
    every = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(from_oklab(to_oklab(every)), every)
    # the values of the page that defines it: white, and pure red
    np.testing.assert_allclose(to_oklab(np.full((1, 3), 255, np.uint8))[0], [1, 0, 0], atol=1e-3)
    red = to_oklab(np.array([[255, 0, 0]], np.uint8))[0]
    np.testing.assert_allclose(red, [0.628, 0.225, 0.126], atol=1e-3)


@pytest.mark.parametrize("by", [(0.05, 0, 0), (-0.06, 0.01, 0.02), (0, 0.03, -0.03)])
def test_a_shift_of_everything_is_taken_back_everywhere(by: tuple[float, float, float]) -> None:
    source = (some_picture(SIZE) // 2 + 60).astype(np.uint8)  # nothing near black or white, where shifts are cut off
    painted = _shifted(source, by)
    assert _far(painted, source, INSIDE) > 2
    assert _far(match_colours(painted, source, MASK), source, INSIDE) < 0.5


def test_a_shift_that_differs_along_the_edge_is_taken_back_at_the_edge() -> None:
    source = (some_picture(SIZE) // 2 + 60).astype(np.uint8)
    slope = np.linspace(-0.08, 0.08, SIZE.width, dtype=np.float32)[None, :, None] * np.array([1, 0, 0], np.float32)
    painted = from_oklab(to_oklab(source) + slope)
    before, after = (_far(p, source, EDGE) for p in (painted, match_colours(painted, source, MASK)))
    assert after < before / 2


def test_another_thing_across_the_edge_keeps_its_colour() -> None:
    """A yellow thing painted over the edge of a night is no shift of the night."""
    source = np.empty((80, 96, 3), np.uint8)
    source[:] = (20, 30, 80)
    painted = source.copy()
    painted[10:50, 40:60] = (250, 220, 40)
    out = match_colours(painted, source, MASK)
    assert _far(out, painted, INSIDE) < 0.3


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_are_not_harmed(value: int) -> None:
    flat = np.full((80, 96, 3), value, np.uint8)
    np.testing.assert_array_equal(match_colours(flat, flat, MASK), flat)
    detailed = flat.copy()
    detailed[36:44, 44:56] = (90, 120, 60)  # what was asked for, in the middle of a flat picture
    np.testing.assert_array_equal(match_colours(detailed, flat, MASK), detailed)


def test_nothing_far_from_the_mask_counts() -> None:
    source = some_picture(SIZE)
    painted = _shifted(source, (0.04, 0, 0))
    first = match_colours(painted, source, MASK)
    far = np.ones_like(INSIDE)
    far[16:64, 22:78] = False  # 8 px around the mask
    source = source.copy()
    source[far] = 255 - source[far]
    np.testing.assert_array_equal(match_colours(painted, source, MASK)[INSIDE], first[INSIDE])


def test_without_anything_around_the_mask_nothing_is_changed() -> None:
    source = some_picture(SIZE)
    painted = _shifted(source, (0.04, 0, 0))
    np.testing.assert_array_equal(match_colours(painted, source, np.full_like(MASK, 255)), painted)

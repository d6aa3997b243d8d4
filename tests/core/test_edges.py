"""The masks made from the painted one: what they hold, how wide they are, and that nothing leaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.edges import FULLY_MIXED, faded, grown, mixing

INSIDE = (False, False, False, False)


def _box(height: int, width: int, rows: slice, columns: slice, value: int = 255) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[rows, columns] = value
    return mask


@pytest.mark.parametrize("radius", [0, 1, 2, 5, 12, 40])
def test_growing_spreads_a_point_over_a_disc(radius: int) -> None:
    mask = _box(101, 101, np.s_[50:51], np.s_[50:51], 200)
    out = grown(mask, radius)
    rows, columns = np.indices(out.shape) - 50
    away = np.hypot(rows, columns)
    assert set(np.unique(out)) <= {0, 200}
    assert (out[50] > 0).sum() == 2 * radius + 1
    assert (out[away <= radius * 0.9 - 1] == 200).all()
    assert (out[away > radius * 1.09 + 1] == 0).all()


def test_growing_keeps_the_strengths_of_a_soft_mask() -> None:
    mask = _box(20, 40, np.s_[8:12], np.s_[5:10], 90) + _box(20, 40, np.s_[8:12], np.s_[30:35], 180)
    out = grown(mask, 3)
    assert out[10, 2] == 90
    assert out[10, 27] == 180
    assert out[10, 20] == 0


@pytest.mark.parametrize(("grow", "feather"), [(0, 0), (3, 0), (0, 8), (4, 12), (2, 1), (0, 31)])
def test_fading_never_weakens_the_mask_and_ends_where_it_says(grow: int, feather: int) -> None:
    mask = _box(120, 120, np.s_[50:70], np.s_[50:70])
    out = faded(mask, grow, feather)
    assert (out[46 + 4 - grow : 70 + grow, 60] == 255).all()
    row = out[60].astype(int)
    assert (np.diff(row[:60]) >= 0).all(), "it rises towards the mask without a dip"
    assert row[50 - grow - feather - 2] == 0
    if feather >= 8:
        middle = row[50 - grow - feather // 2]
        assert 60 < middle < 200
    if feather == 0:
        assert set(np.unique(out)) == {0, 255}


def test_the_ring_lies_inside_the_mask_and_rises_over_its_width() -> None:
    mask = _box(80, 80, np.s_[20:60], np.s_[20:60])
    out = mixing(mask, 6, INSIDE)
    assert (out[mask == 0] == 0).all()
    row = out[40, 20:40].astype(int)
    assert row[0] < 16, "right at the edge the picture is still the picture"
    assert (np.diff(row[:7]) > 0).all()
    assert (row[6:] == 255).all()


def test_without_a_ring_all_of_the_mask_is_taken() -> None:
    mask = _box(30, 30, np.s_[10:20], np.s_[10:20])
    np.testing.assert_array_equal(mixing(mask, 0, INSIDE), mask)


@pytest.mark.parametrize("thickness", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("ring", [4, 8, 30, 100])
def test_a_thin_stroke_is_painted_too(thickness: int, ring: int) -> None:
    mask = _box(60, 200, np.s_[30 : 30 + thickness], np.s_[20:180])
    out = mixing(mask, ring, INSIDE)
    much = 8 * thickness >= ring  # a stroke thinner than that is under one pixel of the model's canvas
    assert out[30 + thickness // 2, 100] >= (110 if much else 30)
    assert (out[mask == 0] == 0).all()


def test_nothing_is_met_where_the_picture_ends_but_where_the_frame_cuts_the_mask() -> None:
    mask = np.full((40, 40), 255, np.uint8)
    np.testing.assert_array_equal(mixing(mask, 6, (True, True, True, True)), mask)
    out = mixing(mask, 6, (True, False, True, False))
    assert out[0, 0] == out[0, 20] == out[20, 0] == 255
    assert out[-1, 20] < 16
    assert out[20, -1] < 16


def test_a_weak_strength_over_an_area_is_taken_whole_and_a_fading_edge_by_its_value() -> None:
    half = _box(60, 60, np.s_[10:50], np.s_[10:50], 128)
    assert mixing(half, 4, INSIDE)[30, 30] == 255
    faint = _box(60, 60, np.s_[10:50], np.s_[10:50], FULLY_MIXED // 2)
    assert mixing(faint, 4, INSIDE)[30, 30] == 128


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.tuples(*[st.booleans()] * 4))
@settings(max_examples=60, deadline=None)
def test_no_mask_whatever_leaks_or_goes_missing(seed: int, ring: int, beyond: tuple[bool, bool, bool, bool]) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 50, 2)
    mask = rng.integers(0, 256, (height, width), np.uint8) * (rng.random((height, width)) < rng.random())
    out = mixing(mask.astype(np.uint8), ring, beyond)
    assert out.shape == mask.shape
    assert (out[mask == 0] == 0).all()


def test_a_wide_ring_is_as_smooth_as_a_narrow_one() -> None:
    """It is laid out on a smaller mask: no steps may be left of that."""
    mask = _box(400, 400, np.s_[50:350], np.s_[50:350])
    row = mixing(mask, 64, INSIDE)[200, 50:130].astype(int)
    assert row[0] < 16
    assert row[66:].min() == 255
    assert np.diff(row).min() >= 0
    assert np.diff(row).max() <= 9

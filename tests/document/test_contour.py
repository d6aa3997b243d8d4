"""Contours run where values cross the level."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.document.contour import contour


def test_a_disc_s_contour_is_its_circle() -> None:
    y, x = np.mgrid[0:80, 0:100]
    distance = np.hypot(x + 0.5 - 50, y + 0.5 - 40)
    values = np.clip((30 - distance) * 20 + 128, 0, 255).astype(np.uint8)
    lines = contour(values, 128.0)
    ends = np.concatenate([lines[:, :2], lines[:, 2:]])
    assert np.hypot(ends[:, 0] - 50, ends[:, 1] - 40) == pytest.approx(30, abs=0.1)
    length = np.hypot(lines[:, 0] - lines[:, 2], lines[:, 1] - lines[:, 3]).sum()
    assert length == pytest.approx(2 * math.pi * 30, rel=0.01)


def test_pixels_that_touch_at_their_corners_have_a_line_each() -> None:
    values = np.zeros((4, 4), np.uint8)
    values[1, 1] = values[2, 2] = 255
    lines = contour(values, 128.0)
    joints, counts = np.unique(np.concatenate([lines[:, :2], lines[:, 2:]]).round(3), axis=0, return_counts=True)
    assert (counts == 2).all()  # closed: each end is the next one's start
    assert len(joints) == 8


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_even_surface_has_none(value: int) -> None:
    assert contour(np.full((5, 7), value, np.uint8), 128.0).shape == (0, 4)

"""What stands under the mask when the painting begins."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from app.core.errors import RequestError
from app.core.geometry import Size
from app.core.seam import Fill, Seam
from app.diffusion.fill import extended, filled
from tests.engine_tools import some_picture

PICTURE = np.random.default_rng(3).integers(0, 256, (64, 80, 3), np.uint8)
MASK = np.zeros((64, 80), np.uint8)
MASK[20:44, 30:60] = 255


@pytest.mark.parametrize("fill", [fill for fill in Fill if fill is not Fill.TELEA])
def test_what_is_kept_stays_bit_for_bit(fill: Fill) -> None:
    out = filled(PICTURE, MASK, Seam(fill=fill))
    np.testing.assert_array_equal(out[MASK == 0], PICTURE[MASK == 0])
    assert out.shape == PICTURE.shape
    assert out.dtype == np.uint8


def test_a_flat_colour_and_half_of_it_under_half_a_mask() -> None:
    out = filled(PICTURE, MASK, Seam(fill=Fill.COLOUR, colour=(10, 200, 30)))
    assert (out[MASK > 0] == (10, 200, 30)).all()
    half = np.full_like(MASK, 51)  # a fifth
    out = filled(np.full_like(PICTURE, 100), half, Seam(fill=Fill.COLOUR, colour=(0, 200, 100)))
    assert (out == (80, 120, 100)).all()


def test_blurring_takes_the_shapes_and_leaves_the_broad_colours() -> None:
    bars = np.zeros((96, 96, 3), np.uint8)
    bars[:, ::4] = 255
    bars[:, 48:, 0] = 200
    mask = np.full((96, 96), 255, np.uint8)
    out = filled(bars, mask, Seam(fill=Fill.BLURRED)).astype(int)
    assert np.abs(np.diff(out[48, 10:40], axis=0)).max() < 12
    assert out[48, 80, 0] > out[48, 15, 0] + 60


def test_edges_are_drawn_smoothly_into_the_mask() -> None:
    picture = np.zeros((64, 80, 3), np.uint8)
    picture[:, :40] = (200, 40, 0)
    picture[:, 40:] = (0, 40, 200)
    picture[MASK > 0] = (0, 255, 0)  # what was there leaves no trace
    out = extended(picture, MASK).astype(int)
    assert np.abs(out[..., 1] - 40).max() <= 1
    inner = out[32, 30:60]
    assert inner[0, 0] > 170
    assert inner[-1, 2] > 170
    assert (np.diff(inner[:, 0]) <= 1).all()


@pytest.mark.parametrize("size", [Size(8, 8), Size(1, 1), Size(3, 40), Size(33, 17)])
def test_edges_of_any_size_and_of_nothing(size: Size) -> None:
    picture = some_picture(size)
    whole = np.full((size.height, size.width), 255, np.uint8)
    mean = np.rint(picture.mean(axis=(0, 1)))
    assert (extended(picture, whole) == mean).all()
    np.testing.assert_array_equal(extended(picture, np.zeros_like(whole)), picture)


def test_telea_is_opencv_s_where_there_is_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def inpaint(picture: np.ndarray, mask: np.ndarray, radius: float, way: int) -> np.ndarray:
        asked.append((mask.copy(), radius, way))
        return np.full_like(picture, 7)

    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(inpaint=inpaint, INPAINT_TELEA=1))
    out = filled(PICTURE, MASK, Seam(fill=Fill.TELEA))
    assert (out[MASK > 0] == 7).all()
    np.testing.assert_array_equal(out[MASK == 0], PICTURE[MASK == 0])
    (mask, _, way), *_ = asked
    assert way == 1
    np.testing.assert_array_equal(mask, MASK > 0)


def test_telea_without_opencv_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(RequestError, match="OpenCV") as caught:
        filled(PICTURE, MASK, Seam(fill=Fill.TELEA))
    assert "edges" in caught.value.remedy

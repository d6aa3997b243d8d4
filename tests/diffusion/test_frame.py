"""Cutting the frame out and pasting it back: exact sizes, and not one bit changed where the mask keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.geometry import FramePlan, Rect, Size
from app.core.request import FrameChoice, ImageToImage, Inpaint, TextToImage
from app.diffusion.frame import WorkingFrame, mask_bounds, paste_back, plan_frame
from app.diffusion.join import count_changed_outside
from tests.engine_tools import request_for, some_picture

RNG = np.random.default_rng(0)


def _random(height: int, width: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.integers(1, 70), st.integers(1, 70))
@settings(max_examples=40, deadline=None)
def test_cut_and_restore_at_the_same_size_is_exact(width: int, height: int) -> None:
    image = _random(height, width)
    size = Size(width, height)
    frame = WorkingFrame(FramePlan(Rect.whole(size), size), size.padded(8))
    canvas = frame.cut(image)
    assert canvas.shape == (*((-(-height // 8) * 8), (-(-width // 8) * 8)), 3)
    np.testing.assert_array_equal(canvas[:height, :width], image)
    np.testing.assert_array_equal(canvas[:height, width:], np.repeat(image[:, -1:], canvas.shape[1] - width, axis=1))
    np.testing.assert_array_equal(frame.restore(canvas), image)


def test_a_scaled_frame_comes_back_at_the_size_of_its_box() -> None:
    frame = WorkingFrame(FramePlan(Rect(3, 5, 101, 47), Size(50, 23)), Size(56, 24))
    canvas = frame.cut(some_picture(Size(120, 60)))
    assert canvas.shape == (24, 56, 3)
    assert frame.restore(canvas).shape == (47, 101, 3)
    assert frame.cut_mask(np.full((60, 120), 255, np.uint8)).min() == 255


def test_outside_the_mask_nothing_changes_and_inside_all_does() -> None:
    source, generated = _random(40, 50), _random(20, 30)
    mask = np.zeros((40, 50), np.uint8)
    mask[8:20, 12:30] = 255
    mask[20, 12:30] = 100
    box = Rect(5, 4, 30, 20)
    out = paste_back(source, generated, box, mask[box.slices])
    assert count_changed_outside(source, out, mask, box) == 0
    np.testing.assert_array_equal(out[8:20, 12:30], generated[4:16, 7:25])
    soft = source[20, 12:30] + (generated[16, 7:25].astype(float) - source[20, 12:30]) * (100 / 255)
    assert np.abs(out[20, 12:30] - soft).max() <= 0.51


@pytest.mark.parametrize(("x", "y"), [(5, 5), (0, 9), (9, 0), (3, 3)])
def test_the_count_counts_everywhere(x: int, y: int) -> None:
    """Within the box that was painted and beyond it, and not under the mask."""
    source = _random(10, 10)
    mask = np.zeros((10, 10), np.uint8)
    mask[2:4, 2:8] = [[1, 1, 1, 1, 1, 1], [9, 0, 9, 9, 9, 9]]
    changed = source.copy()
    changed[2, 2] ^= 1
    assert count_changed_outside(source, changed, mask, Rect(2, 2, 6, 2)) == 0
    changed[y, x] ^= 1
    assert count_changed_outside(source, changed, mask, Rect(2, 2, 6, 2)) == 1


def test_mask_bounds() -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[7, 11] = 1
    mask[19, 33] = 255
    assert mask_bounds(mask) == Rect(11, 7, 23, 13)


PICTURE = some_picture(Size(600, 400))
MASK = np.zeros((400, 600), np.uint8)
MASK[100:140, 200:240] = 255


@pytest.mark.parametrize(
    ("task", "frame", "box", "working"),
    [
        (TextToImage(), FrameChoice.AUTO, Rect(0, 0, 600, 400), Size(600, 400)),
        (TextToImage(), Rect(9, 9, 64, 64), Rect(0, 0, 600, 400), Size(600, 400)),  # there is nothing to cut from
        (ImageToImage(image=PICTURE, strength=0.5), FrameChoice.WHOLE, Rect(0, 0, 600, 400), Size(600, 400)),
        (ImageToImage(image=PICTURE, strength=0.5), FrameChoice.AUTO, Rect(0, 0, 600, 400), Size(157, 105)),
        (Inpaint(image=PICTURE, mask=MASK), FrameChoice.WHOLE, Rect(0, 0, 600, 400), Size(600, 400)),
        (Inpaint(image=PICTURE, mask=MASK), FrameChoice.AUTO, Rect(168, 68, 104, 104), Size(64, 64)),
        (Inpaint(image=PICTURE, mask=MASK), Rect(150, 90, 100, 60), Rect(150, 90, 100, 60), Size(83, 50)),
        (Inpaint(image=PICTURE, mask=MASK), Rect(190, 90, 60, 60), Rect(190, 90, 60, 60), Size(60, 60)),
        (Inpaint(image=PICTURE, mask=MASK), Rect(190, 90, 32, 16), Rect(190, 90, 32, 16), Size(91, 45)),
    ],
)
def test_plan(task: object, frame: object, box: Rect, working: Size) -> None:
    from pathlib import Path

    plan = plan_frame(request_for(Path("x"), size=Size(600, 400), task=task, frame=frame), native_size=64)
    assert plan == FramePlan(box, working)

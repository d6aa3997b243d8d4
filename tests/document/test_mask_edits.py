"""Edits of the whole mask against what they are by definition, over tile borders and at the picture's edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtGui import QImage

from app.document import images, mask_edits
from app.document.tiles import TileEdit

HEIGHT, WIDTH = 300, 560


def _after(values: np.ndarray, edit: Callable[..., Iterator[TileEdit]], *arguments: int) -> np.ndarray:
    mask = images.to_qimage(values)
    edits = list(edit(mask, *arguments))
    for each in edits:
        assert np.array_equal(each.before, images.mask_part(mask, each.box))
        assert not np.array_equal(each.before, each.after)
        images.write_mask(mask, each.box, each.after)
    return images.to_mask(mask)


def _disc(y: int, x: int, radius: float, value: int = 255) -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.where((rows - y) ** 2 + (columns - x) ** 2 <= radius**2, value, 0).astype(np.uint8)


def _slow(values: np.ndarray, radius: int, pick: Callable[..., np.ndarray], outside: int) -> np.ndarray:
    """Over every offset of the disc."""
    padded = np.pad(values, radius, constant_values=outside)
    reach = range(-radius, radius + 1)
    offsets = [(y, x) for y in reach for x in reach if y * y + x * x <= int((radius + 0.5) ** 2)]
    result = values
    for y, x in offsets:
        part = padded[radius + y : radius + y + values.shape[0], radius + x : radius + x + values.shape[1]]
        result = pick(result, part)
    return result


@pytest.mark.parametrize("radius", [1, 2, 5, 13])
def test_grow_and_shrink_are_what_they_are_by_definition(qapp: object, radius: int) -> None:
    values = np.random.default_rng(4).choice(np.array([0, 0, 0, 0, 255, 128, 60], np.uint8), (40, 300))
    assert np.array_equal(_after(values, mask_edits.grown, radius), _slow(values, radius, np.maximum, 0))
    assert np.array_equal(_after(255 - values, mask_edits.shrunk, radius), _slow(255 - values, radius, np.minimum, 255))


def test_growing_goes_over_tile_borders_evenly(qapp: object) -> None:
    grown = _after(_disc(150, 256, 40), mask_edits.grown, 20)
    assert grown.sum() / 255 == pytest.approx(np.pi * 60**2, rel=0.02)
    assert np.array_equal(grown[:, 156:257], grown[:, 256:357][:, ::-1])
    assert _after(grown, mask_edits.shrunk, 20).sum() / 255 == pytest.approx(np.pi * 40**2, rel=0.03)


def test_shrinking_keeps_what_lies_at_the_picture_s_edge(qapp: object) -> None:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[:100] = 255
    shrunk = _after(values, mask_edits.shrunk, 10)
    assert (shrunk[:90] == 255).all()
    assert not shrunk[90:].any()


def test_feathering_in_tiles_is_feathering_at_once(qapp: object) -> None:
    values = _disc(150, 256, 60)
    assert np.array_equal(_after(values, mask_edits.feathered, 17), mask_edits.blurred(values, 17))


def test_smoothing_takes_specks_and_gaps_and_keeps_shapes_and_strengths(qapp: object) -> None:
    shape = np.maximum(_disc(150, 150, 50), _disc(150, 400, 60, 128))
    rough = np.maximum(shape, np.maximum(_disc(30, 30, 2), _disc(80, 256, 3)))
    rough[150:152, 100:200] = 0  # a cut through the one
    rough[150:152, 460:480] = 128  # a spur at the other
    smooth = _after(rough, mask_edits.smoothed, 4)
    different = smooth != shape
    assert different.sum() < 0.01 * (shape > 0).sum()
    assert set(np.unique(smooth)) == {0, 128, 255}
    assert not smooth[:60].any()


def test_holes_are_filled_as_strongly_as_the_wall_around_them(qapp: object) -> None:
    values = np.maximum(_disc(150, 150, 80), _disc(150, 400, 80, 128))
    values[_disc(150, 150, 60) > 0] = 0
    values[_disc(150, 400, 60) > 0] = 0
    values[_disc(150, 150, 10) > 0] = 50  # an island in the hole
    filled = _after(values, mask_edits.holes_filled)
    assert np.array_equal(filled, np.maximum(_disc(150, 150, 80), _disc(150, 400, 80, 128)))
    values[150, 150:] = 0  # both walls are open now
    values[150, 480:] = 0
    values[150, :480][values[150, :480] > 0] = 0
    assert np.array_equal(_after(values, mask_edits.holes_filled), values)


@pytest.mark.parametrize(
    "edit",
    [
        mask_edits.grown,
        mask_edits.shrunk,
        mask_edits.feathered,
        mask_edits.smoothed,
        lambda m, _: mask_edits.holes_filled(m),
    ],
)
@pytest.mark.parametrize("value", [0, 99, 255])
def test_an_even_mask_stays_as_it_is(
    qapp: object, edit: Callable[[QImage, int], Iterator[TileEdit]], value: int
) -> None:
    assert list(edit(images.to_qimage(np.full((70, 300), value, np.uint8)), 30)) == []


@pytest.mark.parametrize("radius", [1, 30, 200])
def test_masks_smaller_than_the_radius(qapp: object, radius: int) -> None:
    values = np.zeros((3, 5), np.uint8)
    values[1, 2] = 200
    grown = _after(values, mask_edits.grown, radius)
    assert grown[1, 1] == grown[0, 2] == 200
    assert (grown == 200).all() == (radius > 1)
    assert _after(grown, mask_edits.smoothed, radius).shape == (3, 5)


def test_everything_and_another_mask(qapp: object) -> None:
    values = _disc(150, 256, 60)
    assert (_after(values, mask_edits.all_marked) == 255).all()
    other = _disc(10, 10, 40)
    mask = images.to_qimage(values)
    for each in mask_edits.replaced(mask, other):
        images.write_mask(mask, each.box, each.after)
    assert np.array_equal(images.to_mask(mask), other)

"""Pixels come through QImage unchanged, whatever the padding of its rows."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from app.document import images
from app.document.raster import Raster

WIDTHS = (1, 2, 3, 13, 64, 65)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("width", WIDTHS)
def test_colours_come_back(width: int) -> None:
    pixels = _noise(5, width, 3)
    image = images.to_qimage(pixels)
    assert image.format() == QImage.Format.Format_RGB32
    assert image.pixelColor(width - 1, 4).getRgb() == (*pixels[4, width - 1].tolist(), 255)
    assert np.array_equal(images.to_pixels(image), pixels)


@pytest.mark.parametrize("height", [63, 64, 65, 200])
def test_tall_pictures_come_back(height: int) -> None:
    pixels = _noise(height, 13, 3)
    assert np.array_equal(images.to_pixels(images.to_qimage(pixels)), pixels)


@pytest.mark.parametrize("size", [(64, 64), (65, 3), (200, 13)])
def test_a_mask_is_inverted_in_place(size: tuple[int, int]) -> None:
    mask = _noise(*size)
    mask[:5] = 255
    image = images.to_qimage(mask)
    assert images.invert_mask(image) == np.count_nonzero(255 - mask)
    assert np.array_equal(images.to_mask(image), 255 - mask)


def test_parts_are_exchanged_and_counted() -> None:
    mask, part = _noise(20, 13) // 128 * 255, _noise(4, 6) // 128 * 255
    image = images.to_qimage(mask)
    more = images.exchange_mask(image, [(QRect(2, 3, 6, 4), part), (QRect(7, 10, 6, 4), part)])
    changed = mask.copy()
    changed[3:7, 2:8] = changed[10:14, 7:13] = part
    assert np.array_equal(images.to_mask(image), changed)
    assert more == np.count_nonzero(changed) - np.count_nonzero(mask)
    twin = images.to_qimage(mask)
    images.copy_mask(image, twin, QRect(2, 3, 11, 11))
    assert np.array_equal(images.to_mask(twin), changed)


@pytest.mark.parametrize("width", WIDTHS)
def test_greys_come_back(width: int) -> None:
    pixels = _noise(5, width)
    image = images.to_qimage(pixels)
    assert image.format() == QImage.Format.Format_Grayscale8
    assert np.array_equal(images.to_mask(image), pixels)


@pytest.mark.parametrize("width", WIDTHS)
def test_alpha_is_straight(width: int) -> None:
    pixels = _noise(3, width, 4)
    image = images.to_qimage(pixels)
    assert image.format() == QImage.Format.Format_ARGB32
    for x in range(width):
        assert image.pixelColor(x, 1).getRgb() == tuple(pixels[1, x].tolist())


@pytest.mark.parametrize("width", [1, 13, 64])
def test_other_formats_are_converted(width: int) -> None:
    pixels = _noise(4, width, 3)
    image = images.to_qimage(pixels).convertToFormat(QImage.Format.Format_RGB888)
    assert np.array_equal(images.to_pixels(image), pixels)


def test_views_that_are_not_contiguous() -> None:
    pixels = _noise(20, 30, 3)[3:17:2, 5:26]
    assert np.array_equal(images.to_pixels(images.to_qimage(pixels)), pixels)
    mask = _noise(20, 30)[:, ::-1]
    assert np.array_equal(images.to_mask(images.to_qimage(mask)), mask)


def test_everything_is_copied_and_read_only() -> None:
    pixels = _noise(4, 13, 3)
    image = images.to_qimage(pixels)
    out = images.to_pixels(image)
    kept = out.copy()
    pixels[:] = 0
    image.fill(0)
    assert np.array_equal(out, kept)
    assert not out.flags.writeable
    assert not images.to_mask(image).flags.writeable


def test_writing_a_box_leaves_the_rest_and_shared_copies() -> None:
    mask, picture = _noise(9, 13), _noise(9, 13, 3)
    mask_image, picture_image = images.to_qimage(mask), Raster.of(images.to_qimage(picture))
    mask_twin, picture_twin = QImage(mask_image), picture_image.share()
    box, part = QRect(10, 2, 3, 5), np.s_[2:7, 10:13]
    new_mask, new_picture = _noise(5, 3), _noise(5, 3, 3)
    images.write_mask(mask_image, box, new_mask)
    picture_image.write(box, images.to_qimage(new_picture))
    assert np.array_equal(images.to_mask(mask_twin), mask)
    assert np.array_equal(images.to_pixels(picture_twin), picture)
    mask[part], picture[part] = new_mask, new_picture
    assert np.array_equal(images.to_mask(mask_image), mask)
    assert np.array_equal(images.to_pixels(picture_image), picture)
    assert np.array_equal(images.mask_part(mask_image, box), new_mask)
    assert np.array_equal(images.picture_part(picture_image, box), new_picture)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (2, 2, 5), (0, 4), (4, 0, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"pixels|needed"):
        images.to_qimage(np.zeros(shape, np.uint8))


def test_boxes_outside_are_refused() -> None:
    with pytest.raises(ValueError, match="does not lie"):
        images.mask_part(images.blank_mask(4, 4), QRect(2, 2, 3, 1))
    with pytest.raises(ValueError, match="null"):
        images.to_pixels(QImage())

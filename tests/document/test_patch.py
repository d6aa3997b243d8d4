"""Patches give back what they were given, packed or not."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect
from pytestqt.qtbot import QtBot

from app.document.patch import Packer, Patch

BOX = QRect(3, 4, 60, 50)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [(50, 60), (50, 60, 3)])
def test_packing_is_exact(shape: tuple[int, ...]) -> None:
    pixels = _noise(*shape)
    patch = Patch(BOX, pixels[:, ::-1])
    expected = pixels[:, ::-1].copy()
    pixels[:] = 0  # what can still be written was copied
    for _ in range(2):
        assert np.array_equal(patch.pixels(), expected)
        assert not patch.pixels().flags.writeable
        patch.pack()
    patch.pack()
    assert np.array_equal(patch.pixels(), expected)


@pytest.mark.parametrize("shape", [(50, 60), (50, 60, 4)])
def test_one_pixel_stands_for_an_even_patch(shape: tuple[int, ...]) -> None:
    pixels = np.zeros(shape, np.uint8) + np.arange(7, 7 + (shape[2] if len(shape) > 2 else 1), dtype=np.uint8)
    patch = Patch(BOX, pixels)
    patch.pack()
    assert patch.stored_bytes == pixels[0, 0].nbytes
    assert np.array_equal(patch.pixels(), pixels)
    assert not patch.pixels().flags.writeable
    pixels[-1, -1] = 3
    almost = Patch(BOX, pixels)
    almost.pack()
    assert np.array_equal(almost.pixels(), pixels)


def test_a_read_only_array_is_taken_over() -> None:
    pixels = _noise(50, 60)
    pixels.flags.writeable = False
    assert Patch(BOX, pixels).pixels() is pixels


def test_the_packer_works_when_nobody_waits(qtbot: QtBot) -> None:
    packer = Packer()
    patches = [Patch(BOX, np.full((50, 60), 7, np.uint8)) for _ in range(30)]
    assert packer.idle
    packer.add(patches[:20])
    packer.add(patches[20:])
    assert all(patch.stored_bytes == 3000 for patch in patches)  # nothing at once
    qtbot.waitUntil(lambda: packer.idle)
    assert all(patch.stored_bytes < 100 for patch in patches)
    assert all((patch.pixels() == 7).all() for patch in patches)
    packer.add(patches[:1])
    qtbot.waitUntil(lambda: packer.idle)

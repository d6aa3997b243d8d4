"""Somebody drops a picture on the window and has it refined at half strength."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt

from app.core.job import Mode
from tests.e2e.conftest import Artist

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_refining_keeps_the_size_and_half_of_the_picture(artist: Artist, photo: tuple[Path, np.ndarray]) -> None:
    path, pixels = photo
    artist.open(path)
    np.testing.assert_array_equal(artist.document.pixels(), pixels)
    assert artist.generate_button.text() == "Refine"
    artist.write("promptEdit", "dunes at dawn")
    artist.find("strengthSlider").setValue(50)
    artist.find("stepsSpin").setValue(10)
    result = artist.paint()
    assert result.mode is Mode.IMAGE_TO_IMAGE
    assert result.steps == 5
    refined = artist.document.pixels()
    assert refined.shape == pixels.shape
    assert (refined != pixels).any()
    # half strength keeps the broad colours: nearer to the source than a picture shuffled in place would be
    shuffled = np.random.default_rng(0).permutation(pixels.reshape(-1, 3)).reshape(pixels.shape)
    assert _distance(refined, pixels) < _distance(refined, shuffled)
    artist.press(Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(artist.document.pixels(), pixels)
    artist.press(Qt.Key.Key_Z, CTRL | SHIFT)
    np.testing.assert_array_equal(artist.document.pixels(), refined)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())

"""Somebody paints a mask on a picture, has it inpainted, takes it back and brings it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt

from app.core.job import Mode
from tests.e2e.conftest import Artist

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_only_the_mask_changes_and_undo_and_redo_are_exact(artist: Artist, photo: tuple[Path, np.ndarray]) -> None:
    path, pixels = photo
    artist.open(path)
    artist.write("promptEdit", "a red balloon")
    artist.find("stepsSpin").setValue(8)
    artist.drag(QPoint(60, 50), QPoint(90, 60))
    mask = artist.document.mask_pixels()
    assert 0 < (mask == 255).sum() < mask.size / 2
    assert artist.generate_button.text() == "Inpaint"
    steps_before = artist.document.undo.count()
    result = artist.paint()
    assert result.mode is Mode.INPAINT_BLEND
    assert result.changed_outside == 0
    painted = artist.document.pixels()
    np.testing.assert_array_equal(painted[mask == 0], pixels[mask == 0])
    assert (painted[mask == 255] != pixels[mask == 255]).any(axis=1).mean() > 0.8
    np.testing.assert_array_equal(artist.document.mask_pixels(), mask)
    assert artist.document.undo.count() == steps_before + 1
    assert artist.find("outsideLabel").text() == "0 px changed outside the mask"
    artist.press(Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(artist.document.pixels(), pixels)
    np.testing.assert_array_equal(artist.document.mask_pixels(), mask)
    artist.press(Qt.Key.Key_Z, CTRL | SHIFT)
    np.testing.assert_array_equal(artist.document.pixels(), painted)
    artist.press(Qt.Key.Key_Z, CTRL)
    artist.press(Qt.Key.Key_Z, CTRL)
    assert artist.document.mask_empty, "the stroke before it was one step"


def test_the_preview_is_see_through_where_the_mask_keeps(artist: Artist, photo: tuple[Path, np.ndarray]) -> None:
    artist.open(photo[0])
    artist.find("stepsSpin").setValue(3)
    artist.drag(QPoint(60, 50), QPoint(90, 60))
    artist.paint()
    alpha = artist.previews[-1].pixels[..., 3]
    assert alpha.min() == 0
    assert alpha.max() > 200

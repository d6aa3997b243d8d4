"""Somebody changes their mind in the middle of a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt

from tests.e2e.conftest import Artist


def test_cancel_leaves_everything_as_it_was_and_the_next_picture_works(
    artist: Artist, photo: tuple[Path, np.ndarray]
) -> None:
    path, pixels = photo
    artist.open(path)
    artist.drag(QPoint(60, 50), QPoint(90, 60))
    mask, undo_steps = artist.document.mask_pixels(), artist.document.undo.count()
    artist.write("promptEdit", "a yellow house")
    artist.find("stepsSpin").setValue(150)
    artist.click("generateButton")
    artist.wait(lambda: artist.queue.running is not None and artist.queue.running.step >= 2)
    artist.press(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    asked_at = artist.queue.running.step if artist.queue.running else 0
    assert artist.find("progressLabel").text() == "cancelling…"
    artist.wait(lambda: artist.queue.current is None)
    assert len(artist.previews) <= asked_at + 2, "it went on painting"
    assert not artist.results
    np.testing.assert_array_equal(artist.document.pixels(), pixels)
    np.testing.assert_array_equal(artist.document.mask_pixels(), mask)
    assert artist.document.undo.count() == undo_steps
    assert artist.find("promptEdit").toPlainText() == "a yellow house"
    artist.find("stepsSpin").setValue(2)
    artist.paint()
    assert not artist.titles

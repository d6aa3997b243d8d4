"""Somebody paints with live mode on: each stroke is answered by a ghost, and one of them is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt

from app.core.request import Inpaint
from tests.e2e.conftest import Artist

CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def test_a_stroke_is_answered_and_the_answer_kept(artist: Artist, photo: tuple[Path, np.ndarray]) -> None:
    path, pixels = photo
    artist.open(path)
    artist.drag(QPoint(40, 40), QPoint(60, 50))
    artist.write("promptEdit", "a yellow house")
    artist.press(Qt.Key.Key_L, CTRL)
    artist.drag(QPoint(70, 60), QPoint(100, 70))
    live = artist.window.live

    def answers_the_last_stroke() -> bool:
        task = None if live.ghost is None else live.ghost.request.task
        return isinstance(task, Inpaint) and np.array_equal(task.mask, artist.document.mask_pixels())

    artist.wait(answers_the_last_stroke)
    np.testing.assert_array_equal(artist.document.pixels(), pixels)
    steps, ghost = artist.document.undo.count(), live.ghost
    assert ghost is not None
    assert ghost.changed_outside == 0
    artist.press(Qt.Key.Key_K, NONE)
    assert artist.document.undo.count() == steps + 1
    np.testing.assert_array_equal(artist.document.pixels(), ghost.image)
    assert not artist.titles

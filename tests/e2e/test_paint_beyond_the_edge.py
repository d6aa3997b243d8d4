"""Somebody pulls the picture's edge out and lets the model paint beyond it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from app.core.geometry import Size
from tests.e2e.conftest import Artist
from tests.ui.canvas.gestures import drag


@pytest.mark.parametrize("folder", ["starter", "starter-inpaint"])
def test_an_edge_is_pulled_out_and_painted(artist: Artist, photo: tuple[Path, np.ndarray], folder: str) -> None:
    path, pixels = photo
    height, width = pixels.shape[:2]
    artist.store.update(model=next(m.id for m in artist.desk.shelf.models if Path(m.id).name == folder))
    artist.open(path)
    canvas, document = artist.window.canvas, artist.document
    canvas.set_tool("crop")
    start, end = QPointF(width, height / 2), QPointF(width + 48, height / 2)
    drag(canvas, canvas.to_view(start), canvas.to_view(end))
    assert document.size.width > width
    assert document.size.height == height
    artist.find("stepsSpin").setValue(6)
    result = artist.paint()
    assert result.changed_outside == 0
    painted = document.pixels()
    assert np.array_equal(painted[:, :width], pixels)
    assert np.array_equal(painted[:, width:], result.image[:, width:])
    assert painted[:, width:].std() > 1.0  # something was painted there
    for _ in range(2):
        document.undo.undo()
    assert document.size == Size(width, height)
    assert np.array_equal(document.pixels(), pixels)

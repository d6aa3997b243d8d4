"""Somebody drops a file that is no picture, while they have work on the canvas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint

from tests.e2e.conftest import Artist


def test_it_is_said_and_nothing_is_lost(artist: Artist, photo: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, pixels = photo
    artist.open(path)
    artist.drag(QPoint(60, 50), QPoint(90, 60))
    mask = artist.document.mask_pixels()
    artist.write("promptEdit", "a lake")
    broken = tmp_path / "half a picture.png"
    broken.write_bytes(path.read_bytes()[:200])
    artist.drop_files(broken)
    artist.wait(lambda: bool(artist.titles))
    assert "half a picture.png" in artist.titles[0]
    np.testing.assert_array_equal(artist.document.pixels(), pixels)
    np.testing.assert_array_equal(artist.document.mask_pixels(), mask)
    assert artist.find("promptEdit").toPlainText() == "a lake"
    artist.find("stepsSpin").setValue(2)
    artist.paint()

"""Somebody repaints a spot with each of the two models that come with Limner: both ways of inpainting are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from app.core.job import Mode
from tests.e2e.conftest import Artist

WAYS = (("starter", Mode.INPAINT_BLEND, "blending"), ("starter-inpaint", Mode.INPAINT_CONCAT, "made for inpainting"))


@pytest.mark.parametrize(("folder", "mode", "told"), WAYS)
def test_each_starter_repaints_in_its_own_way_and_keeps_the_rest(
    artist: Artist, photo: tuple[Path, np.ndarray], folder: str, mode: Mode, told: str
) -> None:
    path, pixels = photo
    by_folder = {Path(model.id).name: model for model in artist.desk.shelf.models if model.starter}
    assert set(by_folder) == {way[0] for way in WAYS}
    artist.store.update(model=by_folder[folder].id)
    artist.open(path)
    artist.write("promptEdit", "a red balloon")
    artist.find("stepsSpin").setValue(8)
    artist.drag(QPoint(60, 50), QPoint(90, 60))
    assert told in artist.generate_button.toolTip()
    mask = artist.document.mask_pixels()
    result = artist.paint()
    assert result.mode is mode
    assert result.changed_outside == 0
    painted = artist.document.pixels()
    np.testing.assert_array_equal(painted[mask == 0], pixels[mask == 0])
    assert (painted[mask == 255] != pixels[mask == 255]).any(axis=1).mean() > 0.8


def test_the_first_model_is_the_one_that_paints_from_words(artist: Artist) -> None:
    current = artist.desk.shelf.current
    assert current is not None
    assert current.channels == 4
    assert not artist.find("modelHelp").isHidden()

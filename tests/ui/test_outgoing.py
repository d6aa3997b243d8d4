"""Out of the window: files that are dragged, and what is copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage

from app.document import images
from app.library import webui
from app.ui.history import HistoryModel
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    make_picture(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def files(mime) -> list[Path]:  # type: ignore[no-untyped-def]
    return [Path(url.toLocalFile()) for url in mime.urls()]


def test_a_candidate_is_dragged_out_as_a_file_of_its_own(studio: Studio) -> None:
    studio.store.update(prompt="a calm lake", count=2)
    studio.click("generateButton")
    studio.wait_idle()
    studio.wait(lambda: not studio.desk.history.busy)
    strip = studio.find("candidateList")
    (path,) = files(strip.mimeData([strip.item(1)]))
    assert path.name.startswith("a-calm-lake-")
    result = studio.desk.candidates.waiting[1].result
    np.testing.assert_array_equal(np.asarray(Image.open(path)), result.image)
    kept = studio.desk.history.path(2)
    assert kept is not None
    assert not path.samefile(kept)
    path.write_bytes(b"changed by whoever got it")
    np.testing.assert_array_equal(np.asarray(Image.open(kept)), result.image)
    studio.window.close()
    assert not path.exists()


def test_a_candidate_that_the_history_lacks_is_dragged_out_all_the_same(studio: Studio) -> None:
    studio.store.update(prompt="a calm lake", count=2)
    studio.click("generateButton")
    studio.wait_idle()
    result = studio.desk.candidates.waiting[0].result
    path = studio.desk.history.copy_of_candidate(999, result)
    assert path is not None
    np.testing.assert_array_equal(np.asarray(Image.open(path)), result.image)


def test_an_entry_of_the_history_is_dragged_out_as_a_copy(studio: Studio) -> None:
    studio.store.update(prompt="a calm lake")
    studio.click("generateButton")
    studio.wait_idle()
    studio.find("historyButton").setChecked(True)
    model = studio.window.findChild(HistoryModel)
    studio.wait(lambda: model.rowCount() == 1)
    studio.wait(lambda: model.entry(model.index(0)) is not None)
    (path,) = files(model.mimeData([model.index(0)]))
    assert path.name == "a-calm-lake-1.png"
    kept = studio.desk.history.path(1)
    assert kept is not None
    assert path.read_bytes() == kept.read_bytes()
    assert not path.samefile(kept)


def test_the_marked_part_is_copied_with_its_strength_as_alpha(studio: Studio, photo: Path) -> None:
    studio.open(photo)
    assert not studio.window.actions_by_id["copy_masked"].isEnabled()
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    mask, picture = studio.document.mask_pixels(), studio.document.pixels()
    QGuiApplication.clipboard().clear()
    studio.window.actions_by_id["copy_masked"].trigger()
    studio.wait(lambda: not QGuiApplication.clipboard().image().isNull())
    got = QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_ARGB32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    assert (got.width(), got.height()) == (len(columns), len(rows))
    alpha = images.layer_part(got, got.rect())[..., 3]
    np.testing.assert_array_equal(alpha, mask[box])
    opaque = alpha == 255
    np.testing.assert_array_equal(images.to_pixels(got)[opaque], picture[box][opaque])


def test_settings_are_copied_as_other_programs_read_them(studio: Studio, photo: Path) -> None:
    studio.store.update(prompt="a calm lake", negative="fog", steps=9, seed=5, seed_locked=True)
    studio.window.actions_by_id["copy_settings"].trigger()  # of the panels: there is no picture yet
    studio.wait(lambda: "a calm lake" in QGuiApplication.clipboard().text())
    studio.click("generateButton")
    studio.wait_idle()
    studio.store.update(prompt="else")
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    studio.wait(lambda: "Model: fake" in QGuiApplication.clipboard().text())
    recipe = webui.parse(QGuiApplication.clipboard().text())
    assert recipe is not None
    assert recipe.values["prompt"] == "a calm lake"
    assert (recipe.values["steps"], recipe.values["seed"]) == (9, 5)
    studio.store.update(count=2)
    studio.click("generateButton")
    studio.wait_idle()
    studio.window.actions_by_id["copy_settings"].trigger()  # of the candidate that is shown
    assert QGuiApplication.clipboard().text().startswith("else")

"""The mask as a whole: edits from the panel and the menu, masks from files, drops and transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.ui.mask_work import MASK_EDITS
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture
from tests.ui.test_files import ScriptedDialogs


class MaskDialogs(ScriptedDialogs):
    """Answers what the test says, also about masks."""

    def open_mask(self, folder: Path) -> Path | None:
        return self.path

    def save_mask(self, suggestion: Path) -> Path | None:
        return self.path


@pytest.fixture
def masked(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(40, 30), QPoint(60, 30))
    return studio


def _ask(studio: Studio, path: Path | None) -> None:
    studio.window.dialogs = MaskDialogs(path)


def _save_grey(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values).save(path)
    return path


def test_the_panel_comes_with_a_picture(studio: Studio, tmp_path: Path) -> None:
    panel = studio.find("maskPanel")
    assert not panel.isVisible()
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    assert panel.isVisible()
    assert not studio.find("mask_growButton").isEnabled()
    studio.drag(QPoint(40, 30), QPoint(60, 30))
    assert studio.find("mask_growButton").isEnabled()


def test_grow_and_shrink_by_the_number_of_pixels(masked: Studio) -> None:
    document = masked.document
    before, steps = document.mask_pixels(), document.undo.count()
    masked.click("maskButton")
    masked.find("maskAmountSpin").setValue(5)
    masked.click("mask_growButton")
    masked.wait(lambda: document.undo.count() == steps + 1)
    assert document.undo.undoText() == "Grow mask"
    rows = np.flatnonzero(document.mask_pixels()[:, 50])
    assert len(rows) == np.count_nonzero(before[:, 50]) + 10
    masked.window.actions_by_id["mask_shrink"].trigger()  # by as many again
    masked.wait(lambda: document.undo.count() == steps + 2)
    assert np.count_nonzero(document.mask_pixels()[:, 50]) == np.count_nonzero(before[:, 50])
    document.undo.undo()
    document.undo.undo()
    assert np.array_equal(document.mask_pixels(), before)


@pytest.mark.parametrize("id", MASK_EDITS)
def test_every_edit_is_one_step_or_says_that_nothing_changed(masked: Studio, id: str) -> None:
    steps = masked.document.undo.count()
    hint = masked.find("hintLabel")
    masked.window.actions_by_id[f"mask_{id}"].trigger()
    masked.wait(lambda: masked.document.undo.count() == steps + 1 or "stays as it is" in hint.toolTip())


def test_an_edit_counts_for_the_mask_as_it_is_when_it_is_done(masked: Studio) -> None:
    """A stroke painted while the edit is worked out is in the grown mask as well."""
    document, steps = masked.document, masked.document.undo.count()
    masked.window.mask_work.edit("grow", 3)
    masked.drag(QPoint(10, 10), QPoint(20, 10))
    masked.wait(lambda: document.undo.count() == steps + 2)
    grown = document.mask_pixels()
    document.undo.undo()
    painted = document.mask_pixels()
    assert painted[10, 15] == 255
    assert grown[:, 15].astype(bool).sum() > painted[:, 15].astype(bool).sum()


def test_everything_can_be_marked(masked: Studio) -> None:
    masked.window.canvas.setFocus()
    masked.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert (masked.document.mask_pixels() == 255).all()
    steps = masked.document.undo.count()
    masked.window.actions_by_id["mark_all"].trigger()
    assert masked.document.undo.count() == steps


def test_a_mask_is_saved_and_comes_back(masked: Studio, tmp_path: Path) -> None:
    mask = masked.document.mask_pixels()
    _ask(masked, tmp_path / "mäsk.png")
    masked.window.actions_by_id["save_mask"].trigger()
    masked.wait(lambda: "mäsk.png" in masked.find("hintLabel").toolTip())
    masked.window.actions_by_id["clear_mask"].trigger()
    masked.window.actions_by_id["load_mask"].trigger()
    masked.wait(lambda: not masked.document.mask_empty)
    assert np.array_equal(masked.document.mask_pixels(), mask)
    assert masked.document.undo.undoText() == "Load mask"


def test_a_mask_of_another_scale_is_fitted_and_one_of_another_aspect_refused(masked: Studio, tmp_path: Path) -> None:
    large = np.zeros((128, 192), np.uint8)
    large[64:, :] = 255
    _ask(masked, _save_grey(tmp_path / "large.png", large))
    masked.window.actions_by_id["load_mask"].trigger()
    masked.wait(lambda: masked.document.mask_pixels()[60, 90] == 255)
    assert masked.document.mask_pixels()[10, 10] == 0
    before = masked.document.mask_pixels()
    _ask(masked, _save_grey(tmp_path / "square.png", np.full((50, 50), 255, np.uint8)))
    masked.window.actions_by_id["load_mask"].trigger()
    masked.wait(lambda: masked.titles == ["The mask “square.png” is 50 × 50, the picture 96 × 64."])
    assert np.array_equal(masked.document.mask_pixels(), before)


def test_the_same_mask_again_is_no_step(masked: Studio, tmp_path: Path) -> None:
    _ask(masked, _save_grey(tmp_path / "same.png", masked.document.mask_pixels()))
    steps = masked.document.undo.count()
    masked.window.actions_by_id["load_mask"].trigger()
    masked.wait(lambda: masked.titles == ["That is the mask that is there already."])
    assert masked.document.undo.count() == steps


def test_a_broken_mask_file_keeps_the_mask(masked: Studio, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing")
    before = masked.document.mask_pixels()
    _ask(masked, tmp_path / "broken.png")
    masked.window.actions_by_id["load_mask"].trigger()
    masked.wait(lambda: len(masked.titles) == 1)
    assert np.array_equal(masked.document.mask_pixels(), before)


def _see_through(path: Path) -> np.ndarray:
    pixels = np.full((64, 96, 4), 200, np.uint8)
    pixels[..., 3] = 255
    pixels[10:30, 10:40, 3] = 0
    pixels[40:50, 50:60, 3] = 55
    Image.fromarray(pixels).save(path)
    return 255 - pixels[..., 3]


def test_transparent_parts_of_an_opened_picture_can_be_marked(studio: Studio, tmp_path: Path) -> None:
    expected = _see_through(tmp_path / "cut out.png")
    studio.open(tmp_path / "cut out.png")
    studio.wait(lambda: studio.titles == ["The transparent parts of “cut out.png” were laid over white."])
    studio.click("noticeHelp")
    assert np.array_equal(studio.document.mask_pixels(), expected)
    assert studio.document.undo.undoText() == "Mask from transparency"


def test_mask_from_the_transparency_of_a_file(masked: Studio, tmp_path: Path) -> None:
    expected = _see_through(tmp_path / "cut out.png")
    _ask(masked, tmp_path / "cut out.png")
    masked.window.actions_by_id["transparency_mask"].trigger()
    masked.wait(lambda: np.array_equal(masked.document.mask_pixels(), expected))
    _ask(masked, tmp_path / "photo.png")
    masked.window.actions_by_id["transparency_mask"].trigger()
    masked.wait(lambda: masked.titles == ["“photo.png” has no transparent parts."])


def _drop_at(studio: Studio, path: Path, y: float) -> None:
    """Drag the file over the canvas, ``y`` 0..1 of its height, and let go."""
    area = studio.window.canvas_area
    at = area.mapTo(studio.window, QPoint(area.width() // 2, round(area.height() * y)))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    action, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(studio.window, QDragEnterEvent(at, action, mime, buttons, keys))
    QApplication.sendEvent(studio.window, QDropEvent(QPointF(at), action, mime, buttons, keys))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the only constructor that there is from outside Qt
def test_a_file_dropped_on_the_lower_half_is_a_mask(masked: Studio, tmp_path: Path) -> None:
    values = np.zeros((64, 96), np.uint8)
    values[5:20, 70:90] = 255
    path = _save_grey(tmp_path / "mask.png", values)
    picture = masked.document.pixels()
    _drop_at(masked, path, 0.8)
    masked.wait(lambda: np.array_equal(masked.document.mask_pixels(), values))
    assert np.array_equal(masked.document.pixels(), picture)
    _drop_at(masked, path, 0.2)
    masked.wait(lambda: not np.array_equal(masked.document.pixels(), picture))
    assert masked.document.mask_empty


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_a_picture_a_dropped_file_is_the_picture(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png")
    _drop_at(studio, tmp_path / "photo.png", 0.8)
    studio.wait(lambda: studio.document.has_picture)
    assert studio.document.mask_empty

"""The menu "Picture": canvas size, scale, crop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDialog, QDialogButtonBox

from app.core.geometry import Rect, Size
from app.document.commands import SetFrame
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 320, 240)
    studio.open(tmp_path / "photo.png")
    return studio


def _ask(studio: Studio, action: str, name: str) -> QDialog:
    studio.window.actions_by_id[action].trigger()
    dialog = studio.window.findChild(QDialog, name)
    assert dialog is not None
    return dialog


def test_the_menu_is_there_when_a_picture_is(studio: Studio, tmp_path: Path) -> None:
    actions = studio.window.actions_by_id
    assert not any(actions[id].isEnabled() for id in ("canvas_size", "scale_picture", "crop_frame", "crop_mask"))
    make_picture(tmp_path / "photo.png", 320, 240)
    studio.open(tmp_path / "photo.png")
    assert actions["canvas_size"].isEnabled()
    assert actions["scale_picture"].isEnabled()
    assert not actions["crop_frame"].isEnabled()
    studio.document.undo.push(SetFrame(studio.document, Rect(64, 64, 128, 64)))
    actions["crop_frame"].trigger()
    assert studio.document.size == Size(128, 64)


def test_the_canvas_grows_around_the_anchor(opened: Studio) -> None:
    document, old = opened.document, opened.document.pixels()
    dialog = _ask(opened, "canvas_size", "canvasSize")
    opened.find("canvasSizeWidth").setValue(400)
    opened.find("canvasSizeHeight").setValue(200)
    opened.click("anchor02")  # the top right corner stays
    assert "80 px more across, 40 px less down" in opened.find("canvasSizeLine").text()
    dialog.accept()
    assert document.size == Size(400, 200)
    assert np.array_equal(document.pixels()[:, 80:], old[:200])
    assert (document.mask_pixels()[:, :80] == 255).all()
    document.undo.undo()
    assert np.array_equal(document.pixels(), old)


def test_the_new_part_is_left_unmarked_when_that_is_wished(opened: Studio) -> None:
    dialog = _ask(opened, "canvas_size", "canvasSize")
    opened.find("canvasSizeWidth").setValue(400)
    opened.find("canvasSizeMark").setChecked(False)
    dialog.accept()
    assert opened.document.size == Size(400, 240)
    assert opened.document.mask_empty


def test_a_canvas_that_is_too_large_says_so_and_cannot_be_had(opened: Studio) -> None:
    dialog = _ask(opened, "canvas_size", "canvasSize")
    opened.find("canvasSizeWidth").setValue(16384)
    opened.find("canvasSizeHeight").setValue(16384)
    assert "120 million pixels at most" in opened.find("canvasSizeLine").text()
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()
    opened.find("canvasSizeHeight").setValue(240)
    assert ok.isEnabled()
    dialog.reject()
    assert opened.document.size == Size(320, 240)


def test_scaling_keeps_the_aspect_and_takes_everything_along(opened: Studio) -> None:
    document = opened.document
    opened.drag(QPoint(100, 100), QPoint(140, 120))
    document.undo.push(SetFrame(document, Rect(64, 64, 128, 128)))
    old, mask, steps = document.pixels(), document.mask_pixels(), document.undo.count()
    dialog = _ask(opened, "scale_picture", "scalePicture")
    opened.find("scalePictureWidth").setValue(160)
    assert opened.find("scalePictureHeight").value() == 120
    assert opened.find("scalePictureLine").text().startswith("50% of 320 × 240")
    dialog.accept()
    opened.wait(lambda: document.undo.count() > steps)
    assert document.size == Size(160, 120)
    assert document.frame == Rect(32, 32, 64, 64)
    expected = np.asarray(Image.fromarray(old).resize((160, 120), Image.Resampling.LANCZOS))
    assert np.array_equal(document.pixels(), expected)
    assert abs(int(document.mask_pixels().sum()) * 4 - int(mask.sum())) < 0.02 * mask.sum()
    document.undo.undo()
    assert np.array_equal(document.pixels(), old)
    assert np.array_equal(document.mask_pixels(), mask)
    assert document.frame == Rect(64, 64, 128, 128)
    document.undo.redo()
    assert np.array_equal(document.pixels(), expected)


def test_a_picture_that_is_changed_meanwhile_is_not_scaled(opened: Studio) -> None:
    document = opened.document
    opened.window.extent_work.scale(Size(160, 120))
    opened.drag(QPoint(100, 100), QPoint(140, 120))
    steps = document.undo.count()
    opened.wait(lambda: "not scaled" in opened.find("hintLabel").text())
    assert document.undo.count() == steps
    assert document.size == Size(320, 240)

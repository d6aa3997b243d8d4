"""The list of masks in the window: chosen, named, combined; what is drawn is what is sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from app.core.params import Intent
from app.document import images
from tests.fakes import FakeBackend
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture
from tests.ui.test_journal import crash, restore


@pytest.fixture
def masked(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(100, 100), QPoint(200, 100))
    studio.click("maskButton")
    return studio


def _rows(studio: Studio) -> list[str]:
    rows = studio.find("maskList")
    return [rows.item(number).text() for number in range(rows.count())]


def test_masks_are_added_chosen_duplicated_and_deleted(masked: Studio) -> None:
    first = masked.document.mask_pixels()
    masked.click("maskAddButton")
    assert _rows(masked) == ["Mask 1", "Mask 2"]
    assert masked.document.mask_empty
    masked.drag(QPoint(400, 300), QPoint(500, 300))
    masked.click("maskDuplicateButton")
    assert _rows(masked) == ["Mask 1", "Mask 2", "Mask 2 copy"]
    masked.find("maskList").setCurrentRow(0)
    assert np.array_equal(masked.document.mask_pixels(), first)
    masked.find("maskList").setCurrentRow(2)
    masked.click("maskDeleteButton")
    assert _rows(masked) == ["Mask 1", "Mask 2"]
    assert masked.find("maskList").currentRow() == 1
    for _ in range(6):
        masked.document.undo.undo()
    assert _rows(masked) == ["Mask 1"]
    assert np.array_equal(masked.document.mask_pixels(), first)


def test_a_mask_is_renamed_in_its_row(masked: Studio) -> None:
    rows = masked.find("maskList")
    rows.item(0).setText(" the  boat ")
    assert masked.document.masks.current.name == "the boat"
    assert masked.document.undo.undoText() == "Rename mask"
    rows.item(0).setText("   ")
    assert _rows(masked) == ["the boat"]
    masked.document.undo.undo()
    assert _rows(masked) == ["Mask 1"]


def test_the_chosen_mask_is_drawn_and_sent_and_no_other(masked: Studio, backend: FakeBackend) -> None:
    masked.click("maskAddButton")
    masked.drag(QPoint(400, 300), QPoint(500, 300))
    masked.store.update(intent=Intent.INPAINT, steps=1)
    for row in (1, 0):
        masked.find("maskList").setCurrentRow(row)
        shown = images.to_mask(masked.window.canvas._scene.mask.level(0))
        assert np.array_equal(shown, masked.document.mask_pixels())
        masked.window.painting.submit()
        masked.wait_idle()
        assert np.array_equal(backend.requests[-1].task.mask, shown)
    assert not np.array_equal(backend.requests[0].task.mask, backend.requests[1].task.mask)


def test_masks_are_combined_from_the_menu(masked: Studio) -> None:
    other = masked.document.mask_pixels()
    masked.click("maskAddButton")
    menu = masked.window.findChild(QMenu, "maskCombineMenu")
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["Add “Mask 1”", "Take “Mask 1” away", "Only inside “Mask 1”"]
    menu.actions()[0].trigger()
    assert np.array_equal(masked.document.mask_pixels(), other)
    assert masked.document.undo.undoText() == "Add mask"


def test_keys_add_masks_and_go_from_one_to_the_next(masked: Studio) -> None:
    masked.window.canvas.setFocus()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    masked.key(Qt.Key.Key_N, both)
    assert masked.document.masks.active == 1
    masked.key(Qt.Key.Key_M, both)
    assert masked.document.masks.active == 0
    assert "Mask 1" in masked.find("hintLabel").text()


def test_all_masks_outlive_a_crash_with_every_step(open_studio: Open, tmp_path: Path) -> None:
    studio = open_studio()
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(100, 100), QPoint(200, 100))
    studio.click("maskButton")
    studio.click("maskAddButton")
    studio.find("maskList").item(1).setText("the boat")
    studio.drag(QPoint(400, 300), QPoint(500, 300))
    studio.find("maskList").setCurrentRow(0)
    count = studio.document.undo.count()

    def looks(of: Studio) -> list[object]:
        masks, seen = of.document.masks, []
        contents = [[(tile.box, tile.pixels().tobytes()) for tile in mask.content] for mask in masks.items]
        seen = [[mask.name for mask in masks.items], masks.active, contents, of.document.mask_pixels().tobytes()]
        return seen

    expected = {}
    for number in range(count, 0, -1):
        studio.document.undo.setIndex(number)
        expected[number] = looks(studio)
    studio.document.undo.setIndex(count)
    crash(studio)
    again = open_studio()
    restore(again)
    assert again.document.undo.count() == count
    for number in (*range(count, 0, -1), *range(1, count + 1)):
        again.document.undo.setIndex(number)
        assert looks(again) == expected[number], number

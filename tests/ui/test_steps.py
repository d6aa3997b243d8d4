"""The list of steps: where one is, jumping, and what happens when the memory is full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from tests.document.test_undo import Heavy
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture


@pytest.fixture
def worked(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    for y in (10, 30, 50):
        studio.drag(QPoint(20, y), QPoint(60, y))
    return studio


def _texts(studio: Studio) -> list[str]:
    rows = studio.find("stepsList")
    return [rows.item(number).text() for number in range(rows.count())]


def test_there_is_no_list_before_the_first_step(studio: Studio) -> None:
    assert not studio.find("stepsPanel").isVisible()


def test_one_can_jump_to_any_step(worked: Studio) -> None:
    worked.click("stepsButton")
    rows, document = worked.find("stepsList"), worked.document
    assert _texts(worked) == ["The beginning", "Open photo.png", "Paint mask", "Paint mask", "Paint mask"]
    assert rows.currentRow() == 4
    end = document.mask_pixels()
    rows.setCurrentRow(2)
    assert document.undo.index() == 2
    assert document.mask_pixels()[10, 40] == 255
    assert document.mask_pixels()[30, 40] == 0
    assert rows.item(4).foreground() != rows.item(1).foreground()
    rows.setCurrentRow(0)
    assert not document.has_picture
    rows.setCurrentRow(4)
    assert np.array_equal(document.mask_pixels(), end)
    document.undo.undo()
    assert rows.currentRow() == 3


def test_when_the_memory_is_full_it_is_said_and_the_list_begins_later(worked: Studio) -> None:
    worked.click("stepsButton")
    worked.find("undoBudgetSpin").setValue(50)
    for _ in range(3):
        worked.document.undo.push(Heavy(24))
    assert "can no longer be undone" in worked.find("hintLabel").toolTip()
    assert _texts(worked) == ["Before that, 5 forgotten", "24 MB", "24 MB"]
    worked.find("stepsList").setCurrentRow(0)
    assert worked.document.undo.index() == 5
    assert not worked.window.actions_by_id["undo"].isEnabled()
    assert "48 MB" in worked.find("undoUsed").text()


def test_the_budget_is_remembered(open_studio: Open) -> None:
    one = open_studio()
    one.find("undoBudgetSpin").setValue(300)
    one.window.close()
    two = open_studio()
    assert two.document.undo.budget == 300_000_000

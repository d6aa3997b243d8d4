"""A grid in the window: asked for in a dialog, painted as one group, looked at and picked from on a sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from app.core.errors import RequestError
from app.core.job import Purpose
from app.ui.grid_dialog import GridDialog
from app.ui.sheet import SheetDialog
from tests.fakes import FakeBackend, painted, result_of
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot


@pytest.fixture(autouse=True)
def by_guidance(backend: FakeBackend) -> None:
    """As red as the guidance is high, as green as the seed."""
    backend.make_result = lambda request: result_of(
        request, painted(request, (round(20 * request.guidance), 20 * request.seed % 256, 0))
    )


def ask(studio: Studio, across: str = "3, 5, 7", down: str = "1-2") -> GridDialog:
    studio.store.update(steps=2)
    studio.window.actions_by_id["grid"].trigger()
    dialog: Any = studio.window.findChild(GridDialog)
    studio.find("gridAcrossValues").setText(across)
    studio.find("gridDown").setCurrentIndex(studio.find("gridDown").findData("seed"))
    studio.find("gridDownValues").setText(down)
    assert isinstance(dialog, GridDialog)
    return dialog


@pytest.fixture
def sheet(studio: Studio) -> SheetDialog:
    ask(studio)
    studio.click("gridPaint")
    studio.wait_idle()
    dialog: Any = studio.window.findChild(SheetDialog)
    assert isinstance(dialog, SheetDialog)
    return dialog


def test_the_number_and_the_time_are_said_before(studio: Studio) -> None:
    ask(studio)
    assert studio.find("gridTold").text().startswith("6 pictures. How long")
    studio.find("gridDown").setCurrentIndex(0)
    assert studio.find("gridTold").text().startswith("3 pictures.")
    studio.window.painting.submit()
    studio.wait_idle()
    studio.find("gridAcrossValues").setText("3-6")
    assert studio.find("gridTold").text().startswith("4 pictures, about 0:0")


def test_bad_values_are_a_sentence_and_cannot_be_painted(studio: Studio) -> None:
    ask(studio, across="high")
    assert "Guidance: “high” is not a number or a range." in studio.find("gridTold").text()
    assert not studio.find("gridPaint").isEnabled()
    studio.find("gridAcrossValues").setText("3")
    assert studio.find("gridPaint").isEnabled()


def test_the_cells_are_one_group_and_come_onto_the_sheet(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    ask(studio)
    studio.click("gridPaint")
    studio.wait(lambda: studio.queue.running is not None)
    assert {job.purpose for job in studio.queue.waiting} == {Purpose.CELL}
    assert len({job.group for job in studio.queue.waiting}) == 1
    assert studio.find("queueList").count() == 1
    assert studio.find("sheetTold").text() == "0 of 6 painted"
    backend.gated = False
    studio.wait_idle()
    assert [(request.guidance, request.seed) for request in backend.requests] == [
        (guidance, seed) for seed in (1, 2) for guidance in (3.0, 5.0, 7.0)
    ]
    assert studio.find("sheetTold").text() == "6 pictures"
    assert studio.document.undo.count() == 0, "the document gets nothing of it"
    assert studio.titles == []


def test_the_pictures_stand_where_their_labels_say(sheet: SheetDialog) -> None:
    shown = sheet.view.grab().toImage()
    ratio = sheet.view.devicePixelRatioF()
    for row, seed in enumerate((1, 2)):
        for column, guidance in enumerate((3, 5, 7)):
            colour = shown.pixelColor(sheet.view.cell_at((row, column)).center() * ratio)
            assert abs(colour.red() - 20 * guidance) <= 2
            assert abs(colour.green() - 20 * seed) <= 2


def test_one_is_picked_with_keys_and_becomes_a_candidate(studio: Studio, sheet: SheetDialog) -> None:
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return):
        studio.qtbot.keyClick(sheet.view, key)
    shown = studio.desk.candidates.shown
    assert shown is not None
    assert (shown.result.request.guidance, shown.result.request.seed) == (7.0, 2)
    size = sheet.view.cell_size
    studio.qtbot.keyClick(sheet.view, Qt.Key.Key_Plus)
    assert sheet.view.cell_size.width() > size.width()


def test_what_no_longer_fits_is_not_picked(studio: Studio, sheet: SheetDialog, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.click("sheetPick")
    assert studio.find("sheetTold").text().startswith("Another picture is open now")
    assert studio.desk.candidates.waiting == ()


def test_the_sheet_is_saved_with_every_picture(
    studio: Studio, sheet: SheetDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.window.dialogs, "save_picture", lambda suggestion: tmp_path / "sheet.png")
    studio.click("sheetSave")
    studio.wait(lambda: studio.find("sheetTold").text() == "The sheet is saved as sheet.png.")
    saved = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    size = studio.store.params.size
    assert saved.shape[0] > 2 * size.height
    for seed in (1, 2):
        for guidance in (3, 5, 7):
            assert int((saved == (20 * guidance, 20 * seed, 0)).all(axis=-1).sum()) == size.width * size.height


def test_a_place_that_cannot_be_written_is_said(
    studio: Studio, sheet: SheetDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.window.dialogs, "save_picture", lambda suggestion: tmp_path / "none" / "sheet.png")
    studio.click("sheetSave")
    studio.wait(lambda: "could not be saved" in studio.find("sheetTold").text())


def test_closing_the_sheet_stops_what_is_left(studio: Studio, backend: FakeBackend) -> None:
    backend.gated = True
    ask(studio)
    studio.click("gridPaint")
    studio.wait(lambda: studio.queue.running is not None)
    sheet: Any = studio.window.findChild(SheetDialog)
    sheet.close()
    studio.wait_idle()
    assert len(backend.requests) == 1


def test_why_a_cell_has_no_picture_stands_in_it(studio: Studio, backend: FakeBackend) -> None:
    backend.error = RequestError("It cannot be painted.", "Try another one.")
    ask(studio, "3", "1")
    studio.click("gridPaint")
    studio.wait_idle()
    (run,) = studio.window.grids.runs
    studio.wait(lambda: run.left == 0)
    assert run.failures == {(0, 0): "It cannot be painted."}

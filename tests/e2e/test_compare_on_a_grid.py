"""Somebody compares guidances and seeds on a sheet, and takes the one that they like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.core.geometry import Size
from app.ui.sheet import SheetDialog
from tests.e2e.conftest import Artist


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot
def test_a_grid_is_painted_and_picked_from(artist: Artist) -> None:
    artist.store.update(size=Size(64, 64))
    artist.find("stepsSpin").setValue(2)
    artist.write("promptEdit", "night, a lake")
    artist.press(Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    artist.find("gridAcrossValues").setText("1.5-7.5 [2]")
    artist.find("gridDown").setCurrentIndex(artist.find("gridDown").findData("seed"))
    artist.find("gridDownValues").setText("4-5")
    artist.click("gridPaint")
    artist.wait(lambda: len(artist.results) == 4)
    sheet: Any = artist.window.findChild(SheetDialog)
    artist.wait(lambda: artist.find("sheetTold").text() == "4 pictures")
    artist.qtbot.keyClick(sheet.view, Qt.Key.Key_Down)
    artist.qtbot.keyClick(sheet.view, Qt.Key.Key_Return)
    shown = artist.desk.candidates.shown
    assert shown is not None
    assert (shown.result.request.guidance, shown.result.request.seed) == (1.5, 5)
    sheet.close()
    artist.window.activateWindow()
    artist.wait(artist.window.isActiveWindow)
    artist.window.canvas.setFocus()
    artist.press(Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)
    np.testing.assert_array_equal(artist.document.pixels(), shown.result.image)
    assert artist.document.undo.count() == 1
    assert not artist.titles

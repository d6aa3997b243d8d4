"""Layers in the window: chosen, hidden, renamed, faded, moved and merged, each one step to undo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest

from app.document import images
from app.document.layers import LayerKind
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture


@pytest.fixture
def stacked(studio: Studio, tmp_path: Path) -> Studio:
    """A picture, a result over it, an empty paint layer; the list is open."""
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(20, 20), QPoint(60, 40))
    studio.store.update(prompt="a calm lake")
    studio.click("generateButton")
    studio.wait(lambda: len(studio.document.layers) == 2)
    studio.click("layersButton")
    studio.click("layerAdd")
    return studio


def names(studio: Studio) -> list[str]:
    return [layer.name for layer in studio.document.layers]


def row(studio: Studio, name: str) -> QModelIndex:
    model = studio.find("layersList").model()
    return next(model.index(n) for n in range(model.rowCount()) if model.index(n).data() == name)


def choose(studio: Studio, name: str) -> None:
    studio.find("layersList").setCurrentIndex(row(studio, name))


def click_eye(studio: Studio, name: str) -> None:
    view = studio.find("layersList")
    place = view.visualRect(row(studio, name))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x() + 14, place.center().y()))


def test_the_list_shows_the_uppermost_first(stacked: Studio) -> None:
    model = stacked.find("layersList").model()
    assert [model.index(n).data() for n in range(model.rowCount())] == ["Paint 1", "a calm lake", "Picture"]
    assert stacked.document.active.name == "Paint 1"
    assert stacked.find("layersButton").text() == "Layers (3)"
    told = row(stacked, "a calm lake").data(Qt.ItemDataRole.AccessibleTextRole)
    assert told == "a calm lake, result"


def test_the_eye_hides_a_result_and_the_picture_is_as_it_was(stacked: Studio) -> None:
    shown = stacked.document.pixels()
    click_eye(stacked, "a calm lake")
    hidden = stacked.document.pixels()
    np.testing.assert_array_equal(hidden, _picture(stacked))
    assert not np.array_equal(shown, hidden)
    click_eye(stacked, "a calm lake")
    np.testing.assert_array_equal(stacked.document.pixels(), shown)
    stacked.document.undo.undo()
    np.testing.assert_array_equal(stacked.document.pixels(), hidden)


def _picture(studio: Studio) -> np.ndarray:
    return images.to_pixels(studio.document.layers[0].image)


def test_a_layer_is_renamed(stacked: Studio) -> None:
    view = stacked.find("layersList")
    choose(stacked, "a calm lake")
    view.edit(view.currentIndex())
    edit = stacked.find("layerName")
    edit.setText("  Lake ")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    stacked.wait(lambda: names(stacked) == ["Picture", "Lake", "Paint 1"])
    stacked.document.undo.undo()
    assert names(stacked) == ["Picture", "a calm lake", "Paint 1"]


def test_fading_with_the_slider_is_one_step(stacked: Studio) -> None:
    choose(stacked, "a calm lake")
    count = stacked.document.undo.count()
    slider = stacked.find("layerOpacitySlider")
    for value in (80, 60, 40):
        slider.setValue(value)
    assert stacked.document.active.opacity == 0.4
    assert stacked.document.undo.count() == count + 1
    stacked.document.undo.undo()
    assert stacked.document.active.opacity == 1.0
    assert slider.value() == 100


def test_the_order_changes_by_buttons_keys_and_dragging(stacked: Studio) -> None:
    choose(stacked, "Paint 1")
    stacked.click("layerDown")
    assert names(stacked) == ["Picture", "Paint 1", "a calm lake"]
    view = stacked.find("layersList")
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert names(stacked) == ["Picture", "a calm lake", "Paint 1"]
    model = view.model()
    mime = model.mimeData([row(stacked, "Picture")])
    model.dropMimeData(mime, Qt.DropAction.MoveAction, 0, 0, QModelIndex())  # over the uppermost
    assert names(stacked) == ["a calm lake", "Paint 1", "Picture"]
    mime = model.mimeData([row(stacked, "Picture")])
    model.dropMimeData(mime, Qt.DropAction.MoveAction, 3, 0, QModelIndex())  # under the lowest
    assert names(stacked) == ["Picture", "a calm lake", "Paint 1"]


def test_a_layer_is_doubled_merged_and_deleted(stacked: Studio) -> None:
    choose(stacked, "a calm lake")
    stacked.click("layerDuplicate")
    assert names(stacked) == ["Picture", "a calm lake", "a calm lake copy", "Paint 1"]
    shown = stacked.document.pixels()
    stacked.click("layerMerge")
    assert names(stacked) == ["Picture", "a calm lake", "Paint 1"]
    np.testing.assert_allclose(stacked.document.pixels().astype(int), shown.astype(int), atol=1)
    stacked.click("layerMerge")
    assert names(stacked) == ["Picture", "Paint 1"]
    assert stacked.document.layers[0].kind is LayerKind.PICTURE
    assert not stacked.find("layerMerge").isEnabled()  # the lowest
    choose(stacked, "Paint 1")
    view = stacked.find("layersList")
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert names(stacked) == ["Picture"]
    stacked.document.undo.setIndex(0)
    assert not stacked.find("layersPanel").isVisible()


def test_choosing_a_layer_is_no_step(stacked: Studio) -> None:
    count = stacked.document.undo.count()
    choose(stacked, "Picture")
    assert stacked.document.active.name == "Picture"
    assert stacked.document.undo.count() == count


def test_a_thumbnail_follows_its_layer(stacked: Studio) -> None:
    model = stacked.find("layersList").model()
    layer = stacked.document.layers[-1]
    assert model.thumbnail(layer).pixelColor(5, 5).alpha() == 0
    stacked.document.write_layer(layer.id, [(layer.image.rect(), np.full((64, 96, 4), 255, np.uint8))])
    assert model.thumbnail(layer).pixelColor(5, 5).alpha() == 255


def test_a_layer_is_moved_by_dragging_and_by_keys(stacked: Studio) -> None:
    choose(stacked, "a calm lake")
    before, shown = stacked.document.active.box, stacked.document.pixels()
    stacked.window.canvas.set_tool("move")
    stacked.drag(QPoint(10, 10), QPoint(30, 22))
    assert stacked.document.active.box == before.translated(20, 12)
    assert not np.array_equal(stacked.document.pixels(), shown)
    stacked.document.undo.undo()
    np.testing.assert_array_equal(stacked.document.pixels(), shown)
    view = stacked.find("layersList")
    view.setFocus()
    keys = Qt.KeyboardModifier.AltModifier
    QTest.keyClick(view, Qt.Key.Key_Left, keys)
    QTest.keyClick(view, Qt.Key.Key_Down, keys | Qt.KeyboardModifier.ShiftModifier)
    assert stacked.document.active.box == before.translated(-1, 10)


def test_without_a_layer_the_move_tool_says_so(studio: Studio) -> None:
    studio.window.canvas.set_tool("move")
    count = studio.document.undo.count()
    studio.drag(QPoint(10, 10), QPoint(30, 22))
    assert studio.document.undo.count() == count

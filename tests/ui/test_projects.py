"""Projects in the window: saved, opened, remembered, and never lost or written over unasked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pyora
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QToolButton

from app.core.geometry import Rect
from app.core.variation import Variation
from app.document.commands import SetFrame
from app.document.layer_commands import ChangeLayers, changed, renamed
from app.document.layers import LayerKind
from app.document.mask_commands import add_mask, choose_mask, rename_mask
from app.library.openraster import OpenRaster, OraGroup, OraLayer, save_openraster
from app.ui.dialogs import Choice
from tests.fakes import FakeBackend, result_of
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture
from tests.ui.test_files import CTRL, ScriptedDialogs

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    make_picture(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def save_as(studio: Studio, path: Path) -> None:
    studio.window.dialogs = ScriptedDialogs(path)
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_S, CTRL | SHIFT)
    studio.wait(lambda: not studio.window.files.unsaved and not studio.window.background.busy)


def test_everything_on_the_desk_comes_back(
    open_studio: Open, backend: FakeBackend, photo: Path, tmp_path: Path
) -> None:
    backend.make_result = lambda request: result_of(request, model_name="Own")
    studio = open_studio()
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    studio.document.undo.push(SetFrame(studio.document, Rect(8, 8, 64, 48)))
    studio.store.update(prompt="a red house", negative="fog", steps=7, seed=123, seed_locked=True, count=3)
    studio.store.update(variation=Variation(seed=4, amount=0.25), stop_at=5)
    studio.click("generateButton")
    studio.wait_idle()
    studio.desk.candidates.step(1)
    studio.window.commands.star_candidate()
    save_as(studio, tmp_path / "desk.ora")
    assert studio.titles == []
    assert "desk.ora" in studio.window.windowTitle()
    picture, mask = studio.document.pixels(), studio.document.mask_pixels()
    images = [each.result.image for each in studio.desk.candidates.waiting]

    fresh = open_studio()
    fresh.store.update(prompt="else", steps=20)
    fresh.open(tmp_path / "desk.ora")
    np.testing.assert_array_equal(fresh.document.pixels(), picture)
    np.testing.assert_array_equal(fresh.document.mask_pixels(), mask)
    assert fresh.document.frame == Rect(8, 8, 64, 48)
    params = fresh.store.params
    assert (params.prompt, params.negative, params.steps, params.seed) == ("a red house", "fog", 7, 123)
    assert (params.variation, params.stop_at) == (Variation(seed=4, amount=0.25), 5)
    assert fresh.generate_button.text() == "Inpaint"
    waiting = fresh.desk.candidates.waiting
    assert [each.starred for each in waiting] == [False, True, False]
    for mine, other in zip(images, waiting, strict=True):
        np.testing.assert_array_equal(other.result.image, mine)
    assert not fresh.window.files.unsaved
    fresh.window.commands.accept_candidate()  # it fits the picture that it was painted from
    np.testing.assert_array_equal(fresh.document.pixels(), images[0])
    assert fresh.window.files.unsaved
    fresh.document.undo.undo()
    fresh.document.undo.undo()
    assert not fresh.document.has_picture


def test_it_opens_in_another_program_as_it_looks(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    save_as(studio, tmp_path / "a.ora")
    theirs = pyora.Project.load(str(tmp_path / "a.ora"))
    shown = np.asarray(theirs.get_image_data(use_original=False))  # put together anew from the layers
    np.testing.assert_array_equal(shown[..., :3], studio.document.pixels())
    assert shown[..., 3].min() == 255


def test_saving_again_goes_into_the_same_file_without_a_question(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    before = photo.read_bytes()
    save_as(studio, tmp_path / "a.ora")
    studio.window.dialogs = ScriptedDialogs(None)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    assert studio.window.files.unsaved  # a project holds masks
    studio.key(Qt.Key.Key_S, CTRL)
    studio.wait(lambda: not studio.window.files.unsaved)
    with zipfile.ZipFile(tmp_path / "a.ora") as archive, archive.open("limner/masks/000.png") as file:
        assert np.asarray(Image.open(file)).any()
    assert photo.read_bytes() == before


def test_a_picture_that_was_opened_is_not_written_over_unasked(studio: Studio, photo: Path) -> None:
    studio.open(photo)
    before = photo.read_bytes()
    studio.click("generateButton")
    studio.wait_idle()
    studio.window.dialogs = ScriptedDialogs(None)
    studio.window.file_commands.save()
    studio.wait(lambda: not studio.window.background.busy)
    assert photo.read_bytes() == before
    assert studio.window.files.unsaved


def test_layers_come_back_and_look_alike_elsewhere(open_studio: Open, photo: Path, tmp_path: Path) -> None:
    studio = open_studio()
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    studio.click("generateButton")
    studio.wait_idle()
    document = studio.document
    stack = changed(document.layers, document.layers[1].id, opacity=0.5, name="houses & “猫”")
    document.undo.push(ChangeLayers(document, stack, document.layers[0].id, "Fade"))
    save_as(studio, tmp_path / "a.ora")
    fresh = open_studio()
    fresh.open(tmp_path / "a.ora")
    lower, upper = fresh.document.layers
    assert (upper.name, upper.opacity, upper.kind) == ("houses & “猫”", 0.5, LayerKind.RESULT)
    assert (upper.x, upper.y) == (document.layers[1].x, document.layers[1].y)
    assert fresh.document.active is lower
    np.testing.assert_array_equal(fresh.document.pixels(), document.pixels())
    assert not fresh.window.files.unsaved
    fresh.document.undo.push(ChangeLayers(fresh.document, renamed((lower, upper), upper.id, "x"), lower.id, "Rename"))
    assert fresh.window.files.unsaved
    theirs = np.asarray(pyora.Project.load(str(tmp_path / "a.ora")).get_image_data(use_original=False))
    assert np.abs(theirs[..., :3].astype(int) - document.pixels()).max() <= 2  # it reckons in floats


def test_all_masks_come_back_and_the_same_one_is_in_use(open_studio: Open, photo: Path, tmp_path: Path) -> None:
    studio = open_studio()
    document = studio.document
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    first = document.mask_pixels()
    document.undo.push(add_mask(document))
    document.undo.push(rename_mask(document, 1, "Sky"))
    studio.drag(QPoint(10, 10), QPoint(20, 50))
    second = document.mask_pixels()
    save_as(studio, tmp_path / "masks.ora")
    again = open_studio()
    again.drop_files(tmp_path / "masks.ora")
    again.wait(lambda: again.document.has_picture)
    assert [item.name for item in again.document.masks.items] == ["Mask 1", "Sky"]
    assert again.document.masks.active == 1
    assert np.array_equal(again.document.mask_pixels(), second)
    again.document.undo.push(choose_mask(again.document, 0))
    assert np.array_equal(again.document.mask_pixels(), first)
    assert not np.array_equal(first, second)


def test_a_layered_file_of_another_program_is_not_written_over(studio: Studio, tmp_path: Path) -> None:
    flat = np.full((20, 30, 4), (10, 20, 30, 255), np.uint8)
    above = OraLayer(name="above", pixels=flat[:5, :5] // 2 * 2, x=3, y=4, blend="svg:multiply", opacity=0.5)
    layers = (OraGroup(name="group", items=(above,)), OraLayer(name="below", pixels=flat))
    save_openraster(tmp_path / "theirs.ora", OpenRaster(size=Rect(0, 0, 30, 20).size, items=layers, merged=flat))
    before = (tmp_path / "theirs.ora").read_bytes()
    studio.open(tmp_path / "theirs.ora")
    assert [layer.name for layer in studio.document.layers] == ["below", "above"]
    assert studio.titles == ["Some layers of “theirs.ora” mix in a way that Limner does not know."]
    studio.window.dialogs = ScriptedDialogs(None)
    studio.window.file_commands.save()
    studio.wait(lambda: not studio.window.background.busy)
    assert (tmp_path / "theirs.ora").read_bytes() == before


def test_a_broken_project_loses_nothing(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    (tmp_path / "bad.ora").write_bytes(b"PK\x03\x04 broken")
    studio.drop_files(tmp_path / "bad.ora")
    studio.wait(lambda: len(studio.titles) == 1)
    assert "bad.ora" in studio.titles[0]
    assert "as it was" in studio.window.notices.shown[0].text
    assert studio.document.undo.count() == 1


def test_closing_asks_for_masks_only_in_a_project(open_studio: Open, photo: Path, tmp_path: Path) -> None:
    studio = open_studio()
    asked: list[bool] = []
    studio.window.ask_before_losing = lambda: (asked.append(True), Choice.SAVE)[1]
    studio.open(photo)
    save_as(studio, tmp_path / "a.ora")
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    studio.window.dialogs = ScriptedDialogs(None)  # it has a file already: nothing to ask
    studio.window.close()
    studio.wait(lambda: not studio.window.isVisible())
    assert asked == [True]
    fresh = open_studio()
    fresh.open(tmp_path / "a.ora")
    assert not fresh.document.mask_empty


def test_recent_files_come_back_with_small_pictures(open_studio: Open, photo: Path, tmp_path: Path) -> None:
    studio = open_studio()
    studio.open(photo)
    save_as(studio, tmp_path / "a & b.ora")
    recent = studio.desk.recent
    assert recent.paths == (tmp_path / "a & b.ora", photo)
    studio.wait(lambda: all(not recent.icon(path).isNull() for path in recent.paths))
    studio.window.close()
    photo.unlink()
    fresh = open_studio()
    fresh.wait(lambda: not fresh.desk.recent.busy)
    assert fresh.desk.recent.paths == (tmp_path / "a & b.ora",)

    def cards() -> list[str]:
        found = fresh.window.findChildren(QToolButton, "recentCard0")
        return [card.toolTip() for card in found if card.isVisible()]

    fresh.wait(lambda: cards() == [f"Open {tmp_path / 'a & b.ora'}"])
    fresh.wait(lambda: not fresh.desk.recent.busy)
    card = fresh.window.empty_state
    assert card.height() >= card.sizeHint().height() > card.findChild(QToolButton, "recentCard0").geometry().bottom()
    assert not fresh.find("recentCard0").geometry().intersects(fresh.find("exampleCard0").geometry())
    menu = fresh.window.findChild(QMenu, "menuRecent")
    menu.aboutToShow.emit()
    action = menu.actions()[0]
    assert action.text() == "&1 a && b.ora"
    action.trigger()
    fresh.wait(lambda: fresh.document.has_picture)
    (tmp_path / "a & b.ora").unlink()
    fresh.desk.wishes.open_file.emit(tmp_path / "a & b.ora")
    assert fresh.titles == ["“a & b.ora” is not there any more."]
    assert fresh.desk.recent.paths == ()
    assert not menu.menuAction().isEnabled()

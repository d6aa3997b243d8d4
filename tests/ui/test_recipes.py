"""Pictures that tell how they were made: what is saved into them, and what a dropped one offers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QMenu

from app.core.geometry import Size
from app.core.params import Intent
from app.core.request import MOST_SEED, Inpaint
from app.library.metadata import read_recipe
from app.library.pictures import load_picture
from app.ui.dialogs import with_ending
from tests.fakes import FakeBackend, result_of
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_model, make_picture
from tests.ui.test_files import ScriptedDialogs

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    make_picture(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def save(studio: Studio, path: Path) -> Path:
    studio.window.dialogs = ScriptedDialogs(path)
    studio.window.file_commands.save_as()
    studio.wait(lambda: not studio.window.files.unsaved)
    return path


def painted(studio: Studio, path: Path, **params: object) -> Path:
    """A picture from the prompt, saved."""
    studio.store.update(prompt="a calm lake", negative="fog", seed=2**40, seed_locked=True, **params)
    studio.click("generateButton")
    studio.wait_idle()
    return save(studio, path)


def inpainted(studio: Studio, photo: Path, path: Path) -> Path:
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    studio.click("generateButton")
    studio.wait_idle()
    return save(studio, path)


def choices(studio: Studio) -> list[str]:
    return [choice.label for choice in studio.window.notices.shown[0].choices]


def offered(studio: Studio, path: Path) -> None:
    studio.drop_files(path)
    studio.wait(lambda: f"“{path.name}” tells how it was made." in studio.titles)


def recipe_in(path: Path):  # type: ignore[no-untyped-def]
    return read_recipe(path.read_bytes(), load_picture(path).pixels)


def test_a_dropped_picture_asks_what_is_wanted_of_it(open_studio: Open, tmp_path: Path) -> None:
    path = painted(open_studio(), tmp_path / "lake.png", steps=7, size=Size(192, 128))
    fresh = open_studio()
    offered(fresh, path)
    assert choices(fresh) == ["Picture", "Settings", "Both"]
    assert "a calm lake" in fresh.window.notices.shown[0].text
    assert not fresh.document.has_picture


def test_its_settings(open_studio: Open, backend: FakeBackend, tmp_path: Path) -> None:
    backend.make_result = lambda request: result_of(request, model_name="Own")
    path = painted(open_studio(), tmp_path / "lake.png", steps=7, guidance=3.5, sampler="euler", size=Size(192, 128))
    fresh = open_studio()
    fresh.store.update(prompt="else", steps=20, guidance=9.0, sampler="ddim", seed=1, negative="", seed_locked=False)
    fresh.store.update(size=Size(128, 128))
    offered(fresh, path)
    fresh.click("noticeChoice1")
    assert not fresh.document.has_picture
    assert fresh.find("seedSpin").value() == 2**40
    assert "same picture again" in fresh.window.notices.shown[0].text
    first = backend.requests[-1]
    fresh.click("generateButton")
    fresh.wait_idle()
    assert backend.requests[-1] == first


def test_its_picture_and_both(open_studio: Open, tmp_path: Path) -> None:
    path = painted(open_studio(), tmp_path / "lake.png")
    for number, prompt in ((0, "else"), (2, "a calm lake")):
        fresh = open_studio()
        fresh.store.update(prompt="else")
        offered(fresh, path)
        fresh.click(f"noticeChoice{number}")
        assert fresh.document.has_picture
        assert not fresh.window.files.unsaved
        assert fresh.store.params.prompt == prompt


def test_source_and_mask_come_back_where_they_were_saved(
    open_studio: Open, backend: FakeBackend, photo: Path, tmp_path: Path
) -> None:
    studio = open_studio()
    studio.window.actions_by_id["save_embeds"].trigger()
    path = inpainted(studio, photo, tmp_path / "a.png")
    asked = backend.requests[-1]
    fresh = open_studio()
    offered(fresh, path)
    assert choices(fresh) == ["Picture", "Settings", "Settings and source"]
    fresh.click("noticeChoice2")
    assert np.array_equal(fresh.document.pixels(), load_picture(photo).pixels)
    assert not fresh.document.mask_empty
    assert fresh.generate_button.text() == "Inpaint"
    fresh.click("generateButton")
    fresh.wait_idle()
    assert backend.requests[-1] == asked
    assert np.array_equal(fresh.document.pixels(), load_picture(path).pixels)
    fresh.document.undo.undo()
    fresh.document.undo.undo()
    assert not fresh.document.has_picture
    assert fresh.document.mask_empty


def test_what_was_painted_over_is_not_given_away_unasked(studio: Studio, photo: Path, tmp_path: Path) -> None:
    recipe = recipe_in(inpainted(studio, photo, tmp_path / "a.png"))
    assert recipe.source is None
    assert recipe.values["intent"] is Intent.INPAINT


def test_saving_without_telling_is_one_tick(open_studio: Open, tmp_path: Path) -> None:
    studio = open_studio()
    studio.window.actions_by_id["save_tells"].trigger()
    assert not studio.window.actions_by_id["save_embeds"].isEnabled()
    path = painted(studio, tmp_path / "a.png")
    assert recipe_in(path) is None
    studio.window.close()
    assert not open_studio().window.actions_by_id["save_tells"].isChecked()


def test_a_picture_that_was_edited_afterwards_says_so(studio: Studio, tmp_path: Path) -> None:
    painted(studio, tmp_path / "a.png")
    assert recipe_in(tmp_path / "a.png").exact
    black = np.zeros((28, 28, 4), np.uint8)
    studio.document.write_layer(studio.document.layers[0].id, [(QRect(0, 0, 28, 28), black)])
    recipe = recipe_in(save(studio, tmp_path / "b.png"))
    assert recipe.values["prompt"] == "a calm lake"
    assert not recipe.exact


def test_a_picture_that_is_opened_and_saved_still_tells(open_studio: Open, tmp_path: Path) -> None:
    path = painted(open_studio(), tmp_path / "a.png")
    fresh = open_studio()
    fresh.window.files.open(path)
    fresh.wait(lambda: fresh.document.has_picture)
    assert choices(fresh) == ["Use its settings"]  # it is open: only the rest is left to offer
    fresh.window.files.save(tmp_path / "b.png")
    fresh.wait((tmp_path / "b.png").exists)
    assert recipe_in(tmp_path / "b.png").exact


def test_a_photo_tells_nothing(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    studio.window.files.save(tmp_path / "b.png")
    studio.wait((tmp_path / "b.png").exists)
    assert recipe_in(tmp_path / "b.png") is None


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_other_formats_tell_as_well(studio: Studio, tmp_path: Path, ending: str) -> None:
    path = painted(studio, tmp_path / f"a.{ending}")
    assert recipe_in(path).values["seed"] == 2**40


def test_the_status_line_tells_how_large_it_is(studio: Studio, photo: Path, tmp_path: Path) -> None:
    inpainted(studio, photo, tmp_path / "a.png")
    assert "of it how it was made" in studio.find("hintLabel").toolTip()


def foreign(path: Path, text: str) -> Path:
    chunks = PngInfo()
    chunks.add_text("parameters", text)
    Image.new("RGB", (64, 64), (9, 9, 9)).save(path, pnginfo=chunks)
    return path


def test_settings_of_another_program(studio: Studio, data_with_model: Path, tmp_path: Path) -> None:
    make_model(data_with_model / "models" / "other", name="Other")
    text = "red hills\nSteps: 300, Sampler: DPM fast, CFG scale: 6, Seed: 3, Size: 4096x64, Model: other"
    offered(studio, foreign(tmp_path / "f.png", text))
    studio.desk.shelf.look_again()
    studio.click("noticeChoice1")
    params = studio.store.params
    assert (params.prompt, params.seed, params.guidance, params.steps) == ("red hills", 3, 6.0, 150)
    assert Path(params.model).name == "other"
    assert params.size == Size(128, 128)
    told = studio.window.notices.shown[0].text
    assert "DPM fast" in told
    assert "4096" in told


def test_a_model_that_is_not_here_is_named(studio: Studio, tmp_path: Path) -> None:
    text = "a\nSteps: 10, Sampler: Euler, CFG scale: 6, Seed: 3, Size: 64x64, Model: rare"
    offered(studio, foreign(tmp_path / "f.png", text))
    before = studio.store.params.model
    studio.click("noticeChoice1")
    assert studio.store.params.model == before
    assert "“rare”" in studio.window.notices.shown[0].text


def test_damaged_settings_cost_a_note_and_no_picture(studio: Studio, tmp_path: Path) -> None:
    chunks = PngInfo()
    chunks.add_text("limner", '{"version": 1')
    Image.new("RGB", (64, 64), (9, 9, 9)).save(tmp_path / "d.png", pnginfo=chunks)
    studio.open(tmp_path / "d.png")
    assert studio.titles == ["The settings inside this picture are damaged and were left out."]


def test_seeds_of_every_size_can_be_set(studio: Studio) -> None:
    spin = studio.find("seedSpin")
    studio.click("moreButton")
    spin.setFocus()
    spin.selectAll()
    studio.qtbot.keyClicks(spin, "9223372036854775807")
    assert studio.store.params.seed == MOST_SEED
    studio.key(Qt.Key.Key_Up)
    assert studio.store.params.seed == MOST_SEED
    studio.key(Qt.Key.Key_Down)
    assert studio.store.params.seed == MOST_SEED - 1
    spin.selectAll()
    studio.qtbot.keyClicks(spin, "99999999999999999999x")
    assert spin.value() == 9999999999999999999 // 10
    spin.selectAll()
    studio.key(Qt.Key.Key_Delete)
    studio.find("promptEdit").setFocus()
    assert spin.lineEdit().text() == str(spin.value())


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("a", "JPEG pictures (*.jpg *.jpeg)", "a.jpg"),
        ("a", "", "a.png"),
        ("a.b", "WebP pictures (*.webp)", "a.b.webp"),
        ("a.JPEG", "PNG pictures (*.png)", "a.JPEG"),
        ("a.tga", "PNG pictures (*.png)", "a.tga.png"),
    ],
)
def test_the_ending_says_the_format(name: str, kind: str, expected: str) -> None:
    from app.ui.dialogs import _KINDS

    assert with_ending(Path(name), kind, _KINDS) == Path(expected)


def test_a_request_is_told_whole(studio: Studio, photo: Path, backend: FakeBackend, tmp_path: Path) -> None:
    """What the panels cannot set would make the recipe inexact: there is nothing of that kind."""
    studio.window.actions_by_id["save_embeds"].trigger()
    recipe = recipe_in(inpainted(studio, photo, tmp_path / "a.png"))
    assert recipe.exact
    assert isinstance(backend.requests[-1].task, Inpaint)
    assert np.array_equal(recipe.mask, backend.requests[-1].task.mask)


def test_how_much_would_tell_is_said_before_saving(studio: Studio, photo: Path) -> None:
    menu = studio.window.findChild(QMenu, "menuFile")
    tells, embeds = (studio.window.actions_by_id[id] for id in ("save_tells", "save_embeds"))
    menu.aboutToShow.emit()
    assert (tells.text(), embeds.text()) == ("Save how it was made", "Save source and mask too")
    studio.open(photo)
    studio.drag(QPoint(30, 30), QPoint(60, 30))
    studio.click("generateButton")
    studio.wait_idle()
    menu.aboutToShow.emit()
    studio.wait(lambda: tells.text().endswith(" kB)") or tells.text().endswith(" bytes)"))
    assert embeds.text().startswith("Save source and mask too (")

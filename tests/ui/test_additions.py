"""LoRAs, embeddings and a VAE are added to the model in the window, weighed, called and taken away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDoubleSpinBox, QLineEdit, QMenu, QToolButton

from app.core.additions import EmbeddingUse, LoraUse
from app.core.kinds import Kind
from app.core.recipe import recipe_of
from app.core.record import pack, unpack
from tests.fakes import FakeBackend, painted
from tests.library.test_additions import EMBEDDING, FLUX, LORA, VAE, write
from tests.ui.conftest import Open, Studio


@pytest.fixture
def shelf_files(data_with_model: Path) -> dict[str, Path]:
    models = data_with_model / "models"
    return {
        "ink": write(models / "loras" / "ink.safetensors", LORA),
        "mood": write(models / "embeddings" / "mood.safetensors", EMBEDDING),
        "sharp": write(models / "vae" / "sharp.safetensors", VAE),
    }


@pytest.fixture
def stocked(shelf_files: dict[str, Path], open_studio: Open) -> Studio:
    studio = open_studio()
    studio.click("additionsButton")
    studio.wait(lambda: len(studio.desk.additions.known) == 3)
    return studio


def menu_rows(studio: Studio) -> list[str]:
    menu = studio.find("addAddition").menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def choose(studio: Studio, row: str) -> None:
    menu_rows(studio)
    next(action for action in studio.find("addAddition").menu().actions() if action.text() == row).trigger()


def test_what_the_models_folder_holds_is_offered_and_goes_into_the_request(
    stocked: Studio, backend: FakeBackend, shelf_files: dict[str, Path]
) -> None:
    assert [row for row in menu_rows(stocked) if row in shelf_files] == ["ink", "mood", "sharp"]
    for number, row in enumerate(("ink", "mood", "sharp"), 1):
        choose(stocked, row)
        stocked.wait(lambda number=number: len(stocked.titles) == number)
    stocked.window.findChild(QDoubleSpinBox, "lora0Weight").setValue(0.65)
    word = stocked.window.findChild(QLineEdit, "embedding0Word")
    assert word.text() == "mood"
    word.setText("gloom")
    word.editingFinished.emit()
    stocked.window.painting.submit()
    stocked.wait(lambda: len(backend.requests) == 1)
    request = backend.requests[0]
    assert request.loras == (LoraUse(file=str(shelf_files["ink"]), weight=0.65),)
    assert request.embeddings == (EmbeddingUse(file=str(shelf_files["mood"]), word="gloom"),)
    assert request.vae == str(shelf_files["sharp"])
    assert stocked.find("additionsButton").text() == "LoRA, embeddings, VAE (3)"
    assert [row for row in menu_rows(stocked) if row in shelf_files] == []  # what is in use is offered no more


def test_each_can_be_taken_away(stocked: Studio) -> None:
    for row in ("ink", "mood", "sharp"):
        choose(stocked, row)
    stocked.wait(lambda: bool(stocked.store.params.vae))
    for name in ("lora0Remove", "embedding0Remove", "vae0Remove"):
        stocked.window.findChild(QToolButton, name).click()
    params = stocked.store.params
    assert (params.loras, params.embeddings, params.vae) == ((), (), "")
    assert stocked.find("additionsButton").text() == "LoRA, embeddings, VAE"


def test_a_dropped_file_is_kept_and_added_and_no_model_changes(studio: Studio, tmp_path: Path) -> None:
    model = studio.store.params.model
    lora = write(tmp_path / "elsewhere" / "ink.safetensors", LORA)
    studio.drop_files(lora)
    studio.wait(lambda: studio.titles == ["The LoRA ink is added to the model."])
    kept = studio.window.folders.loras / "ink.safetensors"
    assert studio.store.params.loras == (LoraUse(file=str(kept)),)
    assert studio.store.params.model == model
    studio.drop_files(lora)  # once more changes nothing
    studio.wait(lambda: not studio.window.model_files.busy)
    assert studio.store.params.loras == (LoraUse(file=str(kept)),)


def test_a_file_for_another_kind_of_model_is_refused_in_words(studio: Studio, tmp_path: Path) -> None:
    studio.drop_files(write(tmp_path / "it.safetensors", FLUX))
    studio.wait(lambda: len(studio.titles) == 1)
    assert "is a LoRA for Flux" in studio.titles[0]
    assert studio.store.params.loras == ()


def test_two_embeddings_cannot_share_a_word(stocked: Studio, data_with_model: Path) -> None:
    other = write(data_with_model / "models" / "b" / "mood.safetensors", {"emb_params": [2, 768]})
    choose(stocked, "mood")
    stocked.wait(lambda: len(stocked.store.params.embeddings) == 1)
    stocked.desk.wishes.add_addition.emit(other)
    assert "Two embeddings are called “mood”." in stocked.titles
    assert len(stocked.store.params.embeddings) == 1
    word = stocked.window.findChild(QLineEdit, "embedding0Word")
    word.setText("gloom")
    word.editingFinished.emit()
    stocked.desk.wishes.add_addition.emit(other)
    word = stocked.window.findChild(QLineEdit, "embedding1Word")
    word.setText("GLOOM")
    word.editingFinished.emit()
    assert [use.word for use in stocked.store.params.embeddings] == ["gloom", "mood"]
    assert word.text() == "mood"
    assert "Two embeddings are called “GLOOM”." in stocked.titles


def test_the_prompt_counts_the_tokens_of_an_embedding(stocked: Studio) -> None:
    choose(stocked, "mood")
    stocked.wait(lambda: len(stocked.store.params.embeddings) == 1)
    assert stocked.desk.additions.tokens() == {"mood": 3}


def test_they_are_there_again_at_the_next_start(
    shelf_files: dict[str, Path], open_studio: Open, tmp_path: Path
) -> None:
    first = open_studio()
    elsewhere = write(tmp_path / "far" / "gloom.safetensors", EMBEDDING)
    first.desk.wishes.add_addition.emit(elsewhere)
    first.wait(lambda: len(first.desk.additions.known) == 4)
    first.desk.additions.use(next(one for one in first.desk.additions.known if one.kind is Kind.LORA))
    first.desk.additions.weigh(str(shelf_files["ink"]), -0.5)
    first.store.update(clip_skip=2, guidance_interval=(0.2, 0.9))
    first.window.close()
    second = open_studio()
    params = second.store.params
    assert params.loras == (LoraUse(file=str(shelf_files["ink"]), weight=-0.5),)
    assert params.embeddings == (EmbeddingUse(file=str(elsewhere)),)
    assert (params.clip_skip, params.guidance_interval) == (2, (0.2, 0.9))
    second.wait(lambda: second.desk.additions.tokens() == {"gloom": 3})


def test_guidance_layer_and_draft_reach_the_request(studio: Studio, backend: FakeBackend) -> None:
    studio.click("moreButton")
    studio.find("guidedFrom").setValue(20)
    studio.find("guidedTo").setValue(90)
    studio.find("clipSkipSpin").setValue(2)
    studio.find("draftTick").click()
    studio.find("guidedFrom").setValue(100)  # no further than the end
    assert studio.find("guidedFrom").value() == 85
    studio.find("guidedFrom").setValue(20)
    studio.window.painting.submit()
    studio.wait(lambda: len(backend.requests) == 1)
    assert backend.requests[0].guidance_interval == (0.2, 0.9)
    assert backend.requests[0].clip_skip == 2
    assert backend.requests[0].draft


def test_a_picture_brings_back_what_is_here_and_names_what_is_not(
    stocked: Studio, backend: FakeBackend, shelf_files: dict[str, Path]
) -> None:
    stocked.window.painting.submit()
    stocked.wait(lambda: len(backend.requests) == 1)
    stocked.wait_idle()
    asked = replace(
        backend.requests[0],
        loras=(LoraUse(file=str(shelf_files["ink"]), weight=0.5), LoraUse(file="/gone/lost.safetensors")),
        vae="/gone/soft.safetensors",
    )
    image = painted(asked)
    packed = pack(asked, image)
    recipe = recipe_of(unpack(packed.plain, packed.parts, image), "own")
    stocked.window.recipes.take(recipe, "it.png")
    assert stocked.store.params.loras == (LoraUse(file=str(shelf_files["ink"]), weight=0.5),)
    assert stocked.store.params.vae == ""
    text = stocked.window.notices.shown[-1].text
    assert "a LoRA that is not here: “lost”" in text
    assert "a VAE that is not here: “soft”" in text


def test_what_was_renamed_is_found_again_by_what_is_in_it(
    open_studio: Open, shelf_files: dict[str, Path], tmp_path: Path
) -> None:
    studio = open_studio()
    studio.click("additionsButton")
    studio.wait(lambda: len(studio.desk.additions.known) == 3)
    for number, row in enumerate(("ink", "mood", "sharp"), 1):
        choose(studio, row)
        studio.wait(lambda number=number: len(studio.titles) == number)
    studio.desk.additions.weigh(str(shelf_files["ink"]), 0.5)
    studio.click("generateButton")
    studio.wait_idle()
    studio.window.files.save(tmp_path / "a.png")
    studio.wait(lambda: not studio.window.background.busy)
    studio.window.close()
    renamed = {name: path.rename(path.with_name(f"other {name}.safetensors")) for name, path in shelf_files.items()}
    fresh = open_studio()
    fresh.store.update(loras=(), embeddings=(), vae="")
    fresh.drop_files(tmp_path / "a.png")
    fresh.choose("Settings")
    fresh.wait(lambda: bool(fresh.store.params.vae) and not fresh.desk.additions.busy)
    params = fresh.store.params
    assert params.loras == (LoraUse(file=str(renamed["ink"]), weight=0.5),)
    assert params.embeddings == (EmbeddingUse(file=str(renamed["mood"]), word="mood"),)
    assert params.vae == str(renamed["sharp"])
    assert "“ink” was found again: it is called “other ink” here." in fresh.titles

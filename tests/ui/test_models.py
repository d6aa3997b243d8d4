"""Models come in as files and folders, dropped or chosen; what is none is told on a card, and nothing changes."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from app.core.errors import Cancelled, ModelError
from app.library import importing
from tests.ui.conftest import Studio
from tests.ui.studio import make_model, make_single
from tests.ui.test_files import ScriptedDialogs


def choose(studio: Studio, row: str, path: Path | None) -> None:
    studio.window.dialogs = ScriptedDialogs(path)
    combo = studio.find("modelCombo")
    number = combo.findText(row)
    combo.setCurrentIndex(number)
    combo.activated.emit(number)


def test_a_model_file_is_chosen(studio: Studio, tmp_path: Path) -> None:
    file = make_single(tmp_path / "my model 猫.safetensors")
    choose(studio, "Add a model file…", file)
    studio.wait(lambda: studio.titles == ["my model 猫 is in use now."])
    assert studio.store.params.model == str(file)
    assert studio.find("modelCombo").currentText() == "my model 猫"
    assert studio.store.params.size.width == 128  # its own, from the configs beside it
    choose(studio, "Add a model file…", None)  # a change of mind
    assert studio.store.params.model == str(file)


def test_a_model_folder_is_chosen(studio: Studio, tmp_path: Path) -> None:
    folder = make_model(tmp_path / "big", name="Big")
    choose(studio, "Add a model folder…", folder)
    studio.wait(lambda: studio.store.params.model == str(folder))


@pytest.mark.parametrize(
    "make", [lambda path: make_single(path / "m.safetensors"), lambda path: make_model(path / "m")]
)
def test_a_dropped_model_is_used_and_no_picture_is_opened(studio: Studio, make, tmp_path: Path) -> None:
    path = make(tmp_path)
    studio.drop_files(path)
    studio.choose("Use it where it lies")
    studio.wait(lambda: studio.store.params.model == str(path))
    assert not studio.document.has_picture


@pytest.mark.parametrize(
    "make", [lambda path: make_single(path / "m.safetensors"), lambda path: make_model(path / "m")]
)
def test_a_dropped_model_is_copied_and_used_from_there(studio: Studio, make, tmp_path: Path) -> None:
    path = make(tmp_path / "from" if (tmp_path / "from").mkdir() is None else tmp_path)
    studio.drop_files(path)
    studio.choose("Copy into the models folder")
    studio.wait(lambda: studio.titles == ["m is in use now."])
    assert Path(studio.store.params.model).is_relative_to(studio.window.folders.models)
    studio.drop_files(Path(studio.store.params.model))
    studio.wait(lambda: not studio.window.model_files.busy)
    assert studio.titles == ["m is in use now."]  # it is where it belongs: nothing to ask


def test_copying_is_cancelled(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(path, folder, progressed, cancelled) -> Path:
        progressed(0.5)
        while not cancelled():
            time.sleep(0.01)
        raise Cancelled

    monkeypatch.setattr("app.ui.model_files.install", install)
    before = studio.store.params.model
    studio.drop_files(make_model(tmp_path / "m"))
    studio.choose("Copy into the models folder")
    studio.wait(lambda: studio.find("noticeProgress").value() == 500)
    studio.click("noticeHelp")
    studio.wait(lambda: not studio.window.model_files.busy)
    assert studio.titles == []
    assert studio.store.params.model == before


def test_it_is_there_again_at_the_next_start(open_studio, tmp_path: Path) -> None:
    file = make_single(tmp_path / "m.safetensors")
    first = open_studio()
    first.drop_files(file)
    first.choose("Use it where it lies")
    first.wait(lambda: first.store.params.model == str(file))
    first.window.close()
    assert open_studio().store.params.model == str(file)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.safetensors", b"<!doctype html>", "is a web page, not the weights"),
        ("m.safetensors", b"", "is empty"),
        ("m.safetensors", b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
        ("m.ckpt", b"<html>", "is a web page, not the weights"),
    ],
)
def test_what_is_no_model_is_told_and_changes_nothing(
    studio: Studio, name: str, content: bytes, words: str, tmp_path: Path
) -> None:
    before = studio.store.params
    (tmp_path / name).write_bytes(content)
    studio.drop_files(tmp_path / name)
    studio.wait(lambda: len(studio.titles) == 1)
    assert words in studio.titles[0]
    assert studio.window.notices.shown[0].text
    assert studio.store.params == before


def pickled(tmp_path: Path) -> Path:
    """A file that begins like a pickle; what becomes of it is up to the stand-in for the child."""
    (tmp_path / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")
    return tmp_path / "old.ckpt"


def test_a_pickled_model_is_converted_while_the_window_lives(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = make_single(tmp_path / "configs" / "m.safetensors")
    source = pickled(single.parent)
    going_on: list[bool] = []

    def child(_: Path, target: Path, cancelled: object) -> None:
        while not going_on:
            time.sleep(0.01)
        shutil.copyfile(single, target)

    monkeypatch.setattr(importing, "run_child", child)
    studio.drop_files(source)
    studio.wait(lambda: studio.titles == ["Converting old.ckpt to safetensors."])
    going_on.append(True)
    studio.wait(lambda: studio.titles == ["old is in use now."])
    made = Path(studio.store.params.model)
    assert made.is_relative_to(studio.window.folders.imported)


def test_a_pickled_model_in_the_models_folder_is_offered(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = make_single(tmp_path / "configs" / "m.safetensors")
    folder = studio.window.folders.models / "old"
    shutil.copytree(single.parent, folder)
    (folder / "m.safetensors").unlink()
    pickled(folder)
    monkeypatch.setattr(importing, "run_child", lambda _, target, __: shutil.copyfile(single, target))
    studio.desk.shelf.look_again()
    choose(studio, "Convert old.ckpt…", None)
    studio.wait(lambda: studio.find("modelCombo").currentText() == "old")
    rows = [studio.find("modelCombo").itemText(row) for row in range(studio.find("modelCombo").count())]
    assert rows == ["old", "Own", "Add a model file…", "Add a model folder…"]


def test_a_refused_pickle_is_told_by_what_it_wanted(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def child(*_: object) -> None:
        raise ModelError("“old.ckpt” was not opened: it wants to run posix.system.", "Do not use it.")

    monkeypatch.setattr(importing, "run_child", child)
    studio.drop_files(pickled(tmp_path))
    studio.wait(lambda: studio.titles == ["“old.ckpt” was not opened: it wants to run posix.system."])


def test_closing_ends_a_conversion(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[bool] = []

    def child(_: Path, __: Path, cancelled) -> None:
        began.append(True)
        while not cancelled():
            time.sleep(0.01)
        raise Cancelled

    monkeypatch.setattr(importing, "run_child", child)
    studio.drop_files(pickled(tmp_path))
    studio.wait(lambda: bool(began))
    studio.window.close()
    assert list(studio.window.folders.imported.rglob("*.safetensors")) == []


@pytest.mark.expects_log
def test_a_failure_that_nobody_foresaw_is_told_too(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def child(*_: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(importing, "run_child", child)
    studio.drop_files(pickled(tmp_path))
    studio.wait(lambda: studio.titles == ["Something went wrong with old.ckpt."])
    assert studio.window.notices.shown[0].details == "KeyError('odd')"

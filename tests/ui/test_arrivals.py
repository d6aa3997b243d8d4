"""Whatever is dropped or pasted is taken for what it is, and asked about where there is a choice."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage

from app.ui.drops import DroppedFiles, DroppedLink, DroppedText, read_drop
from tests.library.test_installing import LORA, weights
from tests.servers import hangs, sends, serving
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture
from tests.ui.test_files import CTRL, urls

PARAMETERS = "a red house\nNegative prompt: fog\nSteps: 7, Sampler: DDIM, CFG scale: 4, Seed: 9, Size: 128x128"


def words(text: str) -> QMimeData:
    mime = QMimeData()
    mime.setText(text)
    return mime


@pytest.mark.parametrize(
    ("mime", "what"),
    [
        (lambda: urls("http://example.org/a.png"), DroppedLink("http://example.org/a.png")),
        (lambda: words(" https://example.org/a.png\n"), DroppedLink("https://example.org/a.png")),
        (lambda: words("/home/me/a.png"), DroppedText("/home/me/a.png")),  # never a file
        (lambda: words("file:///home/me/a.png"), DroppedText("file:///home/me/a.png")),
        (lambda: urls("file://server/share/a.png"), DroppedLink("file://server/share/a.png")),
        (lambda: urls("file:////server/share/a.png"), DroppedLink("file:////server/share/a.png")),
        (lambda: urls("file:///a.png", "http://example.org/b.png"), DroppedFiles((Path("/a.png"),))),
        (lambda: urls("data:image/png;base64,AAAA"), DroppedLink("data:image/png;base64,AAAA")),
        (lambda: words("  "), None),
        (QMimeData, None),
    ],
)
def test_what_it_is(qapp, mime, what) -> None:
    assert read_drop(mime()) == what


def test_of_several_files_one_chooses(studio: Studio, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for width, path in enumerate(paths, 20):
        make_picture(path, width, 20)
    studio.drop_files(*paths)
    assert studio.titles == ["3 files were given."]
    assert not studio.document.has_picture
    studio.choose("Open the first")
    studio.wait(lambda: studio.document.size.width == 20)
    studio.drop_files(*paths[1:])
    studio.choose("One by one")
    studio.wait(lambda: studio.document.size.width == 21)
    assert studio.titles == ["One more picture waits."]
    studio.choose("Open the next")
    studio.wait(lambda: studio.document.size.width == 22)
    assert studio.titles == []
    assert studio.document.undo.count() == 3


def test_a_prompt_is_taken_and_never_over_another_unasked(studio: Studio) -> None:
    studio.store.update(prompt="")
    studio.drop(words("a calm lake"))
    assert studio.store.params.prompt == "a calm lake"
    studio.drop(words("red hills"))
    assert studio.store.params.prompt == "a calm lake"
    studio.choose("Add to it")
    assert studio.store.params.prompt == "a calm lake, red hills"
    studio.drop(words("fog"))
    studio.choose("Replace the prompt")
    assert studio.store.params.prompt == "fog"
    studio.drop(words("x" * 100_001))
    assert studio.titles[0] == "That text is too long for a prompt."


def test_settings_as_text(studio: Studio) -> None:
    studio.drop(words(PARAMETERS))
    studio.choose("Use its settings")
    params = studio.store.params
    assert (params.prompt, params.negative, params.steps, params.sampler) == ("a red house", "fog", 7, "ddim")


def test_a_picture_is_pasted_while_one_types(studio: Studio) -> None:
    QGuiApplication.clipboard().setImage(QImage(12, 8, QImage.Format.Format_RGB32))
    studio.find("promptEdit").setFocus()
    studio.key(Qt.Key.Key_V, CTRL)
    studio.wait(lambda: studio.document.has_picture)
    QGuiApplication.clipboard().setText("a lake")
    studio.find("promptEdit").setPlainText("")
    studio.key(Qt.Key.Key_V, CTRL)
    assert studio.store.params.prompt == "a lake"
    assert studio.document.undo.count() == 1


def test_a_mask_from_the_clipboard(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "a.png", 40, 30)
    studio.open(tmp_path / "a.png")
    mask = np.zeros((30, 40), np.uint8)
    mask[10:20, 5:30] = 200
    Image.fromarray(mask).save(tmp_path / "mask.png")
    QGuiApplication.clipboard().setImage(QImage(str(tmp_path / "mask.png")))
    studio.window.file_commands.paste_mask()
    studio.wait(lambda: not studio.document.mask_empty)
    np.testing.assert_array_equal(studio.document.mask_pixels(), mask)
    QGuiApplication.clipboard().setImage(QImage(10, 30, QImage.Format.Format_RGB32))
    studio.window.file_commands.paste_mask()
    studio.wait(lambda: len(studio.titles) == 1)
    assert "10 × 30" in studio.titles[0]
    np.testing.assert_array_equal(studio.document.mask_pixels(), mask)


def test_a_link_is_asked_about_and_then_fetched(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "a.png", 40, 30)
    with serving({"/a.png": sends((tmp_path / "a.png").read_bytes())}) as address:
        studio.drop(urls(f"{address}/a.png"))
        assert studio.titles == ["Fetch the picture from 127.0.0.1?"]
        assert f"{address}/a.png" in studio.window.notices.shown[0].text
        studio.choose("Fetch it")
        studio.wait(lambda: studio.document.has_picture)
    assert studio.document.size.width == 40
    assert studio.titles == []
    assert studio.window.files.unsaved


def test_what_is_behind_a_link_is_refused_in_words(studio: Studio) -> None:
    with serving({"/a.png": sends(b"<html>", "text/html"), "/b.png": sends(b"broken")}) as address:
        for name, title in (("a.png", "Behind that link is a web page."), ("b.png", "“b.png” is not a picture")):
            studio.drop(urls(f"{address}/{name}"))
            studio.choose("Fetch it")
            studio.wait(lambda title=title: any(each.startswith(title) for each in studio.titles))
    studio.drop(urls("file://server/share/a.png"))
    assert studio.titles[0] == "That is a file on another computer."
    assert not studio.document.has_picture


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_fetching_ends_when_it_is_cancelled_or_the_window_closes(studio: Studio, end: str) -> None:
    done = threading.Event()
    with serving({"/a.png": hangs(done, b"start")}) as address:
        studio.drop(urls(f"{address}/a.png"))
        studio.choose("Fetch it")
        assert studio.titles == ["Fetching a picture from 127.0.0.1."]
        if end == "cancel":
            studio.click("noticeHelp")
            studio.wait(lambda: studio.titles == [] and not studio.window.arrivals.links.busy)
        else:
            studio.window.close()
        done.set()


def test_a_lora_is_put_where_it_is_found(studio: Studio, tmp_path: Path) -> None:
    studio.drop_files(weights(tmp_path / "pale.safetensors", LORA))
    studio.wait(lambda: studio.titles == ["The LoRA pale is added to the model."])
    assert (studio.window.folders.loras / "pale.safetensors").is_file()


def test_a_drop_of_everything_at_once(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "a.png", 20, 20)
    studio.drop_files(tmp_path / "a.png", weights(tmp_path / "pale.safetensors", LORA))
    studio.wait(lambda: studio.document.has_picture and (studio.window.folders.loras / "pale.safetensors").is_file())


def test_a_link_of_a_kind_that_is_not_followed(studio: Studio) -> None:
    studio.drop(urls(QUrl("ftp://example.org/a.png").toString()))
    assert studio.titles == ["That is a link of the kind “ftp”."]


def test_a_picture_becomes_a_layer_in_its_own_size_and_transparency(studio: Studio, tmp_path: Path) -> None:
    under = make_picture(tmp_path / "under.png", 40, 30)
    pixels = np.zeros((10, 20, 4), np.uint8)
    pixels[:, :10] = (200, 10, 30, 255)
    Image.fromarray(pixels).save(tmp_path / "over.png")
    assert not studio.window.actions_by_id["paste_layer"].isEnabled()
    studio.open(tmp_path / "under.png")
    assert studio.window.actions_by_id["paste_layer"].isEnabled()
    # Not by the clipboard: what Python puts there is taken down after Python itself when the tests end.
    studio.window.arrivals.take_layer(urls(QUrl.fromLocalFile(str(tmp_path / "over.png")).toString()))
    studio.wait(lambda: len(studio.document.layers) == 2)
    shown = under.copy()
    shown[10:20, 10:20] = (200, 10, 30)
    np.testing.assert_array_equal(studio.document.pixels(), shown)
    assert studio.document.active.name == "over"
    QGuiApplication.clipboard().setImage(QImage(5, 5, QImage.Format.Format_RGB32))
    studio.window.actions_by_id["paste_layer"].trigger()
    studio.wait(lambda: len(studio.document.layers) == 3)
    studio.document.undo.undo()
    studio.document.undo.undo()
    np.testing.assert_array_equal(studio.document.pixels(), under)


def test_several_files_become_layers_in_one_step(studio: Studio, tmp_path: Path) -> None:
    for name in "abc":
        make_picture(tmp_path / f"{name}.png", 40, 30)
    studio.open(tmp_path / "a.png")
    studio.drop_files(tmp_path / "b.png", tmp_path / "c.png")
    studio.choose("As layers")
    studio.wait(lambda: len(studio.document.layers) == 3)
    assert [layer.name for layer in studio.document.layers] == ["Picture", "b", "c"]
    assert studio.document.undo.count() == 2
    (tmp_path / "c.png").write_bytes(b"")
    studio.drop_files(tmp_path / "b.png", tmp_path / "c.png")
    studio.choose("As layers")
    studio.wait(lambda: studio.titles == ["“c.png” is empty."])
    assert len(studio.document.layers) == 3

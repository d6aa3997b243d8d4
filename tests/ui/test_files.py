"""Opening by drop, clipboard and dialog, and saving; what cannot be opened loses nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage

from app.document import images
from app.ui.dialogs import Choice
from app.ui.drops import DroppedFiles, DroppedImage, DroppedLink, read_drop
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture

CTRL = Qt.KeyboardModifier.ControlModifier


class ScriptedDialogs:
    """Answers what the test says."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def open_picture(self, folder: Path) -> Path | None:
        return self.path

    def save_picture(self, suggestion: Path) -> Path | None:
        return self.path

    def model_folder(self, folder: Path) -> Path | None:
        return self.path

    def model_file(self, folder: Path) -> Path | None:
        return self.path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    make_picture(tmp_path / "phöto 猫.png")
    return tmp_path / "phöto 猫.png"


def urls(*addresses: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(address) for address in addresses])
    return mime


def test_what_a_drop_is(qapp, tmp_path: Path) -> None:
    one, two = tmp_path / "a b.png", tmp_path / "c.png"
    files = urls(QUrl.fromLocalFile(str(one)).toString(), QUrl.fromLocalFile(str(two)).toString())
    assert read_drop(files) == DroppedFiles((one, two))
    assert read_drop(urls("https://example.org/a.png")) == DroppedLink("https://example.org/a.png")
    image = QMimeData()
    image.setImageData(QImage(4, 4, QImage.Format.Format_RGB32))
    assert isinstance(read_drop(image), DroppedImage)


def test_a_dropped_file_is_opened(studio: Studio, photo: Path) -> None:
    studio.open(photo)
    assert studio.document.size.width == 96
    assert studio.titles == []
    assert photo.name in studio.window.windowTitle()
    assert not studio.window.files.unsaved


@pytest.mark.parametrize("content", [b"", b"plain text", b"\x89PNG\r\n\x1a\n broken"])
def test_a_broken_file_loses_nothing(studio: Studio, photo: Path, tmp_path: Path, content: bytes) -> None:
    studio.open(photo)
    before = studio.document.pixels()
    bad = tmp_path / "bad.png"
    bad.write_bytes(content)
    studio.drop_files(bad)
    studio.wait(lambda: len(studio.titles) == 1)
    assert "bad.png" in studio.titles[0]
    assert "as it was" in studio.window.notices.shown[0].text
    assert np.array_equal(studio.document.pixels(), before)
    assert studio.document.undo.count() == 1


def test_a_folder_a_link_and_nothing_at_all_get_an_answer(studio: Studio, tmp_path: Path) -> None:
    studio.drop_files(tmp_path)
    studio.wait(lambda: len(studio.titles) == 1)
    studio.drop(urls("https://example.org/a.png"))
    assert studio.titles[0] == "Fetch the picture from example.org?"
    studio.drop(QMimeData())
    assert studio.titles[0] == "There is no picture in that."
    assert not studio.document.has_picture


def test_an_image_without_a_file_is_opened_over_white(studio: Studio) -> None:
    image = QImage(6, 4, QImage.Format.Format_ARGB32)
    image.fill(QColor(255, 0, 0, 128))
    mime = QMimeData()
    mime.setImageData(image)
    studio.drop(mime)
    studio.wait(lambda: studio.document.has_picture)
    red = studio.document.pixels()[0, 0]
    assert red[0] == 255
    assert abs(int(red[1]) - 127) <= 1
    assert studio.window.files.unsaved


def test_copy_and_paste(studio: Studio, photo: Path) -> None:
    studio.open(photo)
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_C, CTRL)
    assert QGuiApplication.clipboard().image().width() == 96
    studio.key(Qt.Key.Key_V, CTRL)
    studio.wait(lambda: studio.document.undo.count() == 2)


def test_the_drop_frame_is_shown_while_something_hovers(studio: Studio, photo: Path) -> None:
    assert not studio.window.veil.isVisible()
    studio.window.veil.lift()
    assert studio.window.veil.geometry() == studio.window.canvas_area.rect()
    studio.drop_files(photo)
    assert not studio.window.veil.isVisible()
    studio.wait(lambda: studio.document.has_picture)


def test_open_by_dialog(studio: Studio, photo: Path) -> None:
    studio.window.dialogs = ScriptedDialogs(photo)
    studio.key(Qt.Key.Key_O, CTRL)
    studio.wait(lambda: studio.document.has_picture)


def test_save_writes_the_picture(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    studio.click("generateButton")
    studio.wait_idle()
    assert studio.window.files.unsaved
    target = tmp_path / "out.png"
    studio.window.dialogs = ScriptedDialogs(target)
    studio.key(Qt.Key.Key_S, CTRL)
    studio.wait(lambda: not studio.window.files.unsaved)
    assert np.array_equal(np.asarray(Image.open(target)), studio.document.pixels())
    assert "out.png" in studio.window.windowTitle()


def test_a_save_that_fails_says_why(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    studio.window.dialogs = ScriptedDialogs(tmp_path / "no such folder" / "out.png")
    studio.key(Qt.Key.Key_S, CTRL)
    studio.wait(lambda: len(studio.titles) == 1)
    assert "out.png" in studio.titles[0]


def test_closing_asks_only_when_pixels_would_be_lost(open_studio: Open, photo: Path, tmp_path: Path) -> None:
    studio = open_studio()
    asked, answer = [], [Choice.CANCEL]
    studio.window.ask_before_losing = lambda: (asked.append(True), answer[0])[1]
    studio.open(photo)
    studio.click("generateButton")
    studio.wait_idle()
    assert not studio.window.close()
    assert asked == [True]
    answer[0] = Choice.SAVE
    studio.window.dialogs = ScriptedDialogs(tmp_path / "kept.png")
    studio.window.close()
    studio.wait(lambda: not studio.window.isVisible())
    assert (tmp_path / "kept.png").exists()


def test_a_save_that_fails_keeps_the_window_open_also_later(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.window.ask_before_losing = lambda: Choice.SAVE
    studio.open(photo)
    studio.click("generateButton")
    studio.wait_idle()
    studio.window.dialogs = ScriptedDialogs(tmp_path / "no such folder" / "out.png")
    studio.window.close()
    studio.wait(lambda: len(studio.titles) == 1)
    studio.window.dialogs = ScriptedDialogs(tmp_path / "out.png")
    studio.window.file_commands.save()
    studio.wait(lambda: not studio.window.files.unsaved)
    assert studio.window.isVisible()  # that was no wish to close


def test_closing_right_after_opening_asks_nothing(studio: Studio, photo: Path) -> None:
    asked = []
    studio.window.ask_before_losing = lambda: (asked.append(True), Choice.CANCEL)[1]
    studio.open(photo)
    assert studio.window.close()
    assert asked == []


def test_pixels_are_converted_away_from_the_window(
    studio: Studio, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    for name in ("to_qimage", "to_pixels"):
        convert = getattr(images, name)

        def noting(given, convert=convert):
            threads.append(threading.current_thread())
            return convert(given)

        monkeypatch.setattr(images, name, noting)
    studio.open(photo)
    studio.window.files.save(tmp_path / "out.png")
    studio.wait((tmp_path / "out.png").exists)
    studio.window.copying.picture()
    studio.window.file_commands.paste()
    studio.wait(lambda: studio.document.undo.count() == 2)
    assert len(threads) == 2
    assert threading.main_thread() not in threads


def test_what_is_saved_is_the_picture_at_that_moment(studio: Studio, photo: Path, tmp_path: Path) -> None:
    studio.open(photo)
    before = studio.document.pixels()
    held = threading.Event()
    studio.window.background.run(held.wait, lambda _: None, lambda _: None)
    studio.window.files.save(tmp_path / "out.png")
    black = np.zeros((64, 96, 4), np.uint8)
    studio.document.write_layer(studio.document.layers[0].id, [(studio.document.box, black)])
    held.set()
    studio.wait((tmp_path / "out.png").exists)
    studio.wait(lambda: not studio.window.background.busy)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), before)
    assert studio.window.files.unsaved

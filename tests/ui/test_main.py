"""The desktop program itself: it starts, opens what it is given, follows the system's look and ends cleanly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from app.core.settings import Folders
from app.main import _show_unexpected, _usable
from app.ui.canvas.tools import TOOLS
from app.ui.slider import LabelledSlider
from app.ui.theme import DARK, LIGHT, Theme
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture

_PROGRAM = """
import sys
import app.main as program
from PySide6.QtCore import QTimer
from tests.fakes import FakeBackend
build = program.build

def build_and_close(**given):
    window = build(make_backend=FakeBackend, **given)
    def look():
        if window.desk.document.has_picture:
            print(window.desk.document.size)
            timer.stop()
            window.canvas.set_tool("eraser")
            window.close()
    timer = QTimer(window, interval=20)
    timer.timeout.connect(look)
    timer.start()
    return window

program.build = build_and_close
sys.exit(program.main(sys.argv[1:]))
"""


_SLOW_START = """
import sys, time
import app.main as program
from PySide6.QtCore import QTimer
build = program.build

def import_for_long(garbage):
    started.append(True)
    time.sleep(60)

started = []
program._engine = import_for_long

def build_and_close(**given):
    window = build(**given)
    def look():
        if started:
            timer.stop()
            window.close()
    timer = QTimer(window, interval=20)
    timer.timeout.connect(look)
    timer.start()
    return window

program.build = build_and_close
sys.exit(program.main(sys.argv[1:]))
"""


def run_program(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_closing_does_not_wait_for_a_long_import(data_dir: Path) -> None:
    before = time.monotonic()
    done = run_program(_SLOW_START, "--data-dir", str(data_dir), "--engine", "inside")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - before < 3 + 5  # the patience, and the start itself on a busy machine
    assert "QThread" not in done.stderr
    assert json.loads((data_dir / "settings.json").read_text("utf-8"))["values"]["tool"] == "brush"


def test_without_a_screen_one_sentence_says_what_to_do(data_dir: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have one")
    code = "import sys, app.main; sys.exit(app.main.main(sys.argv[1:]))"
    none = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    done = run_program(code, "--data-dir", str(data_dir), **none)
    assert done.returncode == 2
    assert "limner render" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_console_stays_open_when_there_is_no_crash_log(data_dir: Path, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png", 50, 40)
    (data_dir / "limner.crash.log").mkdir(parents=True)
    code = _PROGRAM.replace("sys.exit(", "status = (") + "print('goodbye', file=sys.stderr)\nsys.exit(status)\n"
    done = run_program(code, "--data-dir", str(data_dir), str(tmp_path / "photo.png"))
    assert done.returncode == 0, done.stderr
    assert "goodbye" in done.stderr


def test_the_program_opens_a_picture_and_ends_cleanly(data_dir: Path, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png", 50, 40)
    done = run_program(_PROGRAM, "--data-dir", str(data_dir), str(tmp_path / "photo.png"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "50 x 40"
    assert "QThread" not in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((data_dir / "settings.json").read_text("utf-8"))["values"]["tool"] == "eraser"


def test_a_data_folder_that_cannot_be_made_is_replaced(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("in the way")
    places, trouble = _usable(Folders(tmp_path / "file"))
    assert str(tmp_path / "file") in trouble
    assert trouble in capsys.readouterr().err
    places.make()


@pytest.mark.expects_log
def test_an_exception_that_nobody_caught_is_shown(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    _show_unexpected(studio.window)
    error = ValueError("a bug")
    sys.excepthook(ValueError, error, None)
    studio.wait(lambda: studio.titles == ["Something went wrong inside Limner."])
    assert "a bug" in studio.window.notices.shown[0].details


@pytest.fixture
def themed(qapp: QApplication) -> Iterator[Theme]:
    before = QPalette(qapp.palette())
    theme = Theme(qapp)
    yield theme
    qapp.styleHints().colorSchemeChanged.disconnect(theme.follow)
    theme.deleteLater()
    qapp.setStyleSheet("")
    qapp.setPalette(before)


def test_the_look_follows_the_system(qapp: QApplication, themed: Theme) -> None:
    surround = lambda: qapp.palette().color(QPalette.ColorRole.Dark).name()  # noqa: E731
    for scheme, look in ((Qt.ColorScheme.Light, LIGHT), (Qt.ColorScheme.Dark, DARK)):
        qapp.styleHints().setColorScheme(scheme)
        qapp.styleHints().colorSchemeChanged.emit(scheme)
        if qapp.styleHints().colorScheme() is scheme:  # a platform without a look of its own keeps "unknown"
            assert surround() == look.surround
        else:
            assert surround() == DARK.surround
    qapp.styleHints().unsetColorScheme()


def test_the_dressed_window_clips_no_text(themed: Theme, studio: Studio) -> None:
    studio.click("moreButton")
    QApplication.processEvents()
    area = studio.find("panelScroll")
    assert area.widget().width() <= area.viewport().width()
    for name in ("generateButton", "cancelButton", "segmentGenerate", "segmentInpaint"):
        widget = studio.find(name)
        assert widget.fontMetrics().horizontalAdvance(widget.text()) < widget.width()


@pytest.mark.parametrize("tool", ["brush", "rectangle", "wand"])
def test_at_the_least_width_every_name_and_number_is_whole(themed: Theme, studio: Studio, tool: str) -> None:
    studio.window.canvas.set_tool(tool)
    studio.window.resize(studio.window.minimumSize())
    rows = [row for row in studio.find("toolOptions").findChildren(LabelledSlider) if row.isVisible()]
    assert len(rows) == {"brush": 3, "rectangle": 2, "wand": 2}[tool]
    studio.wait(lambda: studio.window.minimumSizeHint().width() <= studio.window.width() < 1024)
    studio.wait(lambda: all(row.rect().contains(row.number.geometry()) for row in rows))
    for row in rows:
        for label in row.findChildren(QLabel):
            assert label.width() >= label.sizeHint().width()
            assert row.rect().contains(label.geometry())
        row.number.setValue(row.number.maximum())
        field = row.number.findChild(QLineEdit)
        assert field.width() >= field.fontMetrics().horizontalAdvance(row.number.text())
        assert row.rect().contains(row.number.geometry())
    least = studio.window.minimumSizeHint().width()
    studio.window.canvas.set_tool("pan")
    studio.wait(lambda: studio.window.minimumSizeHint().width() == least)
    studio.window.canvas.set_tool(tool)
    studio.window.resize(1300, 700)
    QApplication.processEvents()
    studio.wait(lambda: all(row.slider.isVisible() for row in rows))


@pytest.mark.parametrize("height", [560, 900])
def test_every_tool_has_its_button_in_low_and_high_windows(themed: Theme, studio: Studio, height: int) -> None:
    studio.window.resize(1100, height)
    QApplication.processEvents()
    rail = studio.find("toolRail")
    assert studio.window.height() == height
    for id in TOOLS:
        button = studio.find(f"tool_{id}Button")
        assert rail.rect().contains(button.geometry())
        assert button.height() >= 30


def test_the_words_of_all_segments_stand_on_one_line(themed: Theme, studio: Studio) -> None:
    themed.wear(DARK)
    QApplication.processEvents()

    def written(button: QWidget) -> tuple[int, int]:
        """The first and the last row with letters in them, which are white on dark."""
        seen = button.grab().toImage()
        width, rows = range(seen.width()), range(seen.height())
        with_letters = [y for y in rows if any(seen.pixelColor(x, y).blue() > 150 for x in width)]
        return with_letters[0], with_letters[-1]

    chosen, other = studio.find("segmentGenerate"), studio.find("segmentRefine")
    button = chosen if chosen.isChecked() else other
    before = written(button)
    button.setAutoExclusive(False)
    button.group().setExclusive(False)
    button.setChecked(False)
    assert written(button) == before

"""Renders the window in its states to PNG files, to be looked at: ``python -m tests.ui.look OUT [--size 1100x700]``.

One process renders one scale (``QT_SCALE_FACTOR``) and one look; ``--all`` runs itself for 1x and 2x, dark and light.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QToolButton, QWidget

from app.core.beginning import Beginning
from app.core.errors import UserError
from app.core.params import Intent
from app.library.additions import read_addition
from app.main import build
from app.ui.layer_edits import LayerEdits
from app.ui.main_window import MainWindow
from app.ui.notices import Notice
from app.ui.theme import DARK, LIGHT, Theme
from tests.fakes import FakeBackend, painted, result_of
from tests.library.test_additions import EMBEDDING, LORA, VAE, write
from tests.ui.studio import make_model, make_picture

SIZES = {"small": (1100, 700), "large": (1600, 1000)}


def settle(until: Callable[[], bool] = lambda: False, seconds: float = 0.15) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        QApplication.processEvents()
        time.sleep(0.005)


def opened(window: MainWindow, folder: Path) -> None:
    make_picture(folder / "photo.png", 640, 480)
    window.files.open(folder / "photo.png")
    settle(lambda: window.desk.document.has_picture, 5)
    settle()


def stroke(window: MainWindow) -> None:
    canvas = window.canvas
    middle = canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle - QPoint(90, 20))
    for x in range(-90, 100, 15):
        QTest.mouseMove(canvas, middle + QPoint(x, x // 4))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(90, 20))
    settle()


def empty(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    settle()


def picture(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)


def unfolded(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    window.findChild(QToolButton, "moreButton").click()
    window.desk.store.update(prompt="a castle above a quiet lake, dragons")


def masked(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)


def mask_settings(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    masked(window, backend, folder)
    window.findChild(QToolButton, "moreButton").click()
    settle()
    for area in window.findChildren(QScrollArea):
        area.ensureWidgetVisible(window.findChild(QWidget, "colourMatchCheck"))


def additions(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    names = {"ink and wash, a rather long name of a LoRA": LORA, "mood": EMBEDDING, "sharper": VAE}
    for name, tensors in names.items():
        window.desk.additions.use(read_addition(write(folder / f"{name}.safetensors", tensors)))
    window.findChild(QToolButton, "moreButton").click()
    window.findChild(QToolButton, "additionsButton").click()
    settle()
    for area in window.findChildren(QScrollArea):
        area.ensureWidgetVisible(window.findChild(QWidget, "addAddition"))


def layers(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)
    window.desk.store.update(prompt="a small boat with a white sail on the calm water")
    window.painting.submit()
    settle(seconds=0.5)
    window.findChild(QToolButton, "layersButton").click()
    for name in ("layerAdd", "layerDuplicate"):
        window.findChild(QToolButton, name).click()
    document = window.desk.document
    edits = window.findChild(LayerEdits)
    edits.show(document.layers[2].id, False)
    edits.choose(document.layers[1].id)
    edits.fade(0.6)
    settle()
    for area in window.findChildren(QScrollArea):
        area.ensureWidgetVisible(window.findChild(QWidget, "layerRemove"))


def running(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)
    window.desk.store.update(prompt="a small boat on the water", intent=Intent.INPAINT)
    backend.gated = True
    window.painting.submit()
    window.painting.submit()
    for step in range(7):
        backend.release()
        settle(lambda step=step: backend.steps_done > step, 2)
        settle(seconds=0.04)


def queued(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    running(window, backend, folder)
    for prompt, intent in (("hills in the morning mist, far away, very quiet", Intent.REFINE), ("", Intent.GENERATE)):
        window.desk.store.update(prompt=prompt, intent=intent, count=3)
        window.painting.submit()
    window.findChild(QToolButton, "queueButton").click()
    settle(seconds=0.3)


def cancelling(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    running(window, backend, folder)
    job = window.desk.queue.running
    job.cancel_asked = True
    window.desk.queue.changed.emit(job)


def failed(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    backend.error = RuntimeError("boom in the middle")
    window.painting.submit()
    settle(seconds=0.4)


def user_error(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    backend.error = UserError("The model “landscapes” lacks its part “vae”.", "Copy or download the model again.")
    window.painting.submit()
    settle(seconds=0.4)
    window.notices.show_notice(Notice(title="“holiday.gif” is animated; its first frame was taken."))


def broken(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    long_name = folder / ("IMG_20240817_a_very_long_name_without_any_space_" * 3 + ".png")
    long_name.write_bytes(b"not a picture")
    window.files.open(long_name)
    settle(seconds=0.4)


def inpainted(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)
    window.painting.submit()
    settle(seconds=0.5)


def reopening(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)
    window.desk.store.update(prompt="a small boat with a white sail on the calm water, in the morning")
    window.painting.submit()
    settle(seconds=0.5)
    window.files.embeds = True
    window.files.save(folder / "boat.png")
    settle(lambda: (folder / "boat.png").exists(), 5)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(folder / "boat.png"))])
    window.arrivals.take(mime)
    settle(seconds=0.5)


def history(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)
    colours = [(200, 60, 40), (40, 120, 200), (60, 160, 80), (220, 180, 60), (120, 80, 160)]
    for number, colour in enumerate(colours):
        backend.colour = colour
        intent = (Intent.INPAINT, Intent.REFINE)[number % 2]
        window.desk.store.update(prompt=f"picture {number}, hills in the morning mist", intent=intent, steps=2)
        window.painting.submit()
        settle(lambda: window.desk.queue.current is None, 5)
        settle(seconds=0.1)
    window.notices.clear()
    settle(lambda: not window.desk.history.busy, 5)
    window.findChild(QToolButton, "historyButton").click()
    settle(seconds=0.3)
    window.desk.history.star(3, True)
    settle(seconds=0.5)
    window.findChild(QScrollArea, "panelScroll").verticalScrollBar().setValue(10_000)


def choosing(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    stroke(window)
    window.desk.store.update(prompt="a small boat", steps=2, count=6)
    colours = iter([(200, 60, 40), (40, 120, 200), (60, 160, 80), (220, 180, 60), (120, 80, 160), (20, 20, 20)])
    backend.make_result = lambda request: result_of(request, painted(request, next(colours)))
    window.painting.submit()
    settle(lambda: window.desk.queue.current is None, 5)
    window.desk.candidates.show(2)
    window.commands.star_candidate()
    window.desk.candidates.show(1)


def course(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    prompt = "a calm lake under mountains, with a forest on the shore and a boat on it"
    window.desk.store.update(prompt="red hills", stop_at=14, beginnings=(Beginning(until=8, prompt=prompt),))


def dropping(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    opened(window, folder)
    window.veil.lift()


def model_help(window: MainWindow, backend: FakeBackend, folder: Path) -> None:
    window.commands.show_model_help()


STATES = (
    empty,
    unfolded,
    picture,
    masked,
    mask_settings,
    additions,
    layers,
    running,
    queued,
    cancelling,
    inpainted,
    failed,
    user_error,
    broken,
    reopening,
    choosing,
    course,
    history,
    dropping,
    model_help,
)


def render(out: Path, look: str, size: str, only: str | None = None) -> None:
    application = QApplication.instance() or QApplication([])
    theme = Theme(application)
    theme.wear({"dark": DARK, "light": LIGHT}[look])
    for state in (state for state in STATES if only in (None, state.__name__)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            examples = ("a quiet lake at dawn", "snowy mountains under a clear sky", "a path through an autumn forest")
            make_model(folder / "models" / "own", name="Own model", examples=examples)
            backend = FakeBackend()
            window = build(backend, folder)
            window.resize(*SIZES[size])
            window.show()
            settle(seconds=0.2)
            state(window, backend, folder)
            settle()
            scale = round(window.devicePixelRatioF())
            window.grab().save(str(out / f"{state.__name__}-{look}-{size}-{scale}x.png"))
            backend.gated = False
            window.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--look", choices=("dark", "light"), default="dark")
    parser.add_argument("--size", choices=tuple(SIZES), default="small")
    parser.add_argument("--state", help="only this one of them")
    parser.add_argument("--all", action="store_true", help="every look and size, at 1x and 2x")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.all:
        render(given.out, given.look, given.size, given.state)
        return
    for scale in ("1", "2"):
        for look in ("dark", "light"):
            for size in SIZES:
                command = [sys.executable, "-m", "tests.ui.look", str(given.out), "--look", look, "--size", size]
                command += ["--state", given.state] if given.state else []
                subprocess.run(command, env=os.environ | {"QT_SCALE_FACTOR": scale}, check=True)


if __name__ == "__main__":
    main()

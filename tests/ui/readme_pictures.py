"""Makes the README's pictures with the real engine: ``python -m tests.ui.readme_pictures OUT``."""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.job import Job, Preview
from app.main import build
from app.ui.main_window import MainWindow
from app.ui.theme import DARK, LIGHT, Look, Theme
from tests.ui.look import settle

PROMPT, SEED = "snowy mountains at sunset, a lake, the sun", 11
CHANGE, CHANGE_SEED, CHANGE_MODEL = "a red balloon, sunset", 5, "starter-inpaint"
WAIT_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    theme = Theme(application)
    for look, names in ((DARK, ("empty", "painting", "inpainted")), (LIGHT, ("", "", "light"))):
        story(theme, look, {name: out / f"{name}.png" for name in names if name})
    error(theme, out / "error.png")


def story(theme: Theme, look: Look, paths: dict[str, Path]) -> None:
    """Empty studio, a picture from words, a mask on it, and what fills the mask."""
    with tempfile.TemporaryDirectory() as data:
        window = opened(theme, look, Path(data))
        shoot(window, paths.get("empty"))
        window.desk.store.update(seed_locked=True, seed=SEED, prompt=PROMPT)
        paint(window, lambda: None)
        models = window.desk.shelf.models
        model = next(model.id for model in models if model.path.name == CHANGE_MODEL)
        window.desk.store.update(seed=CHANGE_SEED, prompt=CHANGE, model=model)
        mask(window)
        paint(window, lambda: shoot(window, paths.get("painting")))
        window.canvas.set_mask_visible("light" in paths)
        shoot(window, paths.get("inpainted") or paths.get("light"))
        window.close()


def error(theme: Theme, path: Path) -> None:
    with tempfile.TemporaryDirectory() as data:
        window = opened(theme, DARK, Path(data))
        window.desk.store.update(seed_locked=True, seed=SEED, prompt=PROMPT)
        paint(window, lambda: None)
        broken = Path(data) / "holiday.png"
        broken.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
        window.files.open(broken)
        wait(lambda: bool(window.notices.shown))
        shoot(window, path)
        window.close()


def opened(theme: Theme, look: Look, data: Path) -> MainWindow:
    theme.wear(look)
    window = build(data_dir=data)
    window.resize(1180, 760)
    window.show()
    settle(seconds=0.5)
    wait(lambda: window.desk.queue.engine.state.value == "ready")
    return window


def mask(window: MainWindow) -> None:
    """A round blot where the balloon is to be, in picture pixels."""
    canvas = window.canvas

    def at(x: int, y: int) -> QPoint:
        return canvas.to_view(QPointF(x, y)).toPoint()

    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(102, 30))
    for radius in (14, 8, 2):
        for turn in range(13):
            angle = turn * math.tau / 12
            QTest.mouseMove(
                canvas, at(round(88 + radius * math.cos(angle)), round(30 + 1.3 * radius * math.sin(angle)))
            )
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(88, 30))
    settle()


def paint(window: MainWindow, halfway: Callable[[], None]) -> None:
    """Press the button, call ``halfway`` once in the middle, and wait for the picture. Not each step is told."""
    queue = window.desk.queue
    done: list[bool] = []
    seen: list[int] = []

    def on_preview(job: Job, _: Preview) -> None:
        if job.step >= job.total // 2 and not seen:
            seen.append(job.step)
            halfway()

    queue.previewed.connect(on_preview)
    queue.finished.connect(lambda *_: done.append(True))
    window.painting.submit()
    wait(lambda: bool(done))
    queue.previewed.disconnect(on_preview)
    settle()


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        QApplication.processEvents()
        time.sleep(0.005)


def shoot(window: MainWindow, path: Path | None) -> None:
    if path is None:
        return
    QApplication.sendEvent(window.canvas, QEvent(QEvent.Type.Leave))  # offscreen the pointer rests in a corner
    picture: QPixmap = window.grab()
    picture.save(str(path))
    Image.open(path).convert("RGB").save(path, optimize=True)


if __name__ == "__main__":
    main()

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

import numpy as np
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.geometry import Size
from app.core.job import Job, Phase, Preview
from app.core.request import Request
from app.core.settings import resources
from app.diffusion.engine import Engine
from app.main import build
from app.ui.main_window import MainWindow
from app.ui.theme import DARK, LIGHT, Look, Theme
from tests.ui.look import settle

PROMPT, SEED = "snowy mountains at sunset, a lake, the sun", 5
CHANGE, CHANGE_SEED = "a red balloon, snowy mountains at sunset, a lake", 1
SAMPLES = (
    "a red house on the left, snowy mountains at sunset",
    "night, a lake, a yellow balloon, stars",
    "a white sailing boat on a calm lake, hills, noon",
    "dunes, sand, dawn, a purple balloon on the right",
    "pine trees and a white house, snow, mountains, overcast",
    "meadow with round trees, hills, midday, clouds",
    "a full moon, stars, snowy mountains, a lake at night",
    "an orange balloon in the middle, green meadow, noon",
)
WAIT_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    theme = Theme(application)
    samples(out / "starter-samples.png")
    for look, names in ((DARK, ("empty", "painting", "inpainted")), (LIGHT, ("", "", "light"))):
        story(theme, look, {name: out / f"{name}.png" for name in names if name})
    error(theme, out / "error.png")


def samples(path: Path) -> None:
    """Every prompt with seeds 0 to 3, as they come."""
    engine, model = Engine(), resources() / "models" / "starter"
    rows = []
    for prompt in SAMPLES:
        rows.append([_sample(engine, model, prompt, seed) for seed in range(4)])
    left, right = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    sheet = np.vstack([np.hstack([*a, *b]) for a, b in zip(left, right, strict=True)])
    Image.fromarray(sheet).save(path, optimize=True)


def _sample(engine: Engine, model: Path, prompt: str, seed: int) -> np.ndarray:
    side = 128
    request = Request(prompt=prompt, model=str(model), size=Size(side, side), seed=seed, steps=25, guidance=5.0)
    return engine.run(request, _Quiet()).image


class _Quiet:
    """Hooks that nobody listens to."""

    def cancelled(self) -> bool:
        return False

    def entered(self, phase: Phase) -> None:
        pass

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        pass


def story(theme: Theme, look: Look, paths: dict[str, Path]) -> None:
    """Empty studio, a picture from words, a mask on it, and what fills the mask."""
    with tempfile.TemporaryDirectory() as data:
        window = opened(theme, look, Path(data))
        shoot(window, paths.get("empty"))
        window.desk.store.update(seed_locked=True, seed=SEED, prompt=PROMPT)
        paint(window, lambda: None)
        window.desk.store.update(seed=CHANGE_SEED, prompt=CHANGE)
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

    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at(108, 34))
    for radius in (14, 8, 2):
        for turn in range(13):
            angle = turn * math.tau / 12
            QTest.mouseMove(
                canvas, at(round(94 + radius * math.cos(angle)), round(34 + 1.25 * radius * math.sin(angle)))
            )
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at(94, 34))
    settle()


def paint(window: MainWindow, halfway: Callable[[], None]) -> None:
    """Press the button, call ``halfway`` once in the middle, and wait for the picture."""
    queue, done = window.desk.queue, []

    def on_preview(job: Job, _: Preview) -> None:
        if job.step == job.total // 2:
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

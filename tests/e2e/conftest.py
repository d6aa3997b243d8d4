"""The real window, the real engine and the starter model: nothing is faked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from app.core.geometry import Size
from app.core.job import Backend, Preview, Result
from app.core.settings import resources
from app.main import build
from tests.engine_tools import some_picture
from tests.ui.conftest import Studio

LOADING_S = 120_000  # the first job of a run waits for torch and the model on a busy machine


class Artist(Studio):
    """A person at the studio, with everything that was shown to them meanwhile."""

    def __init__(self, window: Any, qtbot: Any) -> None:
        super().__init__(window, qtbot)
        self.previews: list[Preview] = []
        self.results: list[Result] = []
        self.queue.previewed.connect(lambda job, preview: self.previews.append(preview))
        self.queue.finished.connect(lambda job, result: self.results.append(result))

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=LOADING_S)

    def write(self, name: str, text: str) -> None:
        """Click into a field and type."""
        field = self.find(name)
        field.selectAll()
        self.qtbot.keyClicks(field, text)

    def paint(self) -> Result:
        """Press the button and wait for the picture."""
        done = len(self.results)
        self.click("generateButton")
        self.wait(lambda: len(self.results) > done or self.queue.current is None)
        assert len(self.results) > done, self.titles
        return self.results[-1]

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier) -> None:
        self.window.canvas.setFocus()
        self.key(key, modifier)


@pytest.fixture
def open_studio(qtbot: Any, data_dir: Path) -> Iterator[Callable[..., Artist]]:
    artists: list[Artist] = []

    def open_one(make_backend: Callable[[], Backend] | None = None, apart: bool = False) -> Artist:
        # mostly inside, so that torch is imported once for all tests
        window = build(None, data_dir, make_backend, engine_apart=apart)
        window.resize(1100, 700)
        window.show()
        artists.append(Artist(window, qtbot))
        return artists[-1]

    yield open_one
    for artist in artists:
        artist.window.close()
        artist.window.deleteLater()


@pytest.fixture
def artist(open_studio: Callable[..., Artist]) -> Artist:
    return open_studio()


@pytest.fixture
def photo(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A picture on the disk whose sides are no multiples of 8."""
    pixels = np.ascontiguousarray(some_picture(Size(150, 115)))
    path = tmp_path / "Ein Foto 猫.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


@pytest.fixture(scope="session")
def starter() -> Path:
    return resources() / "models" / "starter"

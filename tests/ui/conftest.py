"""The real window with a Backend that the test scripts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.core.job import Backend
from app.main import build
from app.ui.main_window import MainWindow
from tests.fakes import FakeBackend
from tests.ui.studio import make_model


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def data_with_model(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one model, and no starter model beside it."""
    make_model(
        data_dir / "models" / "own", name="Own", examples=("a calm lake", "red hills"), vocabulary=("lake", "calm")
    )
    hide_starters(monkeypatch, data_dir)
    return data_dir


def hide_starters(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("app.library.models.resources", lambda: folder / "nothing here")


Open = Callable[..., "Studio"]


@pytest.fixture
def open_studio(qtbot: Any, data_with_model: Path, backend: FakeBackend) -> Iterator[Open]:
    """Builds and shows windows; all are closed at the end."""
    studios = []

    def open_one(make_backend: Callable[[], Backend] | None = None, data: Path = data_with_model) -> Studio:
        window = build(None if make_backend else backend, data, make_backend)
        studio = Studio(window, qtbot)
        studios.append(studio)
        window.resize(1100, 700)
        window.show()
        return studio

    yield open_one
    for studio in studios:
        studio.window.close()
        studio.window.deleteLater()


@pytest.fixture
def studio(open_studio: Open) -> Studio:
    return open_studio()


class Studio:
    """The window, with words for what a person does to it."""

    def __init__(self, window: MainWindow, qtbot: Any) -> None:
        self.window = window
        self.qtbot = qtbot
        self.desk = window.desk
        self.document = window.desk.document
        self.store = window.desk.store
        self.queue = window.desk.queue

    def find(self, name: str) -> Any:
        widget = self.window.findChild(QWidget, name)
        assert widget is not None, name
        return widget

    def click(self, name: str) -> None:
        self.qtbot.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is."""
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=10_000)

    def wait_idle(self) -> None:
        self.wait(lambda: self.queue.current is None)

    def drag(self, start: QPoint, end: QPoint) -> None:
        """A stroke over the canvas, in picture pixels."""
        canvas = self.window.canvas
        first, last = (canvas.to_view(QPointF(p)).toPoint() for p in (start, end))
        self.qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=first)
        self.qtbot.mouseMove(canvas, pos=(first + last) / 2)
        self.qtbot.mouseMove(canvas, pos=last)
        self.qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=last)

    def drop(self, mime: QMimeData) -> None:
        """Drag something onto the window and let go."""
        at = QPoint(400, 300)
        action, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the only constructor that there is from outside Qt
            enter = QDragEnterEvent(at, action, mime, buttons, keys)
        QApplication.sendEvent(self.window, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(self.window, QDropEvent(QPointF(at), action, mime, buttons, keys))

    def drop_files(self, *paths: Path) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        self.drop(mime)

    def open(self, path: Path) -> None:
        """Drop a picture and wait until it is there."""
        before = self.document.undo.count()
        self.drop_files(path)
        self.wait(lambda: self.document.undo.count() > before)

    def choose(self, label: str) -> None:
        """Wait for a card that offers this, and press its button."""

        def buttons() -> list[QPushButton]:
            cards = self.window.notices.findChildren(QPushButton)
            return [button for button in cards if button.text() == label and button.isVisible()]

        self.wait(lambda: bool(buttons()))
        self.qtbot.mouseClick(buttons()[0], Qt.MouseButton.LeftButton)

    @property
    def titles(self) -> list[str]:
        return [notice.title for notice in self.window.notices.shown]

    @property
    def generate_button(self) -> QPushButton:
        button: QPushButton = self.find("generateButton")
        return button

"""The system asks for a picture while Limner runs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from app.ui.opening import SystemOpening
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture


def test_a_picture_that_the_system_hands_over_is_opened(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png", 96, 64)
    application = QApplication.instance()
    assert application is not None
    opening = SystemOpening(application, studio.window.files.open)
    try:
        QApplication.sendEvent(application, QFileOpenEvent(str(tmp_path / "photo.png")))
        studio.wait(lambda: studio.document.has_picture)
        assert (studio.document.size.width, studio.document.size.height) == (96, 64)
    finally:
        application.removeEventFilter(opening)
        opening.deleteLater()

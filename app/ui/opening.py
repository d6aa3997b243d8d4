"""Pictures that the system asks a running program to open: a double click or “Open with” on macOS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QFileOpenEvent


class SystemOpening(QObject):
    """Hands each file to ``open``. Other systems name files when they start a program instead."""

    def __init__(self, application: QCoreApplication, open: Callable[[Path], object]) -> None:
        super().__init__(application)
        self._open = open
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self._open(Path(event.file()))
            return True
        return super().eventFilter(watched, event)

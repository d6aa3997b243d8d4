"""The few questions that the system's own dialogs ask."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

PICTURES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff *.avif);;All files (*)"


class Choice(Enum):
    """What to do with a picture that has not been saved."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


class Dialogs(Protocol):
    """What the window asks the person; None and CANCEL are a change of mind."""

    def open_picture(self, folder: Path) -> Path | None: ...

    def save_picture(self, suggestion: Path) -> Path | None: ...

    def model_folder(self, folder: Path) -> Path | None: ...

    def open_mask(self, folder: Path) -> Path | None: ...

    def save_mask(self, suggestion: Path) -> Path | None: ...


class SystemDialogs:
    """The Dialogs that the desktop brings."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def open_picture(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open a picture", str(folder), PICTURES)
        return Path(name) if name else None

    def open_mask(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Load a mask", str(folder), PICTURES)
        return Path(name) if name else None

    def save_mask(self, suggestion: Path) -> Path | None:
        return self._save_png("Save the mask", suggestion)

    def save_picture(self, suggestion: Path) -> Path | None:
        return self._save_png("Save as PNG", suggestion)

    def _save_png(self, title: str, suggestion: Path) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(self._parent, title, str(suggestion), "PNG pictures (*.png)")
        if not name:
            return None
        path = Path(name)
        return path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")

    def model_folder(self, folder: Path) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, "Choose a model folder", str(folder))
        return Path(name) if name else None


def ask_before_losing(parent: QWidget) -> Choice:
    """The one question that blocks the window: it is about losing work."""
    box = QMessageBox(parent)
    box.setObjectName("unsavedQuestion")
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText("Save the picture before closing?")
    box.setInformativeText("What you painted since the last save is lost otherwise.")
    buttons = QMessageBox.StandardButton
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    box.setDefaultButton(buttons.Save)
    answer = box.exec()
    if answer == buttons.Save:
        return Choice.SAVE
    return Choice.DISCARD if answer == buttons.Discard else Choice.CANCEL

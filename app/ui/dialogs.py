"""The few questions that the system's own dialogs ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

PICTURES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff *.avif);;All files (*)"
_OPENED = (
    "Pictures and projects (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff *.avif *.ora);;"
    "Layered projects (*.ora);;All files (*)"
)
MODELS = "Models (*.safetensors *.ckpt *.pt *.pth *.bin);;All files (*)"

_KINDS = ("PNG pictures (*.png)", "JPEG pictures (*.jpg *.jpeg)", "WebP pictures (*.webp)")
_PROJECT = "Layered projects (*.ora)"


class Choice(Enum):
    """What to do with a picture that has not been saved."""

    SAVE = "save"
    DISCARD = "discard"
    CANCEL = "cancel"


class Dialogs(Protocol):
    """What the window asks the person; None and CANCEL are a change of mind."""

    def open_picture(self, folder: Path) -> Path | None: ...

    def save_picture(self, suggestion: Path) -> Path | None: ...

    def model_file(self, folder: Path) -> Path | None: ...

    def model_folder(self, folder: Path) -> Path | None: ...

    def folder(self, title: str, start: Path) -> Path | None: ...

    def open_mask(self, folder: Path) -> Path | None: ...

    def save_mask(self, suggestion: Path) -> Path | None: ...


class SystemDialogs:
    """The Dialogs that the desktop brings."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def open_picture(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open a picture or project", str(folder), _OPENED)
        return Path(name) if name else None

    def folder(self, title: str, start: Path) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, title, str(start))
        return Path(name) if name else None

    def open_mask(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Load a mask", str(folder), PICTURES)
        return Path(name) if name else None

    def save_mask(self, suggestion: Path) -> Path | None:
        return self._save("Save the mask", suggestion, _KINDS[:1])

    def save_picture(self, suggestion: Path) -> Path | None:
        project = suggestion.suffix.lower() == ".ora"
        kinds = (_PROJECT, *_KINDS) if project else (*_KINDS, _PROJECT)
        return self._save("Save the picture", suggestion, kinds)

    def _save(self, title: str, suggestion: Path, kinds: Sequence[str]) -> Path | None:
        name, kind = QFileDialog.getSaveFileName(self._parent, title, str(suggestion), ";;".join(kinds))
        return with_ending(Path(name), kind, kinds) if name else None

    def model_file(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Choose a model file", str(folder), MODELS)
        return Path(name) if name else None

    def model_folder(self, folder: Path) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, "Choose a model folder", str(folder))
        return Path(name) if name else None


def with_ending(path: Path, kind: str, kinds: Sequence[str]) -> Path:
    """The path with an ending that says its format: its own if it is one of the kinds', else that of the chosen one."""
    if any(f"*{path.suffix.lower()}" in re.split(r"[ ()]", each) for each in kinds if path.suffix):
        return path
    chosen = kind if kind in kinds else kinds[0]
    return path.with_name(path.name + re.split(r"[ ()]", chosen[chosen.index("(*") + 2 :])[0])


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

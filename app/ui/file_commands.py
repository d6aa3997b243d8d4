"""What goes in and out of the window: pictures, projects and masks, as files and through the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication

from app.library.openraster import ENDING
from app.ui.notices import Notice
from app.ui.projects import is_project

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


class FileCommands(QObject):
    """The handlers of those actions, and what the document is called."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._desk = window.desk
        self.open_folder = Path.home()
        self.save_folder = Path.home()
        self.name = "Untitled"
        """Of the file that the picture came from or went to."""
        self.own_file: Path | None = None
        """What Limner itself wrote the document to, and saving writes over."""

    def handlers(self) -> dict[str, Callable[[], object]]:
        """By the ids of the actions."""
        return {
            "open": self.open,
            "save": self.save,
            "save_as": self.save_as,
            "export": self.export,
            "batch": self.refine_folder,
            "save_tells": self.toggle_tells,
            "save_embeds": self.toggle_embeds,
            "paste": self.paste,
            "paste_mask": self.paste_mask,
            "paste_layer": self.paste_layer,
            "load_mask": self.load_mask,
            "save_mask": self.save_mask,
            "transparency_mask": self.mask_from_transparency,
        }

    def named(self) -> tuple[str, str]:
        """What the document is called, and the file that saving writes over."""
        return self.name, "" if self.own_file is None else str(self.own_file)

    def rename(self, name: str, own_file: str) -> None:
        """What ``named`` said, of a session that is brought back; a file that is gone is not written over."""
        self.name = name or "Untitled"
        self.own_file = Path(own_file) if own_file and Path(own_file).is_file() else None

    def open(self) -> None:
        path = self._window.dialogs.open_picture(self.open_folder)
        if path is not None:
            self.open_folder = path.parent
            self._window.notices.clear_quiet()
            self.open_file(path)

    def open_file(self, path: Path) -> None:
        """A picture or a project."""
        if is_project(path):
            self._window.projects.open(path)
        else:
            self._window.files.open(path)

    def open_recent(self, path: Path) -> None:
        if path.is_file():
            self.open_file(path)
        else:
            self._desk.recent.forget(path)
            self._window.notices.show_notice(
                Notice(title=f"“{path.name}” is not there any more.", text="It was moved, renamed or deleted.")
            )

    def save(self) -> None:
        """Into the file that the document belongs to, asked for where there is none yet."""
        if (path := self.own_file or self._ask_where()) is not None:
            self._write(path)

    def save_as(self) -> None:
        if (path := self._ask_where()) is not None:
            self._write(path)

    def _write(self, path: Path, then: Callable[[], object] = lambda: None) -> None:
        if is_project(path):
            self._window.projects.save(path, then)
        else:
            self._window.files.save(path, then)

    def export(self) -> None:
        from app.ui.export import ExportDialog

        dialog = ExportDialog(self._window.exporting, Path(self.name).stem, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def refine_folder(self) -> None:
        """Ask for a folder of pictures and for the one that they go to."""
        source = self._window.dialogs.folder("The folder of pictures to refine", self.open_folder)
        target = self._window.dialogs.folder("The folder to write into", self.save_folder) if source else None
        if source is not None and target is not None:
            self.open_folder, self.save_folder = source, target
            self._window.batch.offer(source, replace(self._window.exporting.choices, folder=target))

    def toggle_tells(self) -> None:
        self._window.files.tells = not self._window.files.tells
        self.show_save_choices()

    def toggle_embeds(self) -> None:
        self._window.files.embeds = not self._window.files.embeds
        self.show_save_choices()

    def show_save_choices(self) -> None:
        files, actions = self._window.files, self._window.actions_by_id
        actions["save_tells"].setChecked(files.tells)
        actions["save_embeds"].setChecked(files.tells and files.embeds)
        actions["save_embeds"].setEnabled(files.tells)

    def save_and_close(self) -> None:
        """Close once the picture is safe on the disk; stay open when that fails or the person thinks better of it."""
        if (path := self.own_file or self._ask_where()) is not None:
            self._write(path, self._window.close)

    def _ask_where(self) -> Path | None:
        ending = ENDING if is_project(Path(self.name)) else ".png"
        path = self._window.dialogs.save_picture(self.save_folder / f"{Path(self.name).stem}{ending}")
        if path is not None:
            self.save_folder = path.parent
        return path

    def paste(self) -> None:
        mime = QGuiApplication.clipboard().mimeData()
        if mime is not None:
            self._window.arrivals.take(mime)

    def paste_layer(self) -> None:
        mime = QGuiApplication.clipboard().mimeData()
        if mime is not None:
            self._window.arrivals.take_layer(mime)

    def paste_mask(self) -> None:
        mime = QGuiApplication.clipboard().mimeData()
        if mime is not None:
            self._window.arrivals.take_mask(mime)

    # Masks

    def load_mask(self) -> None:
        if (path := self._window.dialogs.open_mask(self.open_folder)) is not None:
            self.open_folder = path.parent
            self._window.mask_files.load(path)

    def save_mask(self) -> None:
        suggestion = self.save_folder / f"{Path(self.name).stem}-mask.png"
        if (path := self._window.dialogs.save_mask(suggestion)) is not None:
            self.save_folder = path.parent
            self._window.mask_files.save(path)

    def mask_from_transparency(self) -> None:
        if (path := self._window.dialogs.open_mask(self.open_folder)) is not None:
            self.open_folder = path.parent
            self._window.mask_files.load_transparency(path)

"""Keeping the window's layout, brushes and parameters from one start to the next."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QToolButton

from app.core.settings import engine_is_apart, load_settings, save_settings
from app.document.undo import MEGABYTE
from app.ui import session
from app.ui.canvas.first_brush import FirstBrush
from app.ui.canvas.tools import TOOLS

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

_SWITCHES = ("pixel_grid", "navigator", "preview")  # actions that stay as they were left

log = logging.getLogger(__name__)


class Memory(QObject):
    """Restores the window when it is made, and saves it when it closes. Nothing that a file holds can stop either."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        values = load_settings(window.folders.settings)
        self._restore(values)
        self._first_brush: FirstBrush | None = None
        if not session.knows_brush_size(values):
            self._first_brush = FirstBrush(window.desk.document, window.canvas, self)

    def save(self) -> None:
        try:
            save_settings(self._window.folders.settings, self._values())
        except OSError as error:
            log.info("the settings cannot be saved: %s", error)  # no reason to keep anyone from leaving

    def _values(self) -> dict[str, Any]:
        window, desk = self._window, self._window.desk
        file_commands = window.file_commands
        fold = self._fold()
        return {
            "params": session.params_to_values(desk.store.params),
            "geometry": session.packed(window.saveGeometry()),
            "splitter": session.packed(window.splitter.saveState()),
            "tool": window.canvas.tool,
            "brushes": self._brushes(),
            "view": {id: window.actions_by_id[id].isChecked() for id in _SWITCHES},
            "live": window.live.on,
            "undo_megabytes": desk.document.undo.budget // MEGABYTE,
            "mask_look": desk.mask_looks.values(),
            "shortcuts": desk.shortcuts.values(),
            "areas": window.canvas.toolbox.areas(),
            "colours": window.canvas.toolbox.colours.values(),
            "more": fold is not None and fold.isChecked(),
            "export": window.exporting.values(),
            "recent": [str(path) for path in desk.recent.paths],
            "open_folder": str(file_commands.open_folder),
            "save_folder": str(file_commands.save_folder),
            "history_budget": desk.history.budget,
            "history": self._unfolded("historyButton"),
            "queue": self._unfolded("queueButton"),
            "save_tells": window.files.tells,
            "save_embeds": window.files.embeds,
            "engine_apart": desk.engine.chosen,
            "model_folders": [str(path) for path in desk.shelf.added],
        }

    def _restore(self, values: session.Values) -> None:
        window, file_commands = self._window, self._window.file_commands
        if values.get("geometry"):
            window.restoreGeometry(session.unpacked(values, "geometry"))
        if values.get("splitter"):
            window.splitter.restoreState(session.unpacked(values, "splitter"))
        window.canvas.restore_brushes(session.section(values, "brushes"))
        for id in _SWITCHES:
            if session.section(values, "view").get(id) is False:
                window.actions_by_id[id].trigger()
        if values.get("live") is True:
            window.actions_by_id["live"].trigger()
        megabytes = values.get("undo_megabytes")
        if isinstance(megabytes, int) and not isinstance(megabytes, bool):
            window.desk.document.undo.set_budget(megabytes * MEGABYTE)
        window.desk.shortcuts.restore(session.section(values, "shortcuts"))
        window.desk.mask_looks.restore(session.section(values, "mask_look"))
        window.canvas.toolbox.restore_areas(session.section(values, "areas"))
        window.canvas.toolbox.colours.restore(session.section(values, "colours"))
        tool = values.get("tool")
        if isinstance(tool, str) and tool in TOOLS:
            window.canvas.set_tool(tool)
        if (fold := self._fold()) is not None:
            fold.setChecked(values.get("more") is True)
        window.exporting.restore(session.section(values, "export"))
        window.desk.recent.restore(session.paths(values, "recent"))
        file_commands.open_folder = session.folder(values, "open_folder")
        file_commands.save_folder = session.folder(values, "save_folder")
        window.desk.history.budget = session.budget(values, window.desk.history.budget)
        for name, id in (("historyButton", "history"), ("queueButton", "queue")):
            if (fold := window.findChild(QToolButton, name)) is not None:
                fold.setChecked(values.get(id) is True)
        window.files.tells = values.get("save_tells") is not False
        window.files.embeds = values.get("save_embeds") is True
        file_commands.show_save_choices()

    def _brushes(self) -> dict[str, dict[str, float]]:
        """The brushes, without a size that nobody has chosen."""
        brushes = self._window.canvas.brushes()
        if self._first_brush is not None and not self._first_brush.chosen:
            for brush in brushes.values():
                del brush["size"]
        return brushes

    def _unfolded(self, name: str) -> bool:
        fold = self._window.findChild(QToolButton, name)
        return fold is not None and fold.isChecked()

    def _fold(self) -> QToolButton | None:
        return self._window.findChild(QToolButton, "moreButton")


def remembered(path: Path) -> tuple[session.Values, list[Path], bool]:
    """The parameters, the added model folders, and whether the engine is to have a process of its own: what must be
    known before the window is made."""
    values = load_settings(path)
    return session.section(values, "params"), session.paths(values, "model_folders"), engine_is_apart(values)

"""The menu of files that were open lately."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from app.ui.desk import Desk

_MOST_LETTERS = 60


def add_recent_menu(bar: QMenuBar, desk: Desk, before: QAction) -> None:
    """Put it into the menu that ``before`` stands in, above that."""
    host = next(menu for menu in bar.findChildren(QMenu) if before in menu.actions())
    menu = QMenu("Open &recent", host)
    menu.setObjectName("menuRecent")
    menu.setToolTipsVisible(True)
    menu.aboutToShow.connect(lambda: _fill(menu, desk))
    desk.recent.changed.connect(lambda: menu.menuAction().setEnabled(bool(desk.recent.paths)))
    menu.menuAction().setEnabled(bool(desk.recent.paths))
    host.insertMenu(before, menu)


def _fill(menu: QMenu, desk: Desk) -> None:
    menu.clear()
    for number, path in enumerate(desk.recent.paths, 1):
        action = QAction(desk.recent.icon(path), f"&{number} {_shown(path)}" if number < 10 else _shown(path), menu)
        action.setObjectName(f"recent{number}")
        action.setToolTip(str(path))
        action.setIconVisibleInMenu(True)
        action.triggered.connect(partial(_open, desk, path))
        menu.addAction(action)
    menu.addSeparator()
    clear = QAction("Forget these", menu)
    clear.setObjectName("recentClear")
    clear.setToolTip("Take all of them out of this list; the files stay")
    clear.triggered.connect(lambda: desk.recent.clear())
    menu.addAction(clear)


def _open(desk: Desk, path: Path, _checked: bool = False) -> None:
    desk.wishes.open_file.emit(path)


def _shown(path: Path) -> str:
    name = path.name.replace("&", "&&")
    return name if len(name) <= _MOST_LETTERS else f"{name[:30]}…{name[-28:]}"

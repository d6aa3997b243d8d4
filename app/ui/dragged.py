"""Files that are dragged out of the window: copies that nobody else needs, gone when the window closes."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl

log = logging.getLogger(__name__)


class DraggedFiles:
    """Copies, because a program that is given a file may change or move it, and ours must stay as they are."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._number = 0

    def copied(self, source: Path, name: str) -> Path | None:
        """A copy under this name; None where it cannot be made."""
        try:
            target = self._place(name)
            shutil.copyfile(source, target)
        except OSError as error:
            log.info("%s cannot be dragged out: %s", source, error)
            return None
        return target

    def written(self, data: bytes, name: str) -> Path | None:
        """The same of what is in no file yet."""
        try:
            target = self._place(name)
            target.write_bytes(data)
        except OSError as error:
            log.info("%s cannot be dragged out: %s", name, error)
            return None
        return target

    def clear(self) -> None:
        """Delete them all."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _place(self, name: str) -> Path:
        """Each in a folder of its own, so that no name is taken."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="limner-drag-"))
        self._number += 1
        place = self._folder / str(self._number)
        place.mkdir()
        return place / name


def as_files(*paths: Path | None) -> QMimeData:
    """What a file manager or another program takes."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths if path is not None])
    return mime

"""Files that were opened or saved lately, with small pictures of them."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap

from app.core.atomic import atomic_write
from app.core.errors import PictureError
from app.jobs.background import Background
from app.library.decoding import quiet_pillow
from app.library.openraster import ENDING, read_thumbnail
from app.library.pictures import load_picture

log = logging.getLogger(__name__)

MOST = 10
_SIDE = 128  # pixels: sharp at 2x in a menu and on a card
_MOST_BYTES = 60_000_000  # a picture of which a small one is made; larger ones go without


class RecentFiles(QObject):
    """The newest first. What is gone from the disk is left out when it is asked for."""

    changed = Signal()

    def __init__(self, cache: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cache = cache / "recent"
        self._background = Background(self)
        self._paths: list[Path] = []
        self._icons: dict[Path, QIcon] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self._paths)

    def restore(self, paths: Sequence[Path]) -> None:
        """Those of the last time; looked for in the background, because a drive that sleeps takes its time."""

        def done(there: list[Path]) -> None:
            known = [path for path in there if path not in self._paths]
            self._paths = [*self._paths, *known][:MOST]
            self.changed.emit()
            for path in self._paths:
                self._make_icon(path, fresh=False)

        self._background.run(lambda: [path for path in paths[:MOST] if path.is_file()], done, _log)

    def add(self, path: Path) -> None:
        """It was just opened or saved."""
        path = path.absolute()
        self._paths = [path, *(other for other in self._paths if other != path)][:MOST]
        self.changed.emit()
        self._make_icon(path, fresh=True)

    def forget(self, path: Path) -> None:
        """It is not there any more."""
        self._paths = [other for other in self._paths if other != path]
        self.changed.emit()

    def clear(self) -> None:
        self._paths = []
        self.changed.emit()

    def icon(self, path: Path) -> QIcon:
        """A small picture; a null icon while there is none."""
        return self._icons.get(path, QIcon())

    def stop(self) -> None:
        self._background.stop()

    @property
    def busy(self) -> bool:
        return self._background.busy

    def _make_icon(self, path: Path, *, fresh: bool) -> None:
        file = self._cache / f"{hashlib.sha256(str(path).encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.jpg"

        def done(jpeg: bytes) -> None:
            image = QImage.fromData(jpeg)
            if not image.isNull():
                self._icons[path] = QIcon(QPixmap.fromImage(image))
                self.changed.emit()

        self._background.run(lambda: _thumbnail(path, file, fresh), done, _log)


def _thumbnail(path: Path, file: Path, fresh: bool) -> bytes:
    """A small JPEG of the file, kept in the cache; empty where there can be none."""
    if not fresh and file.is_file():
        return file.read_bytes()
    data = _made(path)
    if data:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, data)
    return data


def _made(path: Path) -> bytes:
    from PIL import Image

    if path.stat().st_size > _MOST_BYTES and path.suffix.lower() != ENDING:
        return b""
    try:
        if path.suffix.lower() == ENDING:
            png = read_thumbnail(path)
            if png is None:
                return b""
            with quiet_pillow():
                image = Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB")
        else:
            image = Image.fromarray(load_picture(path).pixels)
    except (PictureError, OSError, SyntaxError, ValueError):
        return b""
    image.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def icon_size() -> QSize:
    return QSize(_SIDE // 2, _SIDE // 2)


def _log(error: Exception) -> None:
    log.info("no small picture of a recent file: %r", error)

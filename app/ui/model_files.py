"""Bringing models in, and what adds to them: used where they lie or copied, while the window stays alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import Cancelled, ModelError
from app.core.kinds import Kind as Contents
from app.core.settings import Folders
from app.jobs.background import Background
from app.library.importing import needs_converting, prepared
from app.library.installing import Destination, destination, install, is_inside
from app.library.models import Model, read_model
from app.ui.models import ModelShelf
from app.ui.notices import Help, Kind, Notice, Progress
from app.ui.words import in_bytes

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    """What was brought, looked into. ``model`` is None for what adds to one."""

    path: Path
    destination: Destination
    model: Model | None


class ModelFiles(QObject):
    """Puts a model on the shelf and into use. ``tell`` and ``withdraw`` put notices up and take them down.

    Converting and copying take minutes, so they have a Background of their own: no picture waits for them.
    """

    installed = Signal(object, object)
    """Something that adds to a model lies in its folder now: the Kind of its contents, and its path."""

    def __init__(
        self,
        shelf: ModelShelf,
        places: Folders,
        tell: Callable[[Notice], None],
        withdraw: Callable[[Notice], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._places = places
        self._tell = tell
        self._withdraw = withdraw
        self._background = Background(self)
        self._stopping = threading.Event()

    @property
    def busy(self) -> bool:
        return self._background.busy

    def add(self, path: Path, *, ask: bool = False) -> None:
        """Use the model at this path, or say what is wrong with it. ``ask``: whether it is to be copied first. What
        adds to a model is always copied to where it is found."""
        places, stopping = self._places, self._stopping
        wait: Notice | None = None
        if needs_converting(path, places):
            wait = Notice(
                title=f"Converting {path.name} to safetensors.",
                text="This may take minutes, once. Nothing in the file is run; you can paint meanwhile.",
                stays=True,
            )
            self._tell(wait)

        def look() -> _Found:
            usable = prepared(path, places, stopping.is_set)
            if usable.suffix.lower() == ".safetensors" and usable.is_file():
                found = destination(usable, places)
                if found.kind is not Contents.MODEL:
                    return _Found(usable, found, None)
            model = read_model(usable)
            return _Found(usable, destination(usable, places), model)

        def done(found: _Found) -> None:
            self._end(wait)
            if found.model is None:
                self._install(found, lambda path: self.installed.emit(found.destination.kind, path))
            elif ask and not is_inside(found.path, places):
                self._ask(found, found.model)
            else:
                self._use(found.model)

        self._run(look, done, path, wait)

    def stop(self) -> None:
        """End what is under way; it leaves nothing half-done behind."""
        self._stopping.set()
        self._background.stop()

    def _use(self, model: Model) -> None:
        self._shelf.use(model)
        self._tell(Notice(title=f"{model.name} is in use now."))

    def _ask(self, found: _Found, model: Model) -> None:
        copy = Help(
            label="Copy into the models folder",
            act=lambda: self._install(found, lambda path: self.add(path)),
        )
        size = in_bytes(found.destination.size)
        self._tell(
            Notice(
                title=f"“{model.name}” is a model that Limner can use.",
                text=f"It has {size}. Used where it lies, it must stay there.",
                choices=(copy, Help(label="Use it where it lies", act=lambda: self._use(model))),
                stays=True,
            )
        )

    def _install(self, found: _Found, then: Callable[[Path], object]) -> None:
        cancelled, stopping = threading.Event(), self._stopping
        progress = Progress(self)
        notice = Notice(
            title=f"Copying {found.path.name}.",
            text="You can paint meanwhile.",
            help=Help(label="Cancel", act=cancelled.set),
            progress=progress,
            stays=True,
        )
        self._tell(notice)

        def copy() -> Path:
            def ended() -> bool:
                return cancelled.is_set() or stopping.is_set()

            return install(found.path, found.destination.folder, progress.tell, ended)

        def done(path: Path) -> None:
            self._end(notice)
            then(path)

        self._run(copy, done, found.path, notice)

    def _run(self, work: Callable[[], T], done: Callable[[T], None], path: Path, wait: Notice | None) -> None:
        def failed(error: Exception) -> None:
            self._end(wait)
            self._failed(error, path)

        self._background.run(work, done, failed)

    def _end(self, wait: Notice | None) -> None:
        if wait is not None:
            self._withdraw(wait)
            if wait.progress is not None:
                wait.progress.deleteLater()

    def _failed(self, error: Exception, path: Path) -> None:
        if isinstance(error, Cancelled):
            return
        if isinstance(error, ModelError):
            self._tell(Notice(kind=Kind.ERROR, title=error.message, text=error.remedy))
            return
        log.error("a model could not be added", exc_info=error)
        self._tell(
            Notice(
                kind=Kind.ERROR,
                title=f"Something went wrong with {path.name}.",
                text="Try another model; the one in use stays.",
                details=repr(error),
            )
        )

"""Bringing models in: files and folders, converted first where they are pickled, while the window stays alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from app.core.errors import Cancelled, ModelError
from app.core.settings import Folders
from app.jobs.background import Background
from app.library.importing import needs_converting, prepared
from app.library.models import Model, read_model
from app.ui.models import ModelShelf
from app.ui.notices import Kind, Notice

log = logging.getLogger(__name__)


class ModelFiles(QObject):
    """Puts a model on the shelf and into use. ``tell`` and ``withdraw`` put notices up and take them down.

    Converting takes minutes, so it has a Background of its own: no picture waits for it.
    """

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

    def add(self, path: Path) -> None:
        """Use the model at this path, or say what is wrong with it."""
        places, stopping = self._places, self._stopping
        wait: Notice | None = None
        if needs_converting(path, places):
            wait = Notice(
                title=f"Converting {path.name} to safetensors.",
                text="This may take minutes, once. Nothing in the file is run; you can paint meanwhile.",
                stays=True,
            )
            self._tell(wait)

        def read() -> Model:
            return read_model(prepared(path, places, stopping.is_set))

        def done(model: Model) -> None:
            self._end(wait)
            self._shelf.use(model)
            self._tell(Notice(title=f"{model.name} is in use now."))

        def failed(error: Exception) -> None:
            self._end(wait)
            self._failed(error, path)

        self._background.run(read, done, failed)

    def stop(self) -> None:
        """End a conversion that is under way; it leaves nothing behind."""
        self._stopping.set()
        self._background.stop()

    def _end(self, wait: Notice | None) -> None:
        if wait is not None:
            self._withdraw(wait)

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

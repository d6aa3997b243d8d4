"""Pictures behind links: asked for first, fetched elsewhere, cancelled at once."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.core.errors import Cancelled, PictureError
from app.library.fetching import MOST_BYTES, Fetch, Fetched, host_of
from app.ui.notices import Help, Kind, Notice, Progress

log = logging.getLogger(__name__)

_MOST_LETTERS = 200


class Links(QObject):
    """Fetches what the person wants fetched. ``tell`` and ``withdraw`` put notices up and take them down, ``take`` is
    given what came."""

    _ended = Signal(object, object)

    def __init__(
        self,
        tell: Callable[[Notice], None],
        withdraw: Callable[[Notice], None],
        take: Callable[[Fetched], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tell = tell
        self._withdraw = withdraw
        self._take = take
        self._running: dict[Fetch, Notice] = {}
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def offer(self, address: str) -> None:
        """Ask whether to go there."""
        try:
            host = host_of(address)
        except PictureError as error:
            self._tell(Notice(title=error.message, text=error.remedy))
            return
        short = address if len(address) <= _MOST_LETTERS else f"{address[:_MOST_LETTERS]}…"
        self._tell(
            Notice(
                title=f"Fetch the picture from {host}?",
                text=f"{short}\nThat host learns your address. No more than {MOST_BYTES // 1_000_000} MB are fetched.",
                choices=(Help(label="Fetch it", act=lambda: self._fetch(address, host)),),
            )
        )

    def stop(self) -> None:
        """End all that is under way, and deliver nothing any more."""
        running, self._running = list(self._running), {}
        for fetch in running:
            fetch.cancel()

    def _fetch(self, address: str, host: str) -> None:
        fetch, progress = Fetch(address), Progress(self)
        notice = Notice(
            title=f"Fetching a picture from {host}.",
            help=Help(label="Cancel", act=fetch.cancel),
            progress=progress,
            stays=True,
        )
        self._running[fetch] = notice
        self._tell(notice)

        def run() -> None:
            try:
                outcome: object = fetch.run(progress.tell)
            except Exception as error:
                outcome = error
            with contextlib.suppress(RuntimeError):  # the window is gone meanwhile
                self._ended.emit(fetch, outcome)

        # No thread that closing would wait for: looking up a name takes as long as it takes, and cannot be ended.
        threading.Thread(target=run, name="fetch", daemon=True).start()

    @Slot(object, object)
    def _on_ended(self, fetch: Fetch, outcome: object) -> None:
        notice = self._running.pop(fetch, None)
        if notice is None:
            return
        self._withdraw(notice)
        if notice.progress is not None:
            notice.progress.deleteLater()
        match outcome:
            case Fetched():
                self._take(outcome)
            case Cancelled():
                pass
            case PictureError():
                self._tell(Notice(kind=Kind.ERROR, title=outcome.message, text=outcome.remedy))
            case _:
                log.error("a picture could not be fetched: %r", outcome)
                self._tell(Notice(kind=Kind.ERROR, title="That picture could not be fetched.", details=repr(outcome)))

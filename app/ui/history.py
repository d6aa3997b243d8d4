"""The history as the window sees it: everything that touches the disk is done elsewhere, one thing after another."""

from __future__ import annotations

import logging
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QImage

from app.core.errors import PictureError
from app.core.job import Job, Result
from app.core.naming import first_words, safe_name
from app.jobs.background import Background
from app.library.history import History, Kept
from app.library.history_index import Entry, Search, Usage
from app.library.metadata import told
from app.library.saving import png_bytes
from app.ui.dragged import DraggedFiles, as_files
from app.ui.notices import Help, Kind, Notice

log = logging.getLogger(__name__)

T = TypeVar("T")
GIGABYTE = 1_000_000_000
USUAL_BUDGET = 10 * GIGABYTE
_MOST_SHOWN = 400
"""Entries with their thumbnails that are held in memory: some screens full."""


class HistoryShelf(QObject):
    """Keeps results and brings them back. The history itself is opened when it is first needed, on its own thread."""

    told = Signal(object)
    """A Notice that the person should see."""
    changed = Signal()
    """Entries have come or gone."""
    starred = Signal(int, bool)
    """An entry, and whether it has a star now."""
    used = Signal(object)
    """The newest Usage."""

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._history: History | None = None
        self._background = Background(self)
        self._refused = ""  # why the history cannot be used, as it was told last
        self._checked = False
        self._numbers: dict[tuple[int, int], int] = {}  # by job and own seed; read and written by the work only
        self._kept: dict[tuple[int, int], int] = {}  # the same, for this thread
        self.dragged = DraggedFiles()
        self.budget = USUAL_BUDGET

    @property
    def busy(self) -> bool:
        return self._background.busy

    def keep_asked(self, job: Job, candidate: Result) -> None:
        """Write a candidate down, but for those that were only to be looked at."""
        if not job.purpose.passing:
            self.keep(job, candidate)

    def keep(self, job: Job, candidate: Result) -> None:
        """Write a candidate down."""

        def work(history: History) -> Entry:
            entry = history.add(candidate)
            self._numbers[job.id, candidate.request.own_seed] = entry.id
            return entry

        def done(entry: Entry) -> None:
            self._kept[job.id, candidate.request.own_seed] = entry.id
            self._added(entry)

        self._run(work, done)

    def star_candidate(self, job_id: int, result: Result, starred: bool) -> None:
        """Star what was kept of a job, or take the star away. It is written by then: work is done in its order.

        One of an earlier session is looked for among the pictures, and kept now where the program ended before that.
        """
        key = job_id, result.request.own_seed

        def work(history: History) -> tuple[int, Entry | None]:
            added = None
            if (id := self._numbers.get(key)) is None and (id := history.number_of(result)) is None:
                added = history.add(result)
                id = added.id
            self._numbers[key] = id
            history.star(id, starred)
            return id, added

        def done(told: tuple[int, Entry | None]) -> None:
            id, added = told
            self._kept[key] = id
            if added is not None:
                self._added(added)
            self.starred.emit(id, starred)

        self._run(work, done)

    def find(self, search: Search, done: Callable[[array[int]], object]) -> None:
        self._run(lambda history: history.find(search), done)

    def look_at(self, ids: Sequence[int], done: Callable[[list[tuple[Entry, QImage]]], object]) -> None:
        """The entries and their thumbnails; a null image where there is none."""

        def work(history: History) -> list[tuple[Entry, QImage]]:
            return [(entry, _image(history.thumbnail(entry.id))) for entry in history.entries(ids)]

        self._run(work, done)

    def fetch(self, id: int, done: Callable[[Kept], object]) -> None:
        """The picture of an entry with all it tells."""
        self._run(lambda history: history.picture(id), done)

    def star(self, id: int, starred: bool) -> None:
        self._run(lambda history: history.star(id, starred), lambda _: self.starred.emit(id, starred))

    def remove(self, id: int) -> None:
        """Take an entry out, and offer to take that back."""

        def done(_: None) -> None:
            self.changed.emit()
            back = Help(label="Bring it back", act=lambda: self._restore(id))
            self.told.emit(Notice(title="The picture was taken out of the history.", help=back))

        self._run(lambda history: history.remove([id]), done)

    def set_budget(self, budget: int) -> None:
        """Keep no more than that many bytes."""
        self.budget = budget
        self.refresh()

    def refresh(self) -> None:
        """Do the housekeeping and tell how much is used."""
        budget = self.budget
        self._run(lambda history: (history.trim(budget), history.usage()), self._trimmed)

    def path(self, id: int) -> Path | None:
        """Where the picture lies; None while the history is not open."""
        return None if self._history is None else self._history.path(id)

    def copy_of(self, id: int, prompt: str) -> Path | None:
        """A file to give away, named after the prompt; None where there is none."""
        path = self.path(id)
        name = safe_name(f"{first_words(prompt)}-{id}".strip("-"))
        return None if path is None else self.dragged.copied(path, f"{name}.png")

    def copy_of_candidate(self, job_id: int, result: Result) -> Path | None:
        """The same of a candidate; written anew where the history does not hold it."""
        request = result.request
        id = self._kept.get((job_id, request.own_seed))
        if id is not None and (copy := self.copy_of(id, request.prompt)) is not None:
            return copy
        name = safe_name(f"{first_words(request.prompt)}-{request.own_seed}".strip("-"))
        return self.dragged.written(png_bytes(result.image, told(result).without_parts()), f"{name}.png")

    def stop(self) -> None:
        """Write what waits to be written, and close."""
        self.dragged.clear()
        self._background.stop()
        if self._history is not None:
            self._history.close()
            self._history = None

    def _restore(self, id: int) -> None:
        self._run(lambda history: history.restore([id]), lambda _: self.changed.emit())

    def _added(self, _: Entry) -> None:
        self._refused = ""
        self.changed.emit()
        self.refresh()

    def _trimmed(self, outcome: tuple[int, Usage]) -> None:
        gone, usage = outcome
        if gone:
            pictures = "The oldest picture was" if gone == 1 else f"The {gone} oldest pictures were"
            title = f"{pictures} deleted to keep the history within {self.budget / GIGABYTE:g} GB."
            self.told.emit(Notice(title=title, text="Starred ones stay. The history's menu sets how much is kept."))
            self.changed.emit()
        self.used.emit(usage)

    def _run(self, work: Callable[[History], T], done: Callable[[T], object]) -> None:
        def arrived(value: T) -> None:
            done(value)
            if not self._checked:  # once, and after what the person waits for
                self._checked = True
                self._run(lambda history: history.check(), lambda _: None)

        self._background.run(lambda: work(self._opened()), arrived, self._failed)

    def _opened(self) -> History:
        """Called where the disk may be touched."""
        if self._history is None:
            self._history = History(self._folder)
        return self._history

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PictureError):
            title, text = error.message, error.remedy
        elif isinstance(error, OSError):
            title = f"The history cannot be used: {error.strerror or error}."
            text = "What you paint is in the window all the same. Look at the disk of the data folder."
        else:
            log.error("the history failed", exc_info=error)
            title, text = "Something went wrong in the history.", "What you paint is in the window all the same."
        if title != self._refused:  # with a full disk each picture would say it again
            self._refused = title
            self.told.emit(Notice(kind=Kind.ERROR, title=title, text=text, details=repr(error)))


class HistoryModel(QAbstractListModel):
    """The entries that fit a search, the newest first; what is seen is loaded when it is seen."""

    def __init__(self, shelf: HistoryShelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._ids = array("q")
        self._search = Search()
        self._known: OrderedDict[int, tuple[Entry, QImage]] = OrderedDict()
        self._wanted: dict[int, None] = {}
        self._gone: set[int] = set()  # asked for and not there any more
        self._asking = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._ask)
        shelf.starred.connect(self._on_starred)

    @property
    def search(self) -> Search:
        return self._search

    def look_for(self, search: Search) -> None:
        """Show what fits; the answer comes when it comes, and only the last one counts."""
        self._search = search

        def show(ids: array[int]) -> None:
            if search == self._search:
                self.beginResetModel()
                self._ids = ids
                self.endResetModel()

        self._shelf.find(search, show)

    def look_again(self) -> None:
        """Entries have come or gone."""
        self._gone.clear()
        self.look_for(self._search)

    def _on_starred(self, id: int, starred: bool) -> None:
        if (known := self._known.get(id)) is not None:
            self._known[id] = (replace(known[0], starred=starred), known[1])
        if self._search.starred:
            self.look_again()
        elif (index := self.row_of(id)).isValid():
            self.dataChanged.emit(index, index)

    def entry(self, index: QModelIndex | QPersistentModelIndex) -> Entry | None:
        """What stands there; None while it is being loaded: ``dataChanged`` says when it is there."""
        if not index.isValid():
            return None
        id = self.id(index)
        known = self._known.get(id)
        if known is None and id not in self._gone:
            self._want(id)
        return known[0] if known is not None else None

    def id(self, index: QModelIndex | QPersistentModelIndex) -> int:
        return self._ids[index.row()]

    def row_of(self, id: int) -> QModelIndex:
        """Where the entry stands; an invalid index when it does not."""
        return self.index(self._ids.index(id)) if id in self._ids else QModelIndex()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._ids):
            return None
        id = self.id(index)
        known = self._known.get(id)
        if known is None:
            if role == Qt.ItemDataRole.DecorationRole and id not in self._gone:
                self._want(id)
            return None
        self._known.move_to_end(id)
        entry, image = known
        match role:
            case Qt.ItemDataRole.DecorationRole:
                return image
            case Qt.ItemDataRole.ToolTipRole:
                return in_words(entry)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{'Starred: ' if entry.starred else ''}{entry.prompt[:200] or 'without a prompt'}"
            case Qt.ItemDataRole.UserRole:
                return entry.starred
        return None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Dragged out, an entry is a copy of its file."""
        entries = [(self.id(index), self._known.get(self.id(index))) for index in indexes]
        return as_files(*(self._shelf.copy_of(id, known[0].prompt if known else "") for id, known in entries))

    def supportedDragActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction

    def _want(self, id: int) -> None:
        self._wanted[id] = None
        if not self._asking and not self._soon.isActive():
            self._soon.start(0)

    def _ask(self) -> None:
        # the newest wishes: after a long scroll nobody waits for what flew past
        ids = list(self._wanted)[-80:]
        self._wanted.clear()
        if ids:
            self._asking = True
            self._shelf.look_at(ids, partial(self._show, ids))

    def _show(self, asked: Iterable[int], found: Iterable[tuple[Entry, QImage]]) -> None:
        self._asking = False
        for entry, image in found:
            self._known[entry.id] = (entry, image)
        self._gone |= set(asked) - set(self._known)
        while len(self._known) > _MOST_SHOWN:
            self._known.popitem(last=False)
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))
        if self._wanted:
            self._soon.start(0)


def in_words(entry: Entry) -> str:
    """What decides the picture, on a few lines."""
    facts = f"{entry.width} × {entry.height} · seed {entry.seed} · {entry.model}"
    prompt = entry.prompt if len(entry.prompt) <= 300 else f"{entry.prompt[:300]}…"
    return f"{prompt}\n{facts}" if prompt else facts


def _image(jpeg: bytes | None) -> QImage:
    image = QImage()
    if jpeg is not None:
        image.loadFromData(jpeg)
    return image

"""What waits to be painted: looked at, put into another order, held back, taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QIcon, QImage, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.job import Job
from app.core.request import ImageToImage, Inpaint, Request, TextToImage
from app.document import images
from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.icons import icon
from app.ui.theme import GRID
from app.ui.words import minutes

_THUMB = 36
_ROWS = 3  # that are seen at once
_TIP = "What waits to be painted, in its order. Drag to change it, or press Alt+Up and Alt+Down."
_VERBS = {TextToImage: "Generate", ImageToImage: "Refine", Inpaint: "Inpaint"}


@dataclass(frozen=True)
class _Line:
    """One row: a job, or all that wait of those that were asked for together."""

    jobs: tuple[Job, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(job.id for job in self.jobs)

    @property
    def text(self) -> str:
        first = self.jobs[0]
        name = first.title or " ".join(first.request.prompt.split()) or "No prompt"
        return f"{name}\n{_facts(first.request, len(self.jobs))}"


class QueuePanel(QWidget):
    """There only while something waits or the queue is paused."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queuePanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._desk = desk
        self._lines: list[_Line] = []
        self._list = self._make_list()
        self._first = _button("queueFirst", "to-top", "Paint this next", "Paint this next (Alt+Home).")
        self._first.clicked.connect(self._put_first)
        self._remove = _button("queueRemove", "close", "Take out", "Take it out of the queue (Delete).")
        self._remove.clicked.connect(self._take_out)
        self._pause = _button("queuePause", "pause", "Pause the queue", "")
        self._pause.setCheckable(True)
        self._pause.clicked.connect(self._toggle_pause)
        self._clear = _button("queueClear", "bin", "Empty the queue", "Take out all that waits.")
        self._clear.clicked.connect(self._take_all_out)
        content = QWidget()
        content.setObjectName("queueContent")
        self._fold = fold_button(content, name="queueButton", text="Queue", label="Queue", tip=_TIP)
        self._fold.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._lay_out(content)
        desk.queue.lined_up.connect(self._refresh)
        desk.queue.changed.connect(self._refresh_title)
        self._refresh()

    def _lay_out(self, content: QWidget) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID // 2)
        for widget, stretch in ((self._fold, 1), (self._pause, 0), (self._clear, 0)):
            head.addWidget(widget, stretch)
        side = QVBoxLayout()
        side.setSpacing(GRID // 2)
        for button in (self._first, self._remove):
            side.addWidget(button)
        side.addStretch(1)
        row = QHBoxLayout(content)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._list, 1)
        row.addLayout(side)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID // 2, 2 * GRID, GRID // 2)
        column.setSpacing(GRID // 2)
        column.addLayout(head)
        column.addWidget(content)

    def _make_list(self) -> _Waiting:
        rows = _Waiting()
        rows.setObjectName("queueList")
        rows.setAccessibleName("Waiting to be painted")
        rows.setAccessibleDescription(_TIP)
        rows.setToolTip(_TIP)
        rows.setIconSize(QSize(_THUMB, _THUMB))
        rows.setFixedHeight(_ROWS * (_THUMB + GRID) + GRID)
        rows.dropped.connect(self._take_over_order)
        rows.currentRowChanged.connect(self._refresh_buttons)
        for keys, act in (
            ("Alt+Up", lambda: self._move(-1)),
            ("Alt+Down", lambda: self._move(1)),
            ("Alt+Home", self._put_first),
            ("Del", self._take_out),
        ):
            shortcut = QShortcut(QKeySequence(keys), rows)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(act)
        return rows

    # What is done

    def _toggle_pause(self) -> None:
        queue = self._desk.queue
        (queue.go_on if queue.paused else queue.pause)()

    def _chosen(self) -> int | None:
        row = self._list.currentRow()
        return row if 0 <= row < len(self._lines) else None

    def _move(self, by: int) -> None:
        if (row := self._chosen()) is not None and 0 <= row + by < len(self._lines):
            lines = list(self._lines)
            lines.insert(row + by, lines.pop(row))
            self._reorder(lines)

    def _put_first(self) -> None:
        if row := self._chosen():  # the first one is there already
            lines = list(self._lines)
            lines.insert(0, lines.pop(row))
            self._reorder(lines)

    def _take_over_order(self) -> None:
        """The rows have been dragged into another order."""
        by_ids = {line.ids: line for line in self._lines}
        items = [self._list.item(row) for row in range(self._list.count())]
        self._reorder([by_ids[ids] for item in items if (ids := item.data(Qt.ItemDataRole.UserRole)) in by_ids])

    def _reorder(self, lines: list[_Line]) -> None:
        shown = {id for line in self._lines for id in line.ids}
        before = [job.id for job in self._desk.queue.waiting if job.id not in shown]  # those whose turn it is
        self._desk.queue.reorder([*before, *(id for line in lines for id in line.ids)])

    def _take_out(self) -> None:
        if (row := self._chosen()) is not None:
            for id in reversed(self._lines[row].ids):
                self._desk.queue.cancel(id)

    def _take_all_out(self) -> None:
        for id in reversed([id for line in self._lines for id in line.ids]):
            self._desk.queue.cancel(id)

    # What is shown

    def _refresh(self) -> None:
        queue = self._desk.queue
        lines = _in_lines([job for job in queue.waiting if self._is_behind(job)])
        if [line.ids for line in lines] != [line.ids for line in self._lines]:
            self._fill(lines)
        self._pause.setChecked(queue.paused)
        self._pause.setIcon(icon("play" if queue.paused else "pause"))
        word = "Go on with the queue" if queue.paused else "Pause the queue"
        rest = "Paint what waits" if queue.paused else "Begin nothing more; what is being painted is finished"
        self._pause.setAccessibleName(word)
        self._pause.setToolTip(f"{rest} (Ctrl+Shift+Space).")
        self.setVisible(bool(lines) or queue.paused)
        self._refresh_title()
        self._refresh_buttons()

    def _is_behind(self, job: Job) -> bool:
        """It has to wait for more than the engine's next breath."""
        return not job.purpose.passing and (self._desk.queue.paused or job is not self._desk.queue.current)

    def _fill(self, lines: list[_Line]) -> None:
        """The choice stays with its job, or where it was when that is gone."""
        row = self._chosen()
        chosen = set() if row is None else set(self._lines[row].ids)
        self._lines = lines
        with QSignalBlocker(self._list):
            self._list.clear()
            for number, line in enumerate(lines, 1):
                item = QListWidgetItem(_thumb(line.jobs[0].request), line.text)
                item.setData(Qt.ItemDataRole.UserRole, line.ids)
                spoken = ", ".join(line.text.split("\n"))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{number} of {len(lines)}: {spoken}")
                item.setToolTip(line.jobs[0].request.prompt or line.text)
                self._list.addItem(item)
                if chosen.intersection(line.ids):
                    self._list.setCurrentItem(item)
            if self._list.currentRow() < 0 and lines:
                self._list.setCurrentRow(min(row or 0, len(lines) - 1))

    def _refresh_buttons(self, *_: object) -> None:
        row = self._chosen()
        self._first.setEnabled(bool(row))
        self._remove.setEnabled(row is not None)
        self._clear.setEnabled(bool(self._lines))

    def _refresh_title(self, *_: object) -> None:
        if self.isHidden():
            return
        many = sum(len(line.jobs) for line in self._lines)
        text = "Paused" if self._desk.queue.paused else "Queue"
        text += f" · {many} waiting" if many else " · nothing waits"
        left = self._desk.queue.all_time_left() if many else None
        if left is not None:
            text += f" · {minutes(left)} for all"
        self._fold.setText(text)
        self._fold.setAccessibleName(text)


class _Waiting(QListWidget):
    """A list whose rows are dragged about."""

    dropped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def dropEvent(self, event: QDropEvent) -> None:
        super().dropEvent(event)
        self.dropped.emit()


def _in_lines(jobs: list[Job]) -> list[_Line]:
    """Those of one group are one line, at the place of the first."""
    lines: dict[int, list[Job]] = {}
    for job in jobs:
        lines.setdefault(-job.group or job.id, []).append(job)
    return [_Line(tuple(each)) for each in lines.values()]


def _facts(request: Request, jobs: int) -> str:
    many = request.count * jobs
    what = _VERBS[type(request.task)] if many == 1 else f"{many} × {_VERBS[type(request.task)]}"
    return f"{what} · {request.size.width} × {request.size.height} · {request.steps} steps"


def _thumb(request: Request) -> QIcon:
    """What it starts from, small; a picture's sign where it starts from nothing."""
    task = request.task
    if isinstance(task, TextToImage):
        return icon("picture")
    step = max(1, min(task.image.shape[:2]) // (2 * _THUMB))  # a large picture is thinned before it is copied
    small: QImage = images.to_qimage(np.ascontiguousarray(task.image[::step, ::step]))
    side, smooth = 2 * _THUMB, Qt.TransformationMode.SmoothTransformation
    made = QPixmap.fromImage(small.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth))
    thumb = QIcon(made)
    thumb.addPixmap(made, QIcon.Mode.Selected)  # or Qt would tint the chosen one
    return thumb


def _button(name: str, sign: str, label: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setIcon(icon(sign))
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setProperty("flat", True)
    return button

"""The strip under the canvas: thumbnails of the candidates, and what can be done with the one that is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QListView, QListWidget, QListWidgetItem, QToolButton, QWidget

from app.core.job import Result
from app.document import images
from app.ui.candidates import Candidate, Candidates
from app.ui.dragged import as_files
from app.ui.icons import icon
from app.ui.theme import GRID

_THUMB = 64


class CandidateStrip(QFrame):
    """There only while candidates wait."""

    def __init__(
        self,
        candidates: Candidates,
        actions: dict[str, QAction],
        copy_of: Callable[[int, Result], Path | None],
        parent: QWidget | None = None,
    ) -> None:
        """``actions``: by id, in the order in which they stand here. ``copy_of``: a file of a candidate, by its job, to
        be given away."""
        super().__init__(parent)
        self.setObjectName("candidateStrip")
        self._candidates = candidates
        self._copy_of = copy_of
        self._thumbs: dict[int, QPixmap] = {}  # by the identity of the result
        self._list = self._make_list()
        self._count = QLabel()
        self._count.setObjectName("candidateCount")
        self._count.setProperty("quiet", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID // 2)
        row.addWidget(self._list, 1)
        row.addWidget(self._count)
        for id, action in actions.items():
            row.addWidget(_button(id, action))
        candidates.changed.connect(self._refresh)
        candidates.shown_changed.connect(self._show_current)
        self._refresh()

    def _make_list(self) -> QListWidget:
        strip = _Strip(self._file)
        strip.setObjectName("candidateList")
        strip.setAccessibleName("Candidates")
        strip.setToolTip(
            "Pictures to choose from; the one that is chosen is shown in its place. Drag one into another program."
        )
        strip.setFlow(QListView.Flow.LeftToRight)
        strip.setWrapping(False)
        strip.setIconSize(QSize(_THUMB, _THUMB))
        strip.setFixedHeight(_THUMB + 2 * GRID)
        strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        strip.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        strip.currentRowChanged.connect(self._candidates.show)
        return strip

    def _file(self, row: int) -> Path | None:
        waiting = self._candidates.waiting
        return self._copy_of(waiting[row].job_id, waiting[row].result) if row < len(waiting) else None

    def _refresh(self) -> None:
        waiting = self._candidates.waiting
        self.setVisible(bool(waiting))
        self._thumbs = {id(each.result): self._thumb(each) for each in waiting}
        with QSignalBlocker(self._list):
            self._list.clear()
            for number, candidate in enumerate(waiting, 1):
                item = QListWidgetItem(self._icon(candidate), "")
                star = ", starred" if candidate.starred else ""
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"Candidate {number} of {len(waiting)}{star}")
                item.setToolTip(f"Candidate {number}, seed {candidate.result.request.seed}{star}")
                self._list.addItem(item)
        self._show_current()

    def _show_current(self) -> None:
        number, many = self._candidates.number, len(self._candidates.waiting)
        with QSignalBlocker(self._list):
            self._list.setCurrentRow(number if many else -1)
        before = "before" if self._candidates.comparing else f"{number + 1} of {many}"
        self._count.setText(before if many else "")

    def _thumb(self, candidate: Candidate) -> QPixmap:
        known = self._thumbs.get(id(candidate.result))
        if known is not None:
            return known
        step = max(1, min(candidate.result.image.shape[:2]) // (2 * _THUMB))
        small = images.to_qimage(np.ascontiguousarray(candidate.result.image[::step, ::step]))
        return QPixmap.fromImage(
            small.scaled(
                2 * _THUMB, 2 * _THUMB, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        )

    def _icon(self, candidate: Candidate) -> QIcon:
        made = QIcon(self._starred(candidate))
        # or Qt would tint the chosen one, and its colours could not be judged
        made.addPixmap(self._starred(candidate), QIcon.Mode.Selected)
        return made

    def _starred(self, candidate: Candidate) -> QPixmap:
        thumb = self._thumbs[id(candidate.result)]
        if not candidate.starred:
            return thumb
        marked = QPixmap(thumb)
        painter = QPainter(marked)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = marked.width() // 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawEllipse(marked.width() - side, 0, side, side)
        inner = side * 2 // 3
        star = icon("star-filled", QPalette.ColorRole.Text).pixmap(QSize(inner, inner))
        painter.drawPixmap(marked.width() - side + (side - inner) // 2, (side - inner) // 2, star)
        painter.end()
        return marked


class _Strip(QListWidget):
    """Rows that can be dragged out as files. Nothing is dropped here."""

    def __init__(self, file_of: Callable[[int], Path | None]) -> None:
        super().__init__()
        self._file_of = file_of
        self._dragged: QMimeData | None = None  # or Python would delete it while Qt drags it
        self.setDragDropMode(QListView.DragDropMode.DragOnly)

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        self._dragged = as_files(*(self._file_of(self.row(item)) for item in items))
        return self._dragged

    def startDrag(self, _: Qt.DropAction) -> None:
        super().startDrag(Qt.DropAction.CopyAction)


def _button(id: str, action: QAction) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"{id}Button")
    button.setDefaultAction(action)
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setIconSize(QSize(18, 18))
    if action.icon().isNull():
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    return button

"""What was painted before: looked for, looked at, starred, and taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QImage, QKeyEvent, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from app.core.job import Mode
from app.library.history_index import Entry, Search, Usage
from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.history import GIGABYTE, HistoryModel, in_words
from app.ui.icons import icon
from app.ui.slider import calm_wheel
from app.ui.theme import GRID
from app.ui.words import in_bytes

_CELL = 92
_ROWS, _COLUMNS = 3, 3
_TYPING_MS = 150
_DAY = 86_400.0
_TIMES = (("Any time", None), ("Last day", _DAY), ("Last week", 7 * _DAY), ("Last month", 30 * _DAY))
_BUDGETS = (1, 2, 5, 10, 20, 50, 100)
"""Gigabytes."""


@dataclass(frozen=True)
class _Tick:
    """Settings that are taken over together, by the names of their parameters."""

    label: str
    names: tuple[str, ...]


_TICKS = (
    _Tick("Prompts", ("prompt", "negative")),
    _Tick("Model", ("model",)),
    _Tick("Seed", ("seed", "seed_locked")),
    _Tick("Size", ("size",)),
    _Tick("Sampler and steps", ("sampler", "steps", "beginnings", "stop_at")),
    _Tick("Guidance", ("guidance", "guidance_interval")),
    _Tick("LoRA, embeddings, VAE", ("loras", "embeddings", "vae", "clip_skip")),
    _Tick("Strength", ("strength", "inpaint_strength", "intent")),
)


class HistoryPanel(QWidget):
    """Folded away until it is wanted; the disk is asked for nothing before."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("historyPanel")
        self._desk = desk
        self._content = HistoryContent(desk)
        tip = "Every picture you painted, with its settings, source and mask."
        fold = fold_button(self._content, name="historyButton", text="History", label="History", tip=tip)
        fold.toggled.connect(self._content.wake)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._content)


class HistoryContent(QWidget):
    """A search, what it finds, and what can be done with the one that is chosen."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("historyContent")
        self._desk = desk
        self._awake = False
        self._model = HistoryModel(desk.history, self)
        self._words = self._make_words()
        self._starred = _button("historyStarred", "star", "Starred only", "Show starred pictures only.", checkable=True)
        self._starred.toggled.connect(self._look)
        self._time = self._make_time()
        self._view = self._make_view()
        self._empty = _quiet("historyEmpty")
        self._about = _quiet("historyAbout")
        self._ticks = {tick: QCheckBox(tick.label) for tick in _TICKS}
        self._use = self._make_use()
        self._show = self._make_show()
        self._over = self._make_over()
        self._star = _button("historyStar", "star", "Star", "Star: housekeeping never deletes it (S).")
        self._star.clicked.connect(self._toggle_star)
        self._remove = _button("historyRemove", "bin", "Take out", "Take the picture out of the history (Delete).")
        self._remove.clicked.connect(self._take_out)
        self._usage = _quiet("historyUsage")
        self._usage.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._lay_out()
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.timeout.connect(self._look)
        self._words.textChanged.connect(lambda: self._typing.start(_TYPING_MS))
        desk.history.changed.connect(self._look_again)
        desk.history.used.connect(self._show_usage)
        self._model.modelReset.connect(self._on_found)
        self._model.dataChanged.connect(self._refresh)
        self._view.selectionModel().currentChanged.connect(self._refresh)
        self._refresh()

    def wake(self, unfolded: bool) -> None:
        """The panel is seen for the first time, or again."""
        if unfolded and not self._awake:
            self._awake = True
            self._look()
            self._desk.history.refresh()

    # Making

    def _make_words(self) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName("historyWords")
        field.setAccessibleName("Search the history")
        field.setToolTip("Words from prompts or model names; beginnings are enough, and all must be there.")
        field.setPlaceholderText("Search prompts and models")
        field.setClearButtonEnabled(True)
        if (cross := field.findChild(QToolButton)) is not None:
            cross.setObjectName("historyClearWords")
            cross.setAccessibleName("Clear the search")
            cross.setToolTip("Show everything again.")
        return field

    def _make_time(self) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName("historyTime")
        combo.setAccessibleName("Painted when")
        combo.setToolTip("Show only pictures that were painted within this time.")
        for label, seconds in _TIMES:
            combo.addItem(label, seconds)
        calm_wheel(combo)
        combo.currentIndexChanged.connect(self._look)
        return combo

    def _make_view(self) -> _Grid:
        view = _Grid()
        view.setModel(self._model)
        view.setItemDelegate(_Thumbnail(view))
        view.activated.connect(lambda _: self._wish_show())
        view.star_asked.connect(self._toggle_star)
        view.remove_asked.connect(self._take_out)
        return view

    def _make_use(self) -> QToolButton:
        use = QToolButton()
        use.setObjectName("historyUse")
        use.setText("Use settings")
        use.setAccessibleName("Use settings")
        use.setToolTip("Take over how it was made; the arrow chooses which of the settings.")
        use.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        use.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        menu = QMenu(use)
        for tick, box in self._ticks.items():
            box.setChecked(True)
            box.setObjectName(f"historyTick{tick.names[0].capitalize()}")
            box.setAccessibleName(f"Take over: {tick.label}")
            box.setToolTip(f"Take over: {tick.label.lower()}.")
            box.setContentsMargins(GRID, 0, GRID, 0)
            row = QWidgetAction(menu)  # a plain action would close the menu at every tick
            row.setDefaultWidget(box)
            menu.addAction(row)
        use.setMenu(menu)
        use.clicked.connect(self._wish_settings)
        return use

    def _make_show(self) -> QPushButton:
        show = QPushButton("Show")
        show.setObjectName("historyShow")
        show.setAccessibleName("Show this picture")
        show.setToolTip("Open the picture in place of the one that is there; undo takes that back (Enter).")
        show.clicked.connect(self._wish_show)
        return show

    def _make_over(self) -> QPushButton:
        over = QPushButton("Source")
        over.setObjectName("historySource")
        over.setAccessibleName("Bring back source and mask")
        over.setToolTip("Bring back what it was painted from, with the mask and all settings.")
        over.clicked.connect(lambda: self._with_current(lambda entry: self._desk.wishes.start_over.emit(entry.id)))
        return over

    def _make_more(self) -> QToolButton:
        more = _button("historyMore", "chevron-down", "History settings", "How much is kept.")
        menu = QMenu(more)
        menu.setToolTipsVisible(True)
        menu.addSection("Keep at most")
        for gigabytes in _BUDGETS:
            action = QAction(f"{gigabytes} GB", menu)
            action.setCheckable(True)
            action.setToolTip("Beyond that, the oldest pictures without a star are deleted.")
            action.triggered.connect(lambda _=False, size=gigabytes: self._desk.history.set_budget(size * GIGABYTE))
            menu.addAction(action)
        menu.aboutToShow.connect(lambda: self._tick_budget(menu))
        more.setMenu(menu)
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return more

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(_row(self._words, self._starred))
        column.addWidget(self._time)
        column.addWidget(self._empty)
        column.addWidget(self._view)
        column.addWidget(self._about)
        column.addLayout(_row(self._use, self._show, self._over, None))
        column.addLayout(_row(self._usage, self._star, self._remove, self._make_more()))

    # Looking for

    def _look(self, *_: object) -> None:
        self._starred.setIcon(icon("star-filled" if self._starred.isChecked() else "star"))
        if not self._awake:
            return
        seconds = self._time.currentData()
        since = None if seconds is None else time.time() - seconds
        self._model.look_for(Search(words=self._words.text(), starred=self._starred.isChecked(), since=since))

    def _look_again(self) -> None:
        if self._awake:
            self._model.look_again()

    def _on_found(self) -> None:
        found = self._model.rowCount() > 0
        self._view.setVisible(found)
        self._empty.setVisible(not found)
        looking = self._words.text().strip() or self._starred.isChecked() or self._time.currentData() is not None
        self._empty.setText("Nothing like that was found." if looking else "What you paint from now on is kept here.")
        self._view.show_rows(-(-self._model.rowCount() // _COLUMNS))
        if found:
            self._view.setCurrentIndex(self._model.index(0))
        self._refresh()

    # What is chosen

    def _current(self) -> Entry | None:
        return self._model.entry(self._view.currentIndex())

    def _refresh(self, *_: object) -> None:
        entry = self._current()
        for button in (self._use, self._show, self._star, self._remove):
            button.setEnabled(entry is not None)
        self._over.setVisible(entry is not None and entry.mode != Mode.TEXT_TO_IMAGE.value)
        starred = entry is not None and entry.starred
        self._star.setIcon(icon("star-filled" if starred else "star"))
        self._star.setAccessibleName("Take the star away" if starred else "Star")
        self._about.setVisible(entry is not None)
        if entry is not None:
            words = in_words(entry)
            self._about.setText(words if len(words) <= 180 else f"{words[:110]}…\n{words.rsplit(chr(10), 1)[-1]}")

    def _wish_show(self) -> None:
        self._with_current(lambda entry: self._desk.wishes.show_entry.emit(entry.id))

    def _wish_settings(self) -> None:
        ticked = [tick for tick, box in self._ticks.items() if box.isChecked()]
        names = None if len(ticked) == len(_TICKS) else frozenset(name for tick in ticked for name in tick.names)
        self._with_current(lambda entry: self._desk.wishes.use_settings.emit(entry.id, names))

    def _toggle_star(self) -> None:
        self._with_current(lambda entry: self._desk.history.star(entry.id, not entry.starred))

    def _take_out(self) -> None:
        self._with_current(lambda entry: self._desk.history.remove(entry.id))

    def _with_current(self, act: Callable[[Entry], object]) -> None:
        if (entry := self._current()) is not None:
            act(entry)

    # How much there is

    def _show_usage(self, usage: Usage) -> None:
        pictures = "1 picture" if usage.count == 1 else f"{usage.count:,} pictures"
        self._usage.setText(f"{pictures} · {in_bytes(usage.bytes)} of {self._desk.history.budget / GIGABYTE:g} GB")

    def _tick_budget(self, menu: QMenu) -> None:
        for action in menu.actions():
            action.setChecked(action.text() == f"{self._desk.history.budget / GIGABYTE:g} GB")


class _Grid(QListView):
    """Thumbnails in rows; S stars the one that is chosen, Delete takes it out."""

    star_asked = Signal()
    remove_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("historyView")
        self.setAccessibleName("Pictures of the history")
        self.setToolTip("Pictures that were painted, newest first. Enter shows one, S stars, Delete takes it out.")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)  # tens of thousands at once would hold the window up
        self.setBatchSize(500)
        self.setGridSize(QSize(_CELL, _CELL))
        self.setDragEnabled(True)
        self.show_rows(1)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)

    def show_rows(self, count: int) -> None:
        """Take the room of that many rows, as far as it goes."""
        self.setFixedHeight(min(max(count, 1), _ROWS) * _CELL + 4)

    def event(self, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if override and event.key() == Qt.Key.Key_S and not event.modifiers():  # type: ignore[attr-defined]
            event.accept()  # this one's star, not the candidates'
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_S and not event.modifiers():
            self.star_asked.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not event.isAutoRepeat():
            self.remove_asked.emit()
        else:
            super().keyPressEvent(event)


class _Thumbnail(QStyledItemDelegate):
    """A picture in its own aspect, its star, and a frame around the one that is chosen."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(_CELL, _CELL)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        cell = option.rect.adjusted(3, 3, -3, -3)
        image = index.data(Qt.ItemDataRole.DecorationRole)
        place = cell.adjusted(2, 2, -2, -2)
        palette: QPalette = option.palette
        painter.save()
        if isinstance(image, QImage) and not image.isNull():
            place = _inside(place, image.size())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, QPixmap.fromImage(image))
        else:
            painter.fillRect(place, palette.color(QPalette.ColorRole.Button))
        if index.data(Qt.ItemDataRole.UserRole):
            corner = QRect(place.right() - 20, place.top() + 1, 20, 20)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Base))  # readable on a picture of any colour
            painter.drawEllipse(corner)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            icon("star-filled", QPalette.ColorRole.Text).paint(painter, corner.adjusted(3, 3, -3, -3))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(place.adjusted(-1, -1, 0, 0))
        painter.restore()


def _inside(box: QRect, size: QSize) -> QRect:
    """The largest place in the box that keeps the aspect, in its middle."""
    scaled = size.scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(box.topLeft(), scaled)
    place.moveCenter(box.center())
    return place


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets beside each other; None is the place that stretches."""
    row = QHBoxLayout()
    row.setSpacing(GRID // 2)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row


def _button(name: str, picture: str, label: str, tip: str, *, checkable: bool = False) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setIcon(icon(picture))
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _quiet(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setProperty("quiet", True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label

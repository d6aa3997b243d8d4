"""What the person should know, on cards in the corner of the canvas: never a dialog in the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.icons import icon
from app.ui.theme import GRID

_WIDTH = 380
_MOST_SHOWN = 3
_MOST_LETTERS = 400
_MOST_WORD = 36


class Kind(Enum):
    ERROR = "error"
    INFO = "info"


@dataclass(frozen=True, kw_only=True)
class Help:
    """The one button that helps."""

    label: str
    act: Callable[[], object]


class Progress(QObject):
    """How far something has come, 0..1. ``tell`` may be called from any thread."""

    changed = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told = 0.0

    def tell(self, fraction: float) -> None:
        if abs(fraction - self._told) >= 0.01 or fraction >= 1.0:  # or the window would be busy with nothing else
            self._told = fraction
            self.changed.emit(fraction)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """``title``: what happened. ``text``: what was kept and what to do. ``details``: for a report, folded away.

    ``choices``: in place of the one button, a few that the person chooses from; each takes the card away.
    ``stays``: only the person or whoever put it up takes it away, because something would be lost with it.
    ``progress``: of something that takes its time, as a bar.
    """

    title: str
    text: str = ""
    kind: Kind = Kind.INFO
    help: Help | None = None
    details: str = ""
    stays: bool = False
    choices: tuple[Help, ...] = ()
    progress: Progress | None = None


class Notices(QWidget):
    """Stacks the newest cards in the upper right corner of its parent. Quiet ones go when something new begins."""

    put_up = Signal(object)
    """A Notice that is shown from now on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setObjectName("notices")
        self._cards: list[NoticeCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        parent.installEventFilter(self)
        self.hide()

    @property
    def shown(self) -> tuple[Notice, ...]:
        """The newest first."""
        return tuple(card.notice for card in self._cards)

    def show_notice(self, notice: Notice) -> None:
        """Put up a card; one with the same title makes room for it."""
        self.put_up.emit(notice)
        for card in [card for card in self._cards if _same(card.notice, notice)]:
            self._remove(card)
        card = NoticeCard(notice)
        card.closed.connect(lambda: self._remove(card))
        card.resized.connect(self._place)
        self._cards.insert(0, card)
        self._column.insertWidget(0, card)
        for old in [card for card in self._cards if not card.notice.stays][_MOST_SHOWN:]:
            self._remove(old)
        self._place()

    def withdraw(self, notice: Notice) -> None:
        """Take down this very notice, if it still hangs there."""
        for card in [card for card in self._cards if card.notice is notice]:
            self._remove(card)

    def close_newest(self) -> bool:
        """Take away the uppermost card; False when there is none."""
        if not self._cards:
            return False
        self._remove(self._cards[0])
        return True

    def clear_quiet(self) -> None:
        """Something new begins: what was only worth knowing goes, errors stay until they are closed."""
        for card in [card for card in self._cards if card.notice.kind is Kind.INFO and not card.notice.stays]:
            self._remove(card)

    def clear(self) -> None:
        """All of them, except those that stay."""
        for card in [card for card in self._cards if not card.notice.stays]:
            self._remove(card)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host:
            self._place()
        return super().eventFilter(watched, event)

    def _remove(self, card: NoticeCard) -> None:
        if card in self._cards:
            self._cards.remove(card)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._place()

    def _place(self) -> None:
        self.setVisible(bool(self._cards))
        if not self._cards:
            return
        host = self._host
        width = min(_WIDTH, host.width() - 2 * GRID)
        heights = []
        for card in self._cards:
            card.setFixedWidth(width)
            heights.append(card.heightForWidth(width))
            card.setFixedHeight(heights[-1])
        height = sum(heights) + GRID * (len(heights) - 1)
        self.setGeometry(host.width() - width - 2 * GRID, 2 * GRID, width, height)
        self.raise_()


class NoticeCard(QFrame):
    """One notice with its close button, its helping button and its folded details."""

    closed = Signal()
    resized = Signal()

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        self.setObjectName("noticeCard")
        self.setProperty("kind", notice.kind.value)
        self.setAccessibleName(notice.title)
        self.setAccessibleDescription(notice.text)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID + 4, GRID + 4, GRID + 4)
        column.setSpacing(GRID)
        column.addLayout(self._make_head())
        if notice.text:
            column.addWidget(_text_label(notice.text, "noticeText"))
        if notice.progress is not None:
            column.addWidget(self._make_bar(notice.progress))
        if notice.help is not None or notice.details or notice.choices:
            column.addLayout(self._make_foot())
        if notice.details:
            column.addWidget(self._details)

    def _make_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        sign = QLabel()
        error = self.notice.kind is Kind.ERROR
        role = QPalette.ColorRole.BrightText if error else QPalette.ColorRole.WindowText
        picture = icon("error" if error else "info", role)
        sign.setPixmap(picture.pixmap(QSize(18, 18), self.devicePixelRatioF()))
        title = _text_label(self.notice.title, "noticeTitle")
        title.setProperty("heading", True)
        for label in (sign, title):
            label.setContentsMargins(0, GRID // 2, 0, 0)  # on one line with the cross
        close = QToolButton()
        close.setObjectName("noticeClose")
        close.setIcon(icon("close"))
        close.setIconSize(QSize(16, 16))
        close.setProperty("flat", True)
        close.setAccessibleName("Close this notice")
        close.setToolTip("Close (Esc)")
        close.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        close.clicked.connect(self.closed)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(title, 1, Qt.AlignmentFlag.AlignTop)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _make_bar(self, progress: Progress) -> QProgressBar:
        self._bar = QProgressBar()
        self._bar.setObjectName("noticeProgress")
        self._bar.setAccessibleName(f"Progress: {self.notice.title}")
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        progress.changed.connect(self._show_progress)
        return self._bar

    def _show_progress(self, fraction: float) -> None:
        self._bar.setValue(round(1000 * fraction))
        self._bar.setToolTip(f"{fraction:.0%}")

    def _make_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        if (help := self.notice.help) is not None:
            row.addWidget(self._make_button(help.label, "noticeHelp", help.label, lambda: self._act(help)))
        for number, choice in enumerate(self.notice.choices):
            act = partial(self._act, choice)
            row.addWidget(self._make_button(choice.label, f"noticeChoice{number}", choice.label, act))
        row.addStretch(1)
        if self.notice.details:
            self._details = self._make_details()
            copy = self._make_button("Copy", "noticeCopy", "Copy the details", self._copy)
            fold = self._make_button("Details", "noticeDetailsFold", "Show or hide the details", self._fold)
            row.addWidget(copy)
            row.addWidget(fold)
        return row

    def _make_button(self, label: str, name: str, tip: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(label)
        button.setObjectName(name)
        button.setAccessibleName(label)
        button.setToolTip(tip)
        button.clicked.connect(lambda: act())
        return button

    def _make_details(self) -> QPlainTextEdit:
        details = QPlainTextEdit(self.notice.details)
        details.setObjectName("noticeDetails")
        details.setAccessibleName("Details")
        details.setToolTip("What the program itself said, for a report.")
        details.setReadOnly(True)
        details.setTabChangesFocus(True)
        details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        details.setFixedHeight(160)
        details.hide()
        return details

    def _fold(self) -> None:
        self._details.setVisible(self._details.isHidden())
        self.resized.emit()

    def _copy(self) -> None:
        notice = self.notice
        QGuiApplication.clipboard().setText(f"{notice.title}\n{notice.text}\n\n{notice.details}")

    def _act(self, help: Help) -> None:
        self.closed.emit()
        help.act()


def _text_label(text: str, name: str) -> QLabel:
    """A wrapped text; what is too long for the card ends in an ellipsis and is whole in the tooltip."""
    shown = _fitting(text)
    label = QLabel(shown)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)  # a file name may hold tags
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if shown != text:
        label.setToolTip(text)
    return label


def _fitting(text: str) -> str:
    """Not too much of it, with long words made to fit: paths may break at their folders, others lose their middle."""
    cut = text[:_MOST_LETTERS] + ("…" if len(text) > _MOST_LETTERS else "")
    return " ".join(map(_fitting_word, cut.split(" ")))


def _fitting_word(word: str) -> str:
    if len(word) <= _MOST_WORD:
        return word
    parts = re.split(r"(?<=[/\\])", word)
    if len(parts) > 1:
        return "\u200b".join(_fitting_word(part) for part in parts)
    half = _MOST_WORD // 2
    return f"{word[:half]}…{word[-half:]}"


def _same(one: Notice, other: Notice) -> bool:
    return one.title == other.title

"""What to paint, in words."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.core.prompt import PromptPlan
from app.ui.desk import Desk
from app.ui.params import bind
from app.ui.theme import GRID

_WORD = re.compile(r"[^\W\d_]+")
_CHIPS = 4
_MOST_SHOWN = 240
"""Characters of one window in the tooltip."""
_SMALL_WORDS = frozenset(
    ("a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "into", "is", "it", "its", "of", "on", "or",
     "some", "the", "their", "there", "this", "to", "very", "with", "without")
)  # fmt: skip
"""Words that carry no picture: nobody needs to hear that they are not known."""
_FIELDS = (
    ("promptEdit", "prompt", "Prompt", "What should be painted?", 4,
     "Describe the picture, the most important words first. (word:1.3) weighs more, [word] less. Ctrl+Enter paints."),
    ("negativePromptEdit", "negative", "Negative prompt", "What should not be there?", 2,
     "What the picture is led away from."),
)  # fmt: skip


def unknown_words(prompt: str, vocabulary: Collection[str]) -> list[str]:
    """The words of the prompt that a small model has never seen, each once, in order."""
    known = {part for word in vocabulary for part in _WORD.findall(word.casefold())}
    words = dict.fromkeys(_WORD.findall(prompt.casefold()))
    return [word for word in words if word not in known and word not in _SMALL_WORDS] if known else []


def windows_told(plan: PromptPlan) -> str:
    """How the model reads a prompt, a paragraph for each window; weighted words say so."""
    paragraphs = []
    for number, window in enumerate(plan.windows):
        words = [word if weight == 1 else f"{word} ×{weight:.3g}" for word, weight in plan.words(number)]
        text = " ".join(words)
        shown = text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN // 2]} … {text[-_MOST_SHOWN // 2 :]}"
        place = f"Window {number + 1} of {len(plan.windows)}, " if len(plan.windows) > 1 else ""
        paragraphs.append(f"{place}{len(window)} of {plan.room} tokens: {shown}")
    return "\n".join(paragraphs)


class PromptPanel(QWidget):
    """The prompt, the negative prompt, and a quiet word on what the small model does not know."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("promptPanel")
        self._desk = desk
        self._counts: dict[str, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        edits = [self._add_field(column, *row) for row in _FIELDS]
        self._unknown = _quiet_label("unknownWords")
        self._chips = QWidget()
        self._chips.setObjectName("exampleChips")
        column.insertWidget(2, self._unknown)
        column.insertWidget(3, self._chips)
        self._chip_column = QVBoxLayout(self._chips)
        self._chip_column.setContentsMargins(0, 0, 0, 0)
        self._chip_column.setSpacing(GRID // 2)
        self._prompt = edits[0]
        self.setFocusProxy(self._prompt)
        desk.store.changed.connect(self._refresh)
        desk.shelf.changed.connect(self._fill_chips)
        desk.additions.changed.connect(self._refresh)
        desk.document.reset.connect(self._refresh)
        desk.document.changed.connect(self._refresh)
        self._fill_chips()

    def _add_field(
        self, column: QVBoxLayout, name: str, param: str, label: str, placeholder: str, lines: int, tip: str
    ) -> QPlainTextEdit:
        heading = QLabel(label)
        edit = TextField(lines)
        edit.setObjectName(name)
        edit.setAccessibleName(label)
        edit.setAccessibleDescription(tip)
        edit.setPlaceholderText(placeholder)
        edit.setToolTip(tip)
        heading.setBuddy(edit)
        if column.count():
            column.addSpacing(GRID // 2)
        count = _count_label(f"{param}Count", label)
        self._counts[param] = count
        line = QHBoxLayout()
        line.addWidget(heading)
        line.addStretch(1)
        line.addWidget(count)
        column.addLayout(line)
        column.addWidget(edit)
        bind(self._desk.store, param, edit)
        return edit

    def _fill_chips(self) -> None:
        while (item := self._chip_column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        model = self._desk.shelf.current
        for number, prompt in enumerate(model.example_prompts[:_CHIPS] if model else ()):
            chip = _Chip(prompt, number)
            chip.taken.connect(self._take)
            self._chip_column.addWidget(chip)
        self._refresh()

    def _take(self, prompt: str) -> None:
        self._desk.store.update(prompt=prompt)
        self._prompt.setFocus()

    def _refresh(self, *_: object) -> None:
        model, prompt = self._desk.shelf.current, self._desk.store.params.prompt
        words = unknown_words(prompt, model.vocabulary) if model else []
        self._unknown.setText(f"The small model does not know: {', '.join(words)}")
        self._unknown.setVisible(bool(words))
        for param, count in self._counts.items():
            self._show_count(count, getattr(self._desk.store.params, param))
        # The empty canvas shows the examples as cards already.
        wanted = not prompt and bool(model and model.vocabulary) and self._desk.document.has_picture
        self._chips.setVisible(wanted and self._chip_column.count() > 0)

    def _show_count(self, count: QLabel, prompt: str) -> None:
        plan = self._desk.shelf.read_prompt(prompt, self._desk.additions.tokens()) if prompt else None
        count.setVisible(plan is not None)
        if plan is not None:
            count.setText(f"{plan.count}/{plan.room * len(plan.windows)}")
            told = windows_told(plan)
            # marked as rich text, because a prompt may look like some; and rich text is broken into lines
            count.setToolTip("".join(f"<p>{escape(line)}</p>" for line in told.splitlines()))
            count.setAccessibleDescription(told)


class TextField(QPlainTextEdit):
    """A text of some lines: Tab leaves it, Ctrl+Enter is left to the window, and pictures dropped on it as well."""

    def __init__(self, lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        line = self.fontMetrics().lineSpacing()
        self.setMinimumHeight(line * lines + 22)
        self.setMaximumHeight(line * (lines * 2) + 22)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        pasting = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if pasting and event.matches(QKeySequence.StandardKey.Paste) and not self.canPaste():  # type: ignore[attr-defined]
            event.ignore()  # a picture in the clipboard is left to the window
            return True
        return super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not source.hasUrls() and not source.hasImage() and super().canInsertFromMimeData(source)


class _Chip(QPushButton):
    """One example; the part that fits is shown, the whole is in the tooltip."""

    taken = Signal(str)

    def __init__(self, prompt: str, number: int) -> None:
        super().__init__()
        self.setObjectName(f"exampleChip{number}")
        self.setProperty("chip", True)
        self.setAccessibleName(f"Use the example: {prompt}")
        self.setToolTip(f"Use this prompt: {prompt}")
        self.setText(self.fontMetrics().elidedText(prompt, Qt.TextElideMode.ElideRight, 260))
        self.clicked.connect(lambda: self.taken.emit(prompt))


def _count_label(name: str, of: str) -> QLabel:
    """Tokens used, of those that the windows have."""
    count = QLabel()
    count.setObjectName(name)
    count.setProperty("quiet", True)
    count.setAccessibleName(f"{of}: tokens")
    count.hide()
    return count


def _quiet_label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setProperty("quiet", True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.hide()
    return label

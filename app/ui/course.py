"""What is said above the button where a picture is not painted from its first step to its last with the same words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.core.params import Params
from app.ui.desk import Desk
from app.ui.icons import icon
from app.ui.theme import GRID

_MOST_LETTERS = 60


class CourseNote(QWidget):
    """Hidden while nothing is to be said. The cross makes it so."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("courseNote")
        self._desk = desk
        self._text = QLabel()
        self._text.setObjectName("courseText")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        cross = QToolButton()
        cross.setObjectName("courseClear")
        cross.setIcon(icon("close"))
        cross.setAccessibleName("Paint all steps as they are set here")
        cross.setToolTip("Paint all steps, from the first to the last, as they are set here.")
        cross.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        cross.clicked.connect(lambda: desk.store.update(stop_at=0, beginnings=()))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._text, 1)
        row.addWidget(cross, 0, Qt.AlignmentFlag.AlignTop)
        desk.store.changed.connect(lambda params, _: self._show(params))
        self._show(desk.store.params)

    def _show(self, params: Params) -> None:
        text = in_words(params)
        self._text.setText(text)
        self.setVisible(bool(text))


def in_words(params: Params) -> str:
    """A sentence for each thing that is otherwise than usual."""
    lines = []
    for beginning in params.beginnings:
        what = "other settings"
        if beginning.prompt != params.prompt:
            prompt = " ".join(beginning.prompt.split())
            short = prompt if len(prompt) <= _MOST_LETTERS else f"{prompt[:_MOST_LETTERS].rstrip()}…"
            what = f"“{short}”" if short else "no prompt"
        lines.append(f"Up to step {beginning.until}: {what}.")
    if params.stop_at:
        lines.append(f"Shown as it is at step {params.stop_at}.")
    return "\n".join(lines)

"""A row of joined buttons of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget


class Segments(QWidget):
    """Shows one choice out of a few. ``chosen`` is emitted for the person's own clicks and keys only."""

    chosen = Signal(object)

    def __init__(self, choices: Sequence[tuple[Any, str, str]], parent: QWidget | None = None) -> None:
        """``choices``: value, label and tooltip of each."""
        super().__init__(parent)
        self.setObjectName("segments")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._group = QButtonGroup(self)
        self._buttons: dict[Any, QPushButton] = {}
        self._tips = {value: tip for value, _, tip in choices}
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for value, label, tip in choices:
            row.addWidget(self._make_button(value, label, tip), 1)

    def choose(self, value: Any) -> None:
        """Show a choice."""
        self._buttons[value].setChecked(True)

    def allow(self, value: Any, why_not: str) -> None:
        """Let a choice be made, or say why it cannot be."""
        button = self._buttons[value]
        button.setEnabled(not why_not)
        button.setToolTip(why_not or self._tips[value])
        button.setAccessibleDescription(why_not or self._tips[value])

    def _make_button(self, value: Any, label: str, tip: str) -> QPushButton:
        button = QPushButton(label)
        button.setObjectName(f"segment{label}")
        button.setAccessibleName(label if label.isalpha() else tip)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.chosen.emit(value))
        self._group.addButton(button)
        self._buttons[value] = button
        return button

"""A field for the seed: whole numbers as large as seeds get, which Qt's own number field cannot hold."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

from app.core.request import MOST_SEED


class SeedSpin(QAbstractSpinBox):
    """A whole number from 0 to MOST_SEED, typed or stepped through."""

    value_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.lineEdit().setText("0")
        self.lineEdit().textEdited.connect(self._typed)
        self.editingFinished.connect(self._show)

    def value(self) -> int:
        return self._value

    def setValue(self, value: int) -> None:
        value = min(max(value, 0), MOST_SEED)
        changed = value != self._value
        self._value = value
        self._show()
        if changed:
            self.value_changed.emit(value)

    def stepBy(self, steps: int) -> None:
        self.setValue(self._value + steps)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flag = QAbstractSpinBox.StepEnabledFlag
        enabled = flag.StepNone
        if self._value > 0:
            enabled |= flag.StepDownEnabled
        if self._value < MOST_SEED:
            enabled |= flag.StepUpEnabled
        return enabled

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        state = QValidator.State.Acceptable if _is_seed(text) else QValidator.State.Invalid
        return (state if text else QValidator.State.Intermediate), text, position

    def _typed(self, text: str) -> None:
        if _is_seed(text) and int(text) != self._value:
            self._value = int(text)
            self.value_changed.emit(self._value)

    def _show(self) -> None:
        if self.lineEdit().text() != str(self._value):
            self.lineEdit().setText(str(self._value))


def _is_seed(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MOST_SEED

"""A number field whose lowest step says that the number is planned, and not chosen."""

from __future__ import annotations

from PySide6.QtWidgets import QSpinBox, QWidget


class PlannedSpin(QSpinBox):
    """Pixels from 0 to ``most``, or below that “Auto”."""

    def __init__(self, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(-1, most)
        self.setSpecialValueText("Auto")
        self.setSuffix(" px")
        self.show_width(None)

    def width_or_none(self) -> int | None:
        return None if self.value() < 0 else self.value()

    def show_width(self, width: int | None) -> None:
        self.setValue(-1 if width is None else width)

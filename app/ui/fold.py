"""A line that opens and closes what is below it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from app.ui.icons import icon


def fold_button(content: QWidget, *, name: str, text: str, label: str, tip: str) -> QToolButton:
    """The line for ``content``, which is folded away at first. ``label`` is the line's name for screen readers."""
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setAccessibleName(label)
    button.setToolTip(tip)
    button.setProperty("flat", True)
    button.setProperty("fold", True)
    button.setCheckable(True)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show(unfolded: bool) -> None:
        button.setIcon(icon("chevron-down" if unfolded else "chevron-right"))
        content.setVisible(unfolded)

    button.toggled.connect(show)
    show(False)
    return button

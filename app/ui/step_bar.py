"""The bar over the strip: a slider along the steps of the shown candidate, and what can be done at one."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from app.ui.kept_steps import KeptSteps
from app.ui.slider import calm_wheel
from app.ui.theme import GRID

_TIP = "The steps that led to this candidate: look at any of them in its place (Alt+Left, Alt+Right)."


class StepBar(QFrame):
    """There while it is wanted and the shown candidate has kept its steps."""

    def __init__(self, steps: KeptSteps, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        """``actions``: what can be done at a step, by id, in the order in which they stand here."""
        super().__init__(parent)
        self.setObjectName("stepBar")
        self._steps = steps
        self._wanted = False
        self._slider = self._make_slider()
        self._told = QLabel()
        self._told.setObjectName("stepTold")
        self._told.setProperty("quiet", True)
        self._told.setMinimumWidth(self._told.fontMetrics().horizontalAdvance("step 888 of 888…"))
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID)
        label = QLabel("Steps")
        label.setBuddy(self._slider)
        row.addWidget(label)
        row.addWidget(self._slider, 1)
        row.addWidget(self._told)
        for id, action in actions.items():
            row.addWidget(_button(id, action))
        steps.changed.connect(self._refresh)
        self._refresh()

    def set_wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        if not wanted and self._steps.trail is not None:
            self._steps.look_at(len(self._steps.trail))  # the candidate itself again
        self._refresh()

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setObjectName("stepSlider")
        slider.setAccessibleName("Step of the candidate")
        slider.setAccessibleDescription(_TIP)
        slider.setToolTip(_TIP)
        slider.setPageStep(5)
        slider.setMinimumWidth(96)
        calm_wheel(slider)
        slider.valueChanged.connect(self._steps.look_at)
        return slider

    def _refresh(self) -> None:
        trail, step = self._steps.trail, self._steps.step
        self.setVisible(self._wanted and trail is not None)
        if trail is None:
            return
        with QSignalBlocker(self._slider):
            self._slider.setRange(1, len(trail))
            self._slider.setValue(step)
        self._told.setText(f"step {step} of {len(trail)}" + ("…" if self._steps.on_its_way else ""))


def _button(id: str, action: QAction) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"{id}Button")
    button.setDefaultAction(action)
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setIconSize(QSize(18, 18))
    return button

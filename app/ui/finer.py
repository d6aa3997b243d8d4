"""Finer points of how the model works, as rows for the settings: where it is guided, which layer it hears, drafts."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from app.core.params import Params
from app.ui.desk import Desk
from app.ui.params import MOST_CLIP_SKIP, bind
from app.ui.seam import Row
from app.ui.slider import make_number
from app.ui.theme import GRID

_LEAST_STRETCH = 5
"""Percent: guidance works on at least that much of the way."""


def finer_rows(desk: Desk) -> tuple[Row, ...]:
    """Rows that always count."""
    return (
        Row(QLabel("Guided from"), GuidedStretch(desk)),
        Row(QLabel("Clip skip"), _make_skip(desk)),
        Row(QLabel("Draft"), _make_draft(desk)),
    )


def _make_skip(desk: Desk) -> QSpinBox:
    tip = (
        "Which layer of the text encoder is listened to: 1 the last, 2 the one before it. "
        "Many models of drawn pictures were trained with 2 (clip skip)."
    )
    spin = make_number("clipSkipSpin", "Clip skip", tip, 1, MOST_CLIP_SKIP)
    bind(desk.store, "clip_skip", spin)
    return spin


def _make_draft(desk: Desk) -> QCheckBox:
    tip = (
        "Computes most of the model at every third step only: quicker, and not quite the same picture. "
        "Paint again without it and with the same seed for the picture in full (DeepCache)."
    )
    tick = QCheckBox("Quick, less faithful")
    tick.setObjectName("draftTick")
    tick.setAccessibleName("Draft")
    tick.setAccessibleDescription(tip)
    tick.setToolTip(tip)
    bind(desk.store, "draft", tick)
    return tick


class GuidedStretch(QWidget):
    """From where to where on the way from noise to picture guidance works."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("guidedStretch")
        self._desk = desk
        tip = (
            "{}: 0 % is noise, 100 % the picture. Outside the stretch the prompt counts without guidance and a step "
            "takes half the time; 20 to 90 % often looks better (guidance interval)."
        )
        self._first = make_number("guidedFrom", "Guided from", tip.format("Where guidance begins"), 0, 100)
        self._last = make_number("guidedTo", "Guided to", tip.format("Where guidance ends"), 0, 100)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._first, 1)
        row.addWidget(QLabel("to"))
        row.addWidget(self._last, 1)
        for spin in (self._first, self._last):
            spin.setSuffix(" %")
            spin.setSingleStep(5)
            spin.valueChanged.connect(self._edited)
        desk.store.changed.connect(lambda params, _: self._show(params))
        self._show(desk.store.params)

    def _edited(self) -> None:
        self._desk.store.update(guidance_interval=(self._first.value() / 100, self._last.value() / 100))

    def _show(self, params: Params) -> None:
        first, last = (round(100 * part) for part in params.guidance_interval)
        for spin, value, least, most in (
            (self._first, first, 0, last - _LEAST_STRETCH),
            (self._last, last, first + _LEAST_STRETCH, 100),
        ):
            was = spin.blockSignals(True)
            spin.setRange(least, most)
            if spin.value() != value:
                spin.setValue(value)
            spin.blockSignals(was)

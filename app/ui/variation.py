"""How much of another seed is mixed in, and which: one field with two numbers."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.core.params import Params
from app.ui.desk import Desk
from app.ui.params import bind_part
from app.ui.seed import SeedSpin
from app.ui.slider import make_number, named_number
from app.ui.theme import GRID


class VariationField(QWidget):
    """The other seed is shown once something of it is mixed in."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("variationField")
        self._desk = desk
        self._amount = make_number(
            "variationSpin",
            "Variation",
            "How much of another seed is mixed in: 5 to 30 % changes details of a picture that you like, 100 % is the "
            "other seed's picture (variation strength).",
            0,
            100,
        )
        self._amount.setSuffix(" %")
        self._amount.setSingleStep(5)
        self._amount.valueChanged.connect(self._edited)
        self._seed = named_number(SeedSpin(), "variationSeed", "Variation seed", "The other seed that is mixed in.")
        bind_part(desk.store, "variation", "seed", self._seed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._amount, 1)
        row.addWidget(self._seed, 2)
        self.setFocusProxy(self._amount)
        desk.store.changed.connect(lambda params, _: self._show(params))
        self._show(desk.store.params)

    def _edited(self, percent: int) -> None:
        self._desk.store.update(variation=replace(self._desk.store.params.variation, amount=percent / 100))

    def _show(self, params: Params) -> None:
        percent = round(100 * params.variation.amount)
        if self._amount.value() != percent:
            was = self._amount.blockSignals(True)
            self._amount.setValue(percent)
            self._amount.blockSignals(was)
        self._seed.setVisible(params.variation.amount > 0)

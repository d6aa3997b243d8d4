"""How to paint it: what is wanted, how far from the picture, how close to the prompt."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.params import Intent, Params
from app.ui.desk import Desk
from app.ui.intents import why_not
from app.ui.params import MOST_GUIDANCE, bind
from app.ui.segments import Segments
from app.ui.slider import LabelledSlider, Scale
from app.ui.theme import GRID

_INTENTS = (
    (Intent.GENERATE, "Generate", "Paint a new picture from the prompt alone (text to image)."),
    (Intent.REFINE, "Refine", "Paint the whole picture anew, starting from what is there (image to image)."),
    (Intent.INPAINT, "Inpaint", "Repaint only what you have painted over; the rest stays as it is, to the pixel."),
)
_GUIDANCE = Scale(
    name="guidance",
    label="Guidance",
    tip="More follows the prompt more closely, at last harshly; less gives the model more freedom (CFG scale).",
    least=1.0, most=MOST_GUIDANCE, step=0.1, default=6.0, decimals=1,
)  # fmt: skip
_STRENGTH = Scale(
    name="strength",
    label="Strength",
    tip="More leaves the picture further behind; less stays closer to it (denoising strength).",
    least=0.0, most=1.0, step=0.01, default=0.65,
)  # fmt: skip


@dataclass(frozen=True)
class _Strength:
    """Which parameter the strength slider stands for."""

    param: str
    tip: str


_STRENGTHS = {
    Intent.REFINE: _Strength("strength", _STRENGTH.tip),
    Intent.INPAINT: _Strength(
        "inpaint_strength",
        "At 1 the masked part is painted from nothing; less keeps more of what was there (denoising strength).",
    ),
}


class GeneratePanel(QWidget):
    """The intent and the two numbers that matter most. What cannot matter now is hidden, or says why."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("generatePanel")
        self._desk = desk
        self._segments = Segments(_INTENTS)
        self._segments.chosen.connect(lambda intent: desk.store.update(intent=intent))
        self._strength = LabelledSlider(_STRENGTH)
        self._strength.value_changed.connect(self._write_strength)
        self._guidance = LabelledSlider(_GUIDANCE)
        bind(desk.store, "guidance", self._guidance)
        self._lay_out()
        desk.store.changed.connect(self._on_params)
        desk.document.reset.connect(self._allow)
        desk.document.mask_emptied.connect(self._allow)
        desk.document.changed.connect(self._allow)
        self._on_params(desk.store.params, {"intent"})
        self._allow()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for widget in (self._segments, self._strength, self._guidance):
            column.addWidget(widget)

    def _on_params(self, params: Params, names: set[str]) -> None:
        if not names & {"intent", "strength", "inpaint_strength"}:
            return
        self._segments.choose(params.intent)
        row = _STRENGTHS.get(params.intent)
        self._strength.setVisible(row is not None)
        if row is not None:
            self._strength.set_label("Strength", row.tip)
            if (value := getattr(params, row.param)) != self._strength.value:
                self._strength.set_value(value)

    def _write_strength(self, value: float) -> None:
        row = _STRENGTHS.get(self._desk.store.params.intent)
        if row is not None:
            self._desk.store.update(**{row.param: value})

    def _allow(self, *_: object) -> None:
        document = self._desk.document
        for intent, _label, _tip in _INTENTS:
            reason = why_not(intent, has_picture=document.has_picture, mask_empty=document.mask_empty)
            self._segments.allow(intent, reason)

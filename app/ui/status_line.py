"""The line at the bottom: what the tool offers, what was worked on, how large it is shown."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.core.geometry import Size
from app.core.job import Result
from app.ui.theme import GRID


def outside_text(changed_outside: int | None) -> str:
    """What an inpaint did beyond its mask."""
    return "" if changed_outside is None else f"{changed_outside:,} px changed outside the mask"


def working_text(result: Result) -> str:
    """The size that the model computed, and that of the part of the picture it is for, if that is another."""
    frame, working = result.frame.size, f"frame {result.working.width} × {result.working.height}"
    return working if frame == result.working else f"{working} → {frame.width} × {frame.height}"


class StatusLine(QWidget):
    """Quiet facts; nothing here must be read in order to work."""

    zoom_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._hint = _Hint()
        self._outside = _label("outsideLabel")
        self._working = _label("workingLabel")
        self._place = _label("pointerLabel")
        self._place.setMinimumWidth(72)  # or what stands beside it would jump as the pointer comes and goes
        self._place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._size = _label("sizeLabel")
        self._zoom = self._make_zoom()
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 2, GRID, 2)
        row.setSpacing(2 * GRID)
        row.addWidget(self._hint, 1)
        for widget in (self._outside, self._working, self._place, self._size, self._zoom):
            row.addWidget(widget)

    def show_hint(self, text: str) -> None:
        self._hint.show_hint(text)

    def show_result(self, result: Result) -> None:
        self._outside.setText(outside_text(result.changed_outside))
        self._working.setText(working_text(result))
        self._working.setToolTip("The size that the model worked on → the part of the picture that it is for.")

    def forget_result(self) -> None:
        self._outside.clear()
        self._working.clear()

    def show_size(self, size: Size) -> None:
        self._size.setText(f"{size.width} × {size.height}")
        self._size.setToolTip("The size of the picture in pixels.")

    def show_pointer(self, point: QPoint | None) -> None:
        self._place.setText("" if point is None else f"{point.x()}, {point.y()}")

    def show_zoom(self, zoom: float) -> None:
        percent = zoom * 100
        self._zoom.setText(f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %")

    def show_fit_key(self, key: str) -> None:
        """The key that fits the picture, for the tooltip; empty for none."""
        behind = f" ({key})" if key else ""
        self._zoom.setToolTip(f"How large the picture is shown. Press to fit it into the window{behind}.")

    def _make_zoom(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("zoomButton")
        button.setProperty("flat", True)
        button.setAccessibleName("Zoom")
        button.setMinimumWidth(64)
        button.clicked.connect(self.zoom_asked)
        return button


class _Hint(QLabel):
    """One line that ends in an ellipsis where there is no room for all of it; the tooltip has the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("hintLabel")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    def show_hint(self, text: str) -> None:
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label

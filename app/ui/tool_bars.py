"""The rail of tools on the left, and the row of the current tool's settings above the canvas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.document.strokes import Brush
from app.ui.canvas.tools import TOOLS
from app.ui.canvas.view import CanvasView
from app.ui.slider import LabelledSlider, Place, Scale
from app.ui.theme import GRID

_BRUSH_SCALES = (
    Scale(name="brushSize", label="Size", tip="The width of the brush in pixels of the picture ( [ and ] ).",
          least=1, most=1000, step=1, default=64, decimals=0, suffix=" px", curve=2.5),
    Scale(name="brushHardness", label="Hardness", tip="More gives a sharp edge; less a soft one that joins gently.",
          least=0, most=1, step=0.01, default=0.8),
    Scale(name="brushOpacity", label="Opacity", tip="How strongly one stroke marks: less repaints less.",
          least=0, most=1, step=0.01, default=1.0),
)  # fmt: skip
_FIELDS: tuple[tuple[str, Callable[[Brush, float], Brush]], ...] = (
    ("size", lambda brush, value: replace(brush, size=value)),
    ("hardness", lambda brush, value: replace(brush, hardness=value)),
    ("opacity", lambda brush, value: replace(brush, opacity=value)),
)


class ToolRail(QWidget):
    """One button for each tool and a few for the mask; each shows an action."""

    def __init__(self, groups: list[list[QAction]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolRail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, GRID, 6, GRID)
        column.setSpacing(GRID // 2)
        for number, actions in enumerate(groups):
            if number:
                column.addSpacing(2 * GRID)
            for action in actions:
                column.addWidget(_tool_button(action))
        column.addStretch(1)


class ToolOptions(QWidget):
    """Size, hardness and opacity of the brush in hand; nothing for a tool that has none.

    Where there is no room for the sliders, the names and the numbers remain, whole.
    """

    def __init__(self, canvas: CanvasView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolOptions")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._canvas = canvas
        self._name = QLabel()
        self._name.setObjectName("toolName")
        self._name.setProperty("heading", True)
        self._name.setMinimumWidth(56)
        self._sliders = [LabelledSlider(scale, label=Place.BESIDE) for scale in _BRUSH_SCALES]
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, 2 * GRID, GRID // 2)
        row.setSpacing(2 * GRID)
        row.addWidget(self._name)
        for slider, (_, changed) in zip(self._sliders, _FIELDS, strict=True):
            slider.value_changed.connect(lambda value, changed=changed: self._edit(changed, value))
            slider.setMaximumWidth(300)
            keep = slider.sizePolicy()
            keep.setRetainSizeWhenHidden(True)  # or the window's least width would change with the tool
            slider.setSizePolicy(keep)
            row.addWidget(slider, 8)
        row.addStretch(1)
        canvas.brush_changed.connect(self._show_brush)
        canvas.tool_changed.connect(self.show_tool)
        self.show_tool(canvas.tool)

    def minimumSizeHint(self) -> QSize:
        """Without the sliders."""
        hint = super().minimumSizeHint()
        return hint - QSize(sum(slider.track_width for slider in self._sliders if slider.track_shown), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        wanted = self.minimumSizeHint().width() + sum(slider.track_width for slider in self._sliders)
        for slider in self._sliders:
            slider.show_track(self.width() >= wanted)

    def show_tool(self, id: str) -> None:
        tool = TOOLS[id]
        self._name.setText(tool.label)
        for slider in self._sliders:
            slider.setVisible(tool.paints)
        self._show_brush(self._canvas.brush)

    def _edit(self, changed: Callable[[Brush, float], Brush], value: float) -> None:
        self._canvas.set_brush(changed(self._canvas.brush, value))

    def _show_brush(self, brush: Brush) -> None:
        for slider, (field, _) in zip(self._sliders, _FIELDS, strict=True):
            slider.set_value(getattr(brush, field))


def _tool_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setObjectName(f"{action.objectName()}Button")
    button.setAccessibleName(action.text().replace("&", ""))
    button.setIconSize(QSize(22, 22))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

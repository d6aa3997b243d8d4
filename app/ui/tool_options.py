"""The row above the canvas: the settings of the tool in hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QWidget

from app.document.commands import SetFrame
from app.document.strokes import Brush
from app.ui.canvas.area import MOST_FEATHER, MOST_TOLERANCE, AreaSettings
from app.ui.canvas.key_table import Bindings
from app.ui.canvas.tools import TOOLS, Options
from app.ui.canvas.view import CanvasView
from app.ui.colour_button import ColourButton
from app.ui.crop_options import CropPage
from app.ui.pen_options import PenOptions
from app.ui.segments import Segments
from app.ui.slider import LabelledSlider, Place, Scale
from app.ui.theme import GRID


@dataclass(frozen=True)
class Row:
    """One slider and the field of the settings that it shows."""

    field: str
    scale: Scale


_BRUSH_ROWS = (
    Row("size", Scale(name="brushSize", label="Size",
                      tip="The width of the brush in pixels of the picture (<smaller> and <larger>).",
                      least=1, most=1000, step=1, default=64, decimals=0, suffix=" px", curve=2.5)),
    Row("hardness", Scale(name="brushHardness", label="Hardness",
                          tip="More gives a sharp edge; less a soft one that joins gently (<softer> and <harder>).",
                          least=0, most=1, step=0.01, default=0.8)),
    Row("opacity", Scale(name="brushOpacity", label="Opacity",
                         tip="How strongly one stroke marks: less repaints less (<opacity>).",
                         least=0, most=1, step=0.01, default=1.0)),
)  # fmt: skip
_OPACITY_TIP = "How strongly the area is marked: less repaints less (<opacity>)."
_AREA_ROWS = (
    Row("opacity", Scale(name="areaOpacity", label="Opacity", tip=_OPACITY_TIP,
                         least=0, most=1, step=0.01, default=1.0)),
    Row("feather", Scale(name="areaFeather", label="Feather",
                         tip="More lets the edge fall off over more pixels, to each side; 0 is a sharp edge.",
                         least=0, most=MOST_FEATHER, step=1, default=0, decimals=0, suffix=" px", curve=2.0)),
)  # fmt: skip
_WAND_ROWS = (
    Row("tolerance", Scale(name="wandTolerance", label="Tolerance",
                           tip="More takes in colours that are less alike: 0 only the same one, 255 all.",
                           least=0, most=MOST_TOLERANCE, step=1, default=24, decimals=0)),
    Row("opacity", Scale(name="wandOpacity", label="Opacity", tip=_OPACITY_TIP,
                         least=0, most=1, step=0.01, default=1.0)),
)  # fmt: skip
_FILL_ROWS = (
    Row("tolerance", Scale(name="fillTolerance", label="Tolerance",
                           tip="More fills colours that are less alike: 0 only the same one, 255 all.",
                           least=0, most=MOST_TOLERANCE, step=1, default=24, decimals=0)),
    Row("opacity", Scale(name="fillOpacity", label="Opacity", tip="How strongly the colour covers (<opacity>).",
                         least=0, most=1, step=0.01, default=1.0)),
)  # fmt: skip
_WIDEST = 300
_TOLD = "toldKeys"  # the property that holds a tooltip with its keys still to be named
_WAYS = (
    (False, "+", "Add what you mark to the mask (<swap> changes it, Ctrl does the opposite)."),
    (True, "−", "Take what you mark away from the mask (<swap> changes it, Ctrl does the opposite)."),
)


class ToolOptions(QWidget):
    """The name of the tool in hand and the page with its settings; nothing for a tool that has none."""

    def __init__(self, canvas: CanvasView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolOptions")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._name = QLabel()
        self._name.setObjectName("toolName")
        self._name.setProperty("heading", True)
        self._name.setMinimumWidth(64)
        self._stack = QStackedWidget()
        self._pages = {
            Options.NONE: QWidget(),
            Options.BRUSH: BrushPage(canvas),
            Options.AREA: AreaPage(canvas),
            Options.WAND: WandPage(canvas),
            Options.FRAME: FramePage(canvas),
            Options.CROP: CropPage(canvas),
            Options.PAINT: PaintPage(canvas),
            Options.FILL: FillPage(canvas),
            Options.COLOUR: ColourPage(canvas),
        }
        for page in self._pages.values():
            self._stack.addWidget(page)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(self._name)
        row.addWidget(self._stack, 1)
        canvas.tool_changed.connect(self.show_tool)
        self.show_tool(canvas.tool)

    def show_tool(self, id: str) -> None:
        tool = TOOLS[id]
        self._name.setText(tool.label)
        self._stack.setCurrentWidget(self._pages[tool.options])

    def show_keys(self, bindings: Bindings) -> None:
        """Tell these keys in the tooltips from now on."""
        for widget in self.findChildren(QWidget):
            told = widget.property(_TOLD) or widget.toolTip()
            if "<" in told:
                widget.setProperty(_TOLD, told)
                widget.setToolTip(bindings.told(told))
                widget.setAccessibleDescription(widget.toolTip())


class SliderPage(QWidget):
    """Sliders in a row. Where there is no room for them, their names and numbers remain, whole."""

    def __init__(self, rows: Sequence[Row], edit: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._rows = rows
        self._sliders = [LabelledSlider(row.scale, label=Place.BESIDE) for row in rows]
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(12)
        for row, slider in zip(rows, self._sliders, strict=True):
            slider.value_changed.connect(lambda value, field=row.field: edit({field: value}))
            slider.setMaximumWidth(_WIDEST)
            self.row.addWidget(slider, 8)

    def show_settings(self, settings: Brush | AreaSettings) -> None:
        for row, slider in zip(self._rows, self._sliders, strict=True):
            slider.set_value(getattr(settings, row.field))

    def minimumSizeHint(self) -> QSize:
        """Without the sliders."""
        hint = super().minimumSizeHint()
        return hint - QSize(sum(slider.track_width for slider in self._sliders if slider.track_shown), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        wanted = self.minimumSizeHint().width() + sum(slider.track_width for slider in self._sliders)
        for slider in self._sliders:
            slider.show_track(self.width() >= wanted)
            slider.setMaximumWidth(
                _WIDEST if slider.track_shown else slider.sizeHint().width()
            )  # no gap before numbers
            slider.updateGeometry()  # on a page that is not in front its old hint would be kept
        self.row.invalidate()
        self.updateGeometry()


class BrushPage(SliderPage):
    """Size, hardness and opacity of the brush in hand."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__(_BRUSH_ROWS, lambda change: canvas.set_brush(replace(canvas.brush, **change)))
        self.row.addWidget(PenOptions(canvas))
        self.row.addStretch(1)
        canvas.brush_changed.connect(self.show_settings)
        self.show_settings(canvas.brush)


class PaintPage(BrushPage):
    """The colour, and the brush that puts it down."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__(canvas)
        self.row.insertWidget(0, ColourButton(canvas.toolbox.colours, "paintColour"))


class ColourPage(QWidget):
    """Nothing but the colour."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(ColourButton(canvas.toolbox.colours, "pickedColour"))
        row.addStretch(1)


class AreaPage(SliderPage):
    """How an area is marked."""

    def __init__(self, canvas: CanvasView, rows: Sequence[Row] = _AREA_ROWS) -> None:
        toolbox = canvas.toolbox
        super().__init__(rows, lambda change: toolbox.set_area(replace(toolbox.area, **change)))
        self._ways = Segments(_WAYS)
        self._ways.chosen.connect(lambda erase: toolbox.set_area(replace(toolbox.area, erase=erase)))
        self._ways.setAccessibleName("What marking does")
        self._ways.setFixedWidth(60)
        self.row.insertWidget(0, self._ways, 0, Qt.AlignmentFlag.AlignVCenter)
        self.row.addStretch(1)
        toolbox.area_changed.connect(self.show_settings)
        self.show_settings(toolbox.area)

    def show_settings(self, settings: Brush | AreaSettings) -> None:
        super().show_settings(settings)
        if isinstance(settings, AreaSettings):
            self._ways.choose(settings.erase)


class WandPage(AreaPage):
    """What counts as the same colour, and how it is marked."""

    name = "wandContiguous"

    def __init__(self, canvas: CanvasView, rows: Sequence[Row] = _WAND_ROWS) -> None:
        toolbox = canvas.toolbox
        self._connected = QCheckBox("Connected")
        self._connected.setObjectName(self.name)
        self._connected.setAccessibleName("Connected")
        self._connected.setToolTip("On, only what hangs together with the place you click; off, the whole picture.")
        super().__init__(canvas, rows)
        self._connected.toggled.connect(lambda on: toolbox.set_area(replace(toolbox.area, contiguous=on)))
        self.row.insertWidget(2, self._connected)

    def show_settings(self, settings: Brush | AreaSettings) -> None:
        super().show_settings(settings)
        if isinstance(settings, AreaSettings):
            self._connected.setChecked(settings.contiguous)


class FillPage(WandPage):
    """The colour, and what of the picture it fills."""

    name = "fillContiguous"

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__(canvas, _FILL_ROWS)
        self._ways.hide()  # there is no room for them, and Ctrl does the opposite
        self.row.insertWidget(0, ColourButton(canvas.toolbox.colours, "areaColour"))


class FramePage(QWidget):
    """Where the frame is, and the way back to the planned one."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__()
        self._document = canvas.document
        self._line = QLabel()
        self._line.setObjectName("frameLine")
        self._line.setProperty("quiet", True)
        self._follow = QPushButton("Follow the mask")
        self._follow.setObjectName("frameFollow")
        self._follow.setAccessibleName("Let the frame follow the mask")
        self._follow.setToolTip("Let the frame be planned around the mask again (Backspace).")
        self._follow.clicked.connect(lambda: self._document.undo.push(SetFrame(self._document, None)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._line)
        row.addWidget(self._follow)
        row.addStretch(1)
        self._document.frame_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        frame = self._document.frame
        self._follow.setEnabled(frame is not None)
        self._line.setText(
            "The frame follows the mask." if frame is None else f"Set by hand: {frame}".replace(" x ", " × ")
        )

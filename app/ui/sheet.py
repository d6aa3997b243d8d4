"""The sheet of a grid: its pictures in rows and columns with their labels, to look at, pick from and save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.core.atomic import atomic_write
from app.core.grid import Grid
from app.document import images
from app.jobs.background import Background
from app.library.pictures import encode_png
from app.ui.grid_run import GridRun, Place
from app.ui.theme import GRID
from app.ui.words import counted

_CELL, _LEAST, _MOST = 192, 48, 1024  # logical pixels of a cell's longer side
_WIDTH, _HEIGHT = 900, 640
_HEAD = 28
_SIDE = 120
_MOST_SHEET = 16_384
"""Pixels of a side that a saved sheet may have; larger pictures are made smaller for it."""


class SheetDialog(QDialog):
    """Beside the window, not before it: painting and editing go on."""

    def __init__(
        self, run: GridRun, parent: QWidget, ask_where: Callable[[Path], Path | None], tell: Callable[[str], object]
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sheetDialog")
        self.setWindowTitle(run.grid.title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(_WIDTH, _HEIGHT)
        self._run = run
        self._ask_where = ask_where
        self._tell = tell
        self._background = Background(self)
        self.view = SheetView(run)
        self.view.picked.connect(self._pick)
        self.view.chosen_changed.connect(self._refresh)
        scroll = QScrollArea()
        scroll.setObjectName("sheetScroll")
        scroll.setWidget(self.view)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._told = QLabel()
        self._told.setObjectName("sheetTold")
        self._told.setProperty("quiet", True)
        self._stop = _button("sheetStop", "Stop", "Paint no more of them.", run.stop)
        self._save = _button(
            "sheetSave", "Save sheet…", "Save all pictures with their labels as one PNG.", self._save_as
        )
        self._picked = _button(
            "sheetPick", "Pick", "Make a candidate of the chosen picture (Enter, double click).", self._pick
        )
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self._told, 1)
        for button in (self._stop, self._save, self._picked):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(scroll, 1)
        column.addLayout(row)
        run.changed.connect(self._refresh)
        self._refresh()
        self.view.setFocus()

    def done(self, result: int) -> None:
        self._run.stop()
        self._background.stop()
        super().done(result)

    def _refresh(self) -> None:
        run = self._run
        many = sum(len(row) for row in run.grid.cells)
        text = f"{len(run.pictures)} of {many} painted" if run.left else counted(len(run.pictures), "picture")
        failed = sum(1 for message in run.failures.values() if message)
        self._told.setText(f"{text or 'Nothing was painted'}{f' · {failed} failed' if failed else ''}")
        self._stop.setEnabled(run.left > 0)
        self._save.setEnabled(bool(run.pictures))
        self._picked.setEnabled(self.view.chosen in run.pictures)
        self.view.refresh()

    def _pick(self) -> None:
        if self.view.chosen not in self._run.pictures:
            return
        if self._run.pick(self.view.chosen):
            self._told.setText("It is among the candidates now.")
        else:
            self._told.setText("Another picture is open now: it would not fit. The history has it.")

    def _save_as(self) -> None:
        path = self._ask_where(Path("grid.png"))
        if path is None:
            return
        path = path if path.suffix.lower() == ".png" else path.with_name(path.name + ".png")
        grid, pictures = self._run.grid, {place: result.image for place, (_, result) in self._run.pictures.items()}

        def work() -> Path:
            atomic_write(path, encode_png(images.to_pixels(whole_sheet(grid, pictures))))
            return path

        self._background.run(
            work,
            self._on_saved,
            lambda error: self._told.setText(f"The sheet could not be saved ({error}). Choose another place."),
        )

    def _on_saved(self, path: Path) -> None:
        self._told.setText(f"The sheet is saved as {path.name}.")
        self._tell(f"The sheet is saved as {path.name}.")


class SheetView(QWidget):
    """The cells. Arrows choose, Enter picks, Ctrl and the wheel or + and - change the size."""

    picked = Signal()
    chosen_changed = Signal()

    def __init__(self, run: GridRun) -> None:
        super().__init__()
        self.setObjectName("sheetView")
        self.setAccessibleName(run.grid.title)
        self.setToolTip("Arrows or a click choose, Enter or a double click picks, + and - change the size.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._run = run
        room = (_WIDTH - _SIDE - 4 * GRID) // len(run.grid.columns) - GRID  # all columns are seen at first
        self._cell = min(_CELL, max(96, room))
        self._thumbs: dict[Place, QImage] = {}
        self.chosen: Place = (0, 0)
        self._fit()

    @property
    def cell_size(self) -> QSize:
        size = self._run.grid.cells[0][0].size
        scale = self._cell / max(size.width, size.height)
        return QSize(max(1, round(size.width * scale)), max(1, round(size.height * scale)))

    def cell_at(self, place: Place) -> QRect:
        """Where a cell is."""
        cell, (row, column) = self.cell_size, place
        side = _SIDE if self._run.grid.y is not None else 0
        x = side + GRID + column * (cell.width() + GRID)
        y = _HEAD + GRID + row * (cell.height() + GRID)
        return QRect(x, y, cell.width(), cell.height())

    def refresh(self) -> None:
        self.update()

    def zoom(self, factor: float) -> None:
        self._cell = round(min(_MOST, max(_LEAST, self._cell * factor)))
        self._thumbs.clear()
        self._fit()

    def choose(self, place: Place) -> None:
        row = min(max(0, place[0]), len(self._run.grid.rows) - 1)
        column = min(max(0, place[1]), len(self._run.grid.columns) - 1)
        if (row, column) != self.chosen:
            self.chosen = (row, column)
            self.update()
            self.chosen_changed.emit()

    def _fit(self) -> None:
        last = self.cell_at((len(self._run.grid.rows) - 1, len(self._run.grid.columns) - 1))
        self.resize(last.right() + GRID, last.bottom() + GRID)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, column = self.chosen
        match event.key():
            case Qt.Key.Key_Left:
                self.choose((row, column - 1))
            case Qt.Key.Key_Right:
                self.choose((row, column + 1))
            case Qt.Key.Key_Up:
                self.choose((row - 1, column))
            case Qt.Key.Key_Down:
                self.choose((row + 1, column))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.picked.emit()
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(1.25)
            case Qt.Key.Key_Minus:
                self.zoom(0.8)
            case _:
                super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.25 if event.angleDelta().y() > 0 else 0.8)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (place := self._place_at(event)) is not None:
            self.choose(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._place_at(event) is not None:
            self.picked.emit()

    def _place_at(self, event: QMouseEvent) -> Place | None:
        point, grid = event.position().toPoint(), self._run.grid
        places = ((row, column) for row in range(len(grid.rows)) for column in range(len(grid.columns)))
        return next((place for place in places if self.cell_at(place).contains(point)), None)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, grid, palette = QPainter(self), self._run.grid, self.palette()
        painter.fillRect(event.rect(), palette.color(QPalette.ColorRole.Dark))
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        for column, text in enumerate(grid.columns):
            at = self.cell_at((0, column))
            _draw_text(painter, QRect(at.x(), 0, at.width(), _HEAD), text, Qt.AlignmentFlag.AlignHCenter)
        for row, text in enumerate(grid.rows):
            at = self.cell_at((row, 0))
            _draw_text(painter, QRect(4, at.y(), _SIDE - 4, at.height()), text, Qt.AlignmentFlag.AlignRight)
            for column in range(len(grid.columns)):
                self._draw_cell(painter, (row, column), event.rect())
        at = self.cell_at(self.chosen).adjusted(-2, -2, 2, 2)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Accent), 2))
        painter.drawRect(at)
        painter.end()

    def _draw_cell(self, painter: QPainter, place: Place, exposed: QRect) -> None:
        at = self.cell_at(place)
        if not at.intersects(exposed):
            return
        if place in self._run.pictures:
            painter.drawImage(at, self._thumb(place, at.size()))
            return
        painter.fillRect(at, self.palette().color(QPalette.ColorRole.Base))
        text = "…" if place not in self._run.failures else self._run.failures[place] or "not painted"
        painter.drawText(at.adjusted(4, 4, -4, -4), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)

    def _thumb(self, place: Place, size: QSize) -> QImage:
        """As large as it is drawn, made once."""
        if place not in self._thumbs:
            image = self._run.pictures[place][1].image
            size = size * self.devicePixelRatioF()
            thin = max(1, min(image.shape[:2]) // (2 * max(1, min(size.width(), size.height()))))
            small = images.to_qimage(np.ascontiguousarray(image[::thin, ::thin]))
            keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            self._thumbs[place] = small.scaled(size, keep, smooth)
        return self._thumbs[place]


def whole_sheet(grid: Grid, pictures: dict[Place, np.ndarray]) -> QImage:
    """All of it as one picture, each cell at its full size where that is not too large; no widget is needed."""
    size, rows, columns = grid.cells[0][0].size, len(grid.rows), len(grid.columns)
    label = max(28, size.height // 12)
    side = 5 * label if grid.y is not None else 0
    scale = min(1.0, (_MOST_SHEET - side) / (columns * size.width), (_MOST_SHEET - label) / (rows * size.height))
    width, height = max(1, int(size.width * scale)), max(1, int(size.height * scale))
    sheet = QImage(side + columns * width, label + rows * height, QImage.Format.Format_RGB888)
    sheet.fill(QColor(255, 255, 255))
    painter = QPainter(sheet)
    font = QFont()
    font.setPixelSize(label // 2)
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(QColor(0, 0, 0))
    for column, text in enumerate(grid.columns):
        _draw_text(painter, QRect(side + column * width, 0, width, label), text, Qt.AlignmentFlag.AlignHCenter)
    for row, text in enumerate(grid.rows):
        if side:
            at = QRect(4, label + row * height, side - 12, height)
            _draw_text(painter, at, text, Qt.AlignmentFlag.AlignRight)
    for (row, column), image in pictures.items():
        at = QRect(side + column * width, label + row * height, width, height)
        painter.drawImage(at, images.to_qimage(np.ascontiguousarray(image)))
    painter.end()
    return sheet


def _draw_text(painter: QPainter, at: QRect, text: str, align: Qt.AlignmentFlag) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, at.width())
    painter.drawText(at, int(align | Qt.AlignmentFlag.AlignVCenter), shown)


def _button(name: str, text: str, tip: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text.rstrip("…"))
    button.setToolTip(tip)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: act())
    return button

"""The grids whose sheets are open: begun, brought back, and forgotten when their sheet is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.grid import Grid
from app.ui.desk import Desk
from app.ui.grid_run import GridRun


class Grids(QObject):
    """Every run has a sheet beside the window. ``ask_where``: a place for a file of this name, None for a change of
    mind; ``tell``: says something in passing."""

    opened = Signal(object)
    """A GridRun, before its cells are lined up."""
    closed = Signal(object)
    """A GridRun whose sheet is closed."""

    def __init__(
        self,
        desk: Desk,
        ask_where: Callable[[Path], Path | None],
        tell: Callable[[str], object],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._desk = desk
        self._ask_where = ask_where
        self._tell = tell
        self._window = window
        self._runs: list[GridRun] = []

    @property
    def runs(self) -> tuple[GridRun, ...]:
        return tuple(self._runs)

    def paint(self, grid: Grid) -> GridRun:
        """Line all of it up, and show its sheet."""
        run = GridRun(self._desk, grid)
        self._show(run)
        run.start()
        return run

    def bring_back(self, runs: Iterable[GridRun]) -> None:
        """Show the sheets of another session, and line up what they lack."""
        for run in runs:
            self._show(run)
            run.start()

    def close(self) -> None:
        """The window closes."""
        for run in self.runs:
            sheet = run.parent()
            if isinstance(sheet, QWidget):
                sheet.close()

    def _show(self, run: GridRun) -> None:
        from app.ui.sheet import SheetDialog

        sheet = SheetDialog(run, self._window, self._ask_where, self._tell)
        run.setParent(sheet)
        self._runs.append(run)
        self.opened.emit(run)
        sheet.finished.connect(lambda _: self._forget(run))
        sheet.show()

    def _forget(self, run: GridRun) -> None:
        if run in self._runs:
            self._runs.remove(run)
            self.closed.emit(run)

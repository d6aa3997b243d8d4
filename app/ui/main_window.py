"""The window: lays out the panels around the canvas and connects what is wished with what does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QMenu, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.core.settings import Folders
from app.jobs.background import Background
from app.jobs.worker import InferenceWorker
from app.ui import actions, menus
from app.ui.announce import Announcer
from app.ui.arrivals import Arrivals
from app.ui.batch import Batch
from app.ui.candidate_strip import CandidateStrip
from app.ui.canvas.navigator import Navigator
from app.ui.canvas.view import CanvasView
from app.ui.commands import WindowCommands
from app.ui.copying import Copying
from app.ui.desk import Desk
from app.ui.dialogs import Choice, SystemDialogs
from app.ui.drops import DroppedFiles, DroppedImage, DropVeil, read_drop
from app.ui.empty_state import EmptyState
from app.ui.export import Exporting
from app.ui.extent_work import ExtentWork
from app.ui.file_commands import FileCommands
from app.ui.files import PictureFiles
from app.ui.grids import Grids
from app.ui.intents import IntentFollower
from app.ui.journal import JournalKeeper, journal_roots
from app.ui.kept_steps import KeptSteps
from app.ui.layer_files import LayerFiles
from app.ui.live import Live
from app.ui.mask_files import MaskFiles
from app.ui.mask_work import MaskWork
from app.ui.memory import Memory
from app.ui.model_files import ModelFiles
from app.ui.notices import Notices
from app.ui.painting import Painting
from app.ui.panels.additions import AdditionsPanel
from app.ui.panels.generate import GeneratePanel
from app.ui.panels.history import HistoryPanel
from app.ui.panels.layers import LayersPanel
from app.ui.panels.mask import MaskPanel
from app.ui.panels.more import MorePanel
from app.ui.panels.prompt import PromptPanel
from app.ui.panels.queue import QueuePanel
from app.ui.panels.run import RunPanel
from app.ui.panels.steps import StepsPanel
from app.ui.projects import Projects
from app.ui.recent_menu import add_recent_menu
from app.ui.recipes import Recipes
from app.ui.recovery import Recovery
from app.ui.screen_reader import ScreenReader
from app.ui.status_line import StatusLine
from app.ui.step_bar import StepBar
from app.ui.theme import GRID, PANEL_WIDTH
from app.ui.told_sizes import ToldSizes
from app.ui.tool_bars import ToolRail
from app.ui.tool_options import ToolOptions
from app.ui.wiring import Wiring
from app.ui.xray import XRayFollower

APP_NAME = "Limner"


@dataclass(frozen=True, kw_only=True)
class PanelRow:
    """One panel of the column. ``fixed`` ones stay at the bottom while the others scroll."""

    id: str
    make: Callable[[Desk], QWidget]
    fixed: bool = False


PANELS = (
    PanelRow(id="prompt", make=PromptPanel),
    PanelRow(id="generate", make=GeneratePanel),
    PanelRow(id="mask", make=MaskPanel),
    PanelRow(id="more", make=MorePanel),
    PanelRow(id="additions", make=AdditionsPanel),
    PanelRow(id="layers", make=LayersPanel),
    PanelRow(id="steps", make=StepsPanel),
    PanelRow(id="history", make=HistoryPanel),
    PanelRow(id="queue", make=QueuePanel, fixed=True),
    PanelRow(id="run", make=RunPanel, fixed=True),
)


class MainWindow(QMainWindow):
    """Everything that is seen. Closing it ends the worker and all work in the background.

    ``patience_ms``: how long closing waits for the worker, for as long as it takes if None. ``ended``: its thread has
    ended, and the window may be destroyed. ``closing`` is emitted once, before anything is waited for.
    """

    closing = Signal()

    def __init__(self, desk: Desk, worker: InferenceWorker, folders: Folders) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setAccessibleName(APP_NAME)
        self.setAcceptDrops(True)
        self.setMinimumSize(1010, 560)  # the names and numbers of the tool options are whole, also in wider fonts
        self.resize(1360, 860)
        self.desk = desk
        self.folders = folders
        self._worker = worker
        self._closed = False
        self.patience_ms: int | None = None
        self.ended = False
        self.dialogs = SystemDialogs(self)
        self.ask_before_losing: Callable[[], Choice] = lambda: Choice.DISCARD
        """Asked when closing would lose pixels; the desktop puts a question here."""
        self.status_line = StatusLine()
        self._build_canvas_area()
        self.background = Background(self)
        self.searching = Background(self)  # so that an area need not wait for a file
        self.canvas.work_in(self.searching)
        self.files = PictureFiles(desk.document, self.background, self.notices.show_notice, self)
        self.extent_work = ExtentWork(desk.document, self.background, self.status_line.show_hint, self)
        self.mask_work = MaskWork(desk.document, self.background, self.status_line.show_hint, self)
        self.model_files = ModelFiles(desk.shelf, folders, self.notices.show_notice, self.notices.withdraw, self)
        self.mask_files = MaskFiles(desk.document, self.background, self.notices.show_notice, self)
        self.recipes = Recipes(desk, self.notices, self)
        self.projects = Projects(desk, self.files, self.recipes, self.background, self.notices.show_notice, self)
        self.copying = Copying(desk, self.files.provenance, self.background, self.status_line.show_hint, self)
        self.exporting = Exporting(desk, self.files.provenance, self.background, self.notices.show_notice, self)
        self.batch = Batch(desk, self.background, self.notices, self)
        self.layer_files = LayerFiles(desk.document, self.background, self.notices.show_notice, self)
        self.arrivals = Arrivals(
            desk.store,
            self.files,
            self.projects,
            self.layer_files,
            self.mask_files,
            self.model_files,
            self.recipes,
            self.notices,
            lambda: desk.document.has_picture,
            self,
        )
        self.painting = Painting(desk, self.canvas, self.notices, self)
        self.live = Live(desk, self.painting, self)
        self.kept_steps = KeptSteps(desk, self.painting.line_up, self)
        self.xray = XRayFollower(desk, self.canvas, self.background, self)
        self.intents = IntentFollower(desk.store, desk.document, self)
        self.file_commands = FileCommands(self)
        self.commands = WindowCommands(self)
        self.grids = Grids(desk, self._ask_where_to_save, self.status_line.show_hint, self)
        self.closing.connect(self.grids.close)
        self.actions_by_id: dict[str, QAction] = actions.make_actions(self, self.commands.handlers(), desk.shortcuts)
        menus.fill_menus(self.menuBar(), self.actions_by_id)
        add_recent_menu(self.menuBar(), desk, self.actions_by_id["save"])
        if (menu := self.menuBar().findChild(QMenu, "menuFile")) is not None:
            tells, embeds = self.actions_by_id["save_tells"], self.actions_by_id["save_embeds"]
            ToldSizes(menu, tells, embeds, desk.document, self.files.provenance, self.background)
        self.menuBar().setNativeMenuBar(True)
        self._lay_out()
        self.screen_reader = ScreenReader(self, desk.queue, self.notices)
        self.painting.arrived.connect(self.screen_reader.on_arrived)
        self.wiring = Wiring(self)
        self.announcer = Announcer(desk.queue, self)
        self.memory = Memory(self)
        roots = journal_roots(folders.data)
        self.journal = JournalKeeper(desk, self.painting, self.grids, self.file_commands.named, roots, self)
        self.journal.told.connect(self.notices.show_notice)
        self.journal.settled.connect(self.notices.withdraw)
        self.recovery = Recovery(desk, self.painting, self.grids, self.journal, self.notices, self)
        for signal in (self.windowTitleChanged, self.files.saved, self.projects.saved, self.projects.opened):
            signal.connect(self.journal.see_name)
        self.recovery.named.connect(self.file_commands.rename)
        self.recovery.look(roots)

    def _build_canvas_area(self) -> None:
        """The canvas with what may lie over it: siblings, because children would inherit its cursor."""
        self.canvas_area = QWidget()
        self.canvas_area.setObjectName("canvasArea")
        self.canvas = CanvasView(self.desk.document, self.canvas_area)
        self.canvas.setToolTip("")
        row = QHBoxLayout(self.canvas_area)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.canvas)
        self.empty_state = EmptyState(self.desk, self.canvas_area)
        self.navigator = Navigator(self.canvas, self.canvas_area)
        self.notices = Notices(self.canvas_area)
        self.veil = DropVeil(self.canvas_area)

    def _lay_out(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.tool_options = ToolOptions(self.canvas)
        column.addWidget(self.tool_options)
        column.addWidget(self.canvas_area, 1)
        buttons = {id: self.actions_by_id[id] for id in actions.CANDIDATE_ACTIONS}
        self.step_bar = StepBar(self.kept_steps, {id: self.actions_by_id[id] for id in actions.STEP_ACTIONS})
        column.addWidget(self.step_bar)
        column.addWidget(CandidateStrip(self.desk.candidates, buttons, self.desk.history.copy_of_candidate))
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("splitter")
        self.splitter.setHandleWidth(1)  # one line is drawn; Qt lets a wider strip be grabbed
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(middle)
        panels = self._make_panel_column()
        self.splitter.addWidget(panels)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([1000, PANEL_WIDTH])
        rail = ToolRail([[self.actions_by_id[id] for id in group] for group in menus.RAIL])
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        upper = QHBoxLayout()
        upper.setSpacing(0)
        upper.addWidget(rail)
        upper.addWidget(self.splitter, 1)
        rows.addLayout(upper, 1)
        rows.addWidget(self.status_line)
        self.setCentralWidget(whole)
        self._surroundings = (self.menuBar(), self.tool_options, panels, rail, self.status_line)
        next(iter(self.panels.values())).setFocus()  # one can type at once

    def _ask_where_to_save(self, name: Path) -> Path | None:
        return self.dialogs.save_picture(self.file_commands.save_folder / name)

    def toggle_full_screen(self) -> None:
        """Nothing but the canvas on the whole screen, and back to how it was."""
        full = not self.isFullScreen()
        for widget in self._surroundings:
            widget.setVisible(not full)
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        self.actions_by_id["full_screen"].setChecked(full)
        self.canvas.setFocus()

    def _make_panel_column(self) -> QWidget:
        column_widget = QFrame()
        column_widget.setObjectName("panelColumn")
        column_widget.setMinimumWidth(PANEL_WIDTH - 2 * GRID)
        column_widget.setMaximumWidth(2 * PANEL_WIDTH)
        column = QVBoxLayout(column_widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        inner.setSpacing(2 * GRID)
        scroll = QScrollArea()
        scroll.setObjectName("panelScroll")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)  # before the panels are made, or Tab would come to the fixed ones first
        column.addWidget(scroll, 1)
        self.panels = {row.id: row.make(self.desk) for row in PANELS}
        for row, panel in zip(PANELS, self.panels.values(), strict=True):
            (column if row.fixed else inner).addWidget(panel)
        inner.addStretch(1)
        run = self.panels["run"]
        assert isinstance(run, RunPanel)
        run.add_toggle(self.actions_by_id["live"])
        return column_widget

    # Drag and drop: anywhere on the window

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Everything is taken, so that what cannot be opened gets an answer and not a silent refusal.
        event.acceptProposedAction()
        dropped = read_drop(event.mimeData())
        if dropped is not None:
            pixels = isinstance(dropped, DroppedFiles | DroppedImage)
            self.veil.lift(offer_mask=pixels and self.desk.document.has_picture)
            self.veil.point_at(self._on_veil(event))

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()
        self.veil.point_at(self._on_veil(event))

    def _on_veil(self, event: QDropEvent) -> QPoint:
        return self.veil.mapFrom(self, event.position().toPoint())

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.veil.point_at(self._on_veil(event))
        as_mask = self.veil.as_mask
        self.veil.hide()
        event.acceptProposedAction()
        if as_mask:
            self.arrivals.take_mask(event.mimeData())
        else:
            self.arrivals.take(event.mimeData())

    # Closing

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closed and self.files.unsaved:
            match self.ask_before_losing():
                case Choice.CANCEL:
                    event.ignore()
                    return
                case Choice.SAVE:
                    event.ignore()
                    self.file_commands.save_and_close()
                    return
                case Choice.DISCARD:
                    pass
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Keep the settings and end all threads; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self.isFullScreen():
            self.toggle_full_screen()  # or the next start would begin without panels
        self.journal.part()  # before anything is cancelled: what waits is kept
        self.closing.emit()
        self.announcer.put_away()
        self.memory.save()
        self.hide()  # ending a step may take a moment, and nobody should look at a window that does not answer
        self.desk.queue.cancel_all()
        self.background.stop()
        self.searching.stop()
        self.model_files.stop()
        self.arrivals.links.stop()
        self.desk.recent.stop()
        self.desk.additions.stop()
        self.desk.history.stop()
        self.recovery.stop()
        self.ended = self._worker.stop(self.patience_ms)
        self.journal.stop()  # the last of all: until here the session could be brought back

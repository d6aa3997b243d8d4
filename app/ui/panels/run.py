"""The button that says what will happen, how far it is, and how to stop it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.core.job import Job, JobState, Phase
from app.core.params import Intent
from app.jobs.worker import EngineState
from app.library.models import Model
from app.ui.course import CourseNote
from app.ui.desk import Desk
from app.ui.icons import icon
from app.ui.theme import GRID
from app.ui.words import minutes

_IDLE = {
    EngineState.STARTING: "The engine is getting ready; paint meanwhile",
    EngineState.READY: "",
    EngineState.FAILED: "The engine could not start; press to try again",
    EngineState.LOST: "The engine is getting ready again; paint meanwhile",
}
"""What is said while there is no job."""


def way_in(intent: Intent, model: Model | None) -> str:
    """How the button's work will be done, for its tooltip."""
    if model is None:
        return "No model was found yet: press to see what to do."
    match intent:
        case Intent.GENERATE:
            return f"Paint a new picture from the prompt with {model.name}."
        case Intent.REFINE:
            return f"Paint the picture anew from what is there with {model.name}."
        case Intent.INPAINT:
            nine = model.channels == 9
            how = "which was made for inpainting" if nine else "blending with the picture at every step"
            return f"Repaint what you painted over with {model.name}, {how}."


class RunPanel(QWidget):
    """Generate, Cancel and the progress; always in the same place."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._desk = desk
        self._model_line = self._make_model_line()
        self._generate = self._make_generate()
        self._keyed: list[tuple[QAction, str, str]] = []  # each with its action of the table and its name
        self._ways = self._make_ways()
        self._cancel_all = QAction("Cancel all", self)
        self._cancel_all.triggered.connect(desk.queue.cancel_all)
        self._cancel = self._make_cancel()
        self._bar = self._make_bar()
        self._line = QLabel()
        self._line.setObjectName("progressLabel")
        self._line.setProperty("quiet", True)
        self._lay_out()
        desk.store.changed.connect(self._refresh_button)
        desk.shelf.changed.connect(self._refresh_button)
        desk.shortcuts.changed.connect(self._refresh_button)
        desk.queue.changed.connect(self._refresh_progress)
        desk.queue.lined_up.connect(self._refresh_progress)
        desk.queue.engine_changed.connect(self._refresh_progress)
        self._refresh_button()
        self._refresh_progress()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self._model_line, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(CourseNote(self._desk))
        self._buttons = buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self._generate, 1)
        buttons.addWidget(self._ways)
        buttons.addWidget(self._cancel)
        column.addLayout(buttons)
        column.addWidget(self._bar)
        column.addWidget(self._line)

    def _make_model_line(self) -> QPushButton:
        line = QPushButton("Small landscape model · how to use a full one")
        line.setObjectName("modelHelp")
        line.setProperty("flat", True)
        line.setProperty("quiet", True)
        line.setAccessibleName("How to use a full model")
        line.setToolTip("The model that comes with Limner is small. See how to paint with a full one.")
        line.clicked.connect(self._desk.wishes.model_help)
        return line

    def _make_generate(self) -> QPushButton:
        button = QPushButton()
        button.setObjectName("generateButton")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(self._wish)
        return button

    def add_toggle(self, action: QAction) -> None:
        """A mode of painting that is turned on and off beside the button."""
        toggle = QToolButton()
        toggle.setObjectName(f"{action.objectName()}Button")
        toggle.setDefaultAction(action)
        toggle.setAccessibleName(action.text())
        toggle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        toggle.setMinimumHeight(self._generate.sizeHint().height())
        self._buttons.insertWidget(self._buttons.indexOf(self._ways), toggle)

    def _wish(self) -> None:
        shift = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier
        (self._desk.wishes.paint_next if shift else self._desk.wishes.paint).emit()

    def _make_ways(self) -> QToolButton:
        """The other ways to line a picture up."""
        button = QToolButton()
        button.setObjectName("generateWays")
        button.setAccessibleName("Other ways to paint it")
        button.setToolTip("Paint it next, or in place of the running one.")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setIcon(icon("chevron-down"))
        button.setMinimumHeight(self._generate.sizeHint().height())
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        wishes = self._desk.wishes
        for id, text, tip, wish in (
            ("generate_next", "Paint next", "Before everything that waits (Shift+click).", wishes.paint_next),
            ("generate_instead", "Paint instead", "In place of the running one.", wishes.paint_instead),
        ):
            action = menu.addAction(text)
            action.setToolTip(tip)
            action.triggered.connect(wish)
            self._keyed.append((action, id, text))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _make_cancel(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("cancelButton")
        button.setText("Cancel")
        button.setAccessibleName("Cancel")
        button.setToolTip("Stop what is being painted (Esc); the picture stays as it was.")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setMinimumHeight(self._generate.sizeHint().height())
        button.setIcon(icon("close"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        menu = QMenu(button)
        menu.addAction(self._cancel_all)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.clicked.connect(self._desk.wishes.stop)
        return button

    def _make_bar(self) -> QProgressBar:
        bar = QProgressBar()
        bar.setObjectName("progressBar")
        bar.setAccessibleName("Progress")
        bar.setToolTip("How far the picture is.")
        bar.setTextVisible(False)  # the line below says it; on a thin bar it could not be read
        policy = bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        bar.setSizePolicy(policy)
        return bar

    def _refresh_button(self, *_: object) -> None:
        intent, model = self._desk.store.params.intent, self._desk.shelf.current
        for action, id, text in self._keyed:
            action.setText(f"{text}\t{self._desk.shortcuts.shown(id)}")
        key = self._desk.shortcuts.shown("generate")
        behind = f"{key}; Shift+click" if key else "Shift+click"
        tip = f"{way_in(intent, model)} ({behind} before those that wait)"
        self._generate.setText(intent.value)
        self._generate.setAccessibleName(intent.value)
        self._generate.setAccessibleDescription(tip)
        self._generate.setToolTip(tip)
        self._model_line.setVisible(model is not None and model.starter)

    def _refresh_progress(self, *_: object) -> None:
        queue = self._desk.queue
        job, waiting = queue.current, queue.waiting
        self._cancel.setEnabled(job is not None and not job.cancel_asked)
        self._cancel_all.setEnabled(bool(waiting))
        held = queue.paused and queue.running is None and job is not None  # nothing will begin
        self._bar.setVisible(job is not None and not held)
        text = self._idle_text() if job is None else self._job_text(job)
        if held:
            text = f"paused · {len(waiting)} waiting"
        behind = sum(1 for other in waiting if other is not job)
        if behind and not held:
            text += f" · +{behind} waiting"
        self._line.setText(text)
        self._bar.setFormat(text)
        self._bar.setAccessibleDescription(text)
        if job is not None:
            self._show_bar(job)

    def _show_bar(self, job: Job) -> None:
        painting = job.total > 0 and job.phase in (Phase.DENOISING, Phase.DECODING)
        self._bar.setRange(0, job.total if painting else 0)  # 0, 0 is the bar that only says "busy"
        self._bar.setValue(job.step if painting else 0)

    def _idle_text(self) -> str:
        return _IDLE[self._desk.queue.engine.state]

    def _job_text(self, job: Job) -> str:
        if job.cancel_asked:
            return "cancelling…"
        if job.state is JobState.QUEUED or self._desk.queue.engine.state is EngineState.STARTING:
            return "waiting for the engine; it starts by itself"
        if job.phase is not Phase.DENOISING:
            return f"{job.phase.value if job.phase else 'Starting'}…"
        text = f"step {job.step} of {job.total}" if job.total else f"{job.phase.value}…"
        left = self._desk.queue.time_left(job.id)
        return text if left is None else f"{text} · {minutes(left)} left"

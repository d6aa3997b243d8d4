"""``limner --selftest``: the program paints in every way of working, as a person would, and says how it went."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from app.core.geometry import Size
from app.core.job import Failed, Job, JobState, Mode, Result
from app.core.params import Intent
from app.core.settings import resources
from app.document.commands import PaintMask
from app.document.images import to_qimage
from app.document.mask_edits import replaced
from app.jobs.worker import EngineChanged, EngineState
from app.library.models import Model
from app.ui.main_window import MainWindow

STEPS = 4
LIMIT_MS = 600_000
"""A start from a slow disk and everything after it take much less; a hang ends here."""
SETTLING_MS = 300
"""Until the window shows that the last job is over, and is looked at."""
_PROMPT = "a red house on a hill"
_LEAST_SPREAD = 4.0  # standard deviation of pixel values: a picture of one colour has none


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One thing to paint: with which model, what the button shall say, and the mode that must come of it."""

    model: Model
    intent: Intent
    mode: Mode


def trials_for(model: Model) -> tuple[Trial, ...]:
    """Everything that a model can do: those made for inpainting do that and nothing else."""
    if model.channels == 9:
        return (Trial(model=model, intent=Intent.INPAINT, mode=Mode.INPAINT_CONCAT),)
    return (
        Trial(model=model, intent=Intent.GENERATE, mode=Mode.TEXT_TO_IMAGE),
        Trial(model=model, intent=Intent.REFINE, mode=Mode.IMAGE_TO_IMAGE),
        Trial(model=model, intent=Intent.INPAINT, mode=Mode.INPAINT_BLEND),
    )


class SelfTest(QObject):
    """Drives a window that is shown. ``passed`` is final once ``ended`` was emitted.

    ``keep``: a folder for the pictures, how the window looked, and the report. Models that come with Limner are tried,
    all of them: one that cannot be read or run is a failure.
    """

    ended = Signal()

    def __init__(self, window: MainWindow, keep: Path | None, say: Callable[[str], object] | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._keep = keep
        self._say = say or _print
        self._lines: list[str] = []
        self._running: Trial | None = None
        self._painted = 0
        self._over = False
        self.passed = False
        self._left: Iterator[Trial] = iter(())
        self._limit = QTimer(self, singleShot=True, interval=LIMIT_MS)
        self._limit.timeout.connect(lambda: self._fail(f"nothing more happened for {LIMIT_MS // 60_000} minutes"))
        queue = window.desk.queue
        queue.finished.connect(self._on_finished)
        queue.failed.connect(self._on_failed)
        queue.changed.connect(self._on_changed)

    def start(self) -> None:
        """Begin as soon as the window's loop turns."""
        self._limit.start()
        QTimer.singleShot(0, self, self._begin)

    def _begin(self) -> None:
        self._tell(f"window after {self._seconds()}, {QGuiApplication.platformName()}")
        models = [model for model in self._window.desk.shelf.models if model.starter]
        readable = {model.path.name for model in models}
        unreadable = sorted(shipped_models() - readable)
        if unreadable or not models:
            names = ", ".join(unreadable) or "none is there"
            return self._fail(f"a model that belongs to Limner cannot be read: {names}")
        models.sort(key=lambda model: model.channels)  # the first to paint makes what the others repaint
        self._left = iter([trial for model in models for trial in trials_for(model)])
        self._window.desk.queue.engine_changed.connect(self._on_engine)
        self._on_engine(self._window.desk.queue.engine)
        self._next()

    def _next(self) -> None:
        if self._over:
            return
        trial = next(self._left, None)
        if trial is None:
            return self._pass()
        self._running = trial
        self._prepare(trial)
        self._window.painting.submit()
        if self._window.desk.queue.current is None:
            self._fail(f"{_named(trial)}: {' '.join(notice.title for notice in self._window.notices.shown)}")

    def _prepare(self, trial: Trial) -> None:
        """Set the panels, and mark something where a mask is needed."""
        window, side = self._window, trial.model.native_size
        store, document = window.desk.store, window.desk.document
        store.update(model=trial.model.id)
        store.update(prompt=_PROMPT, steps=STEPS, seed=7, seed_locked=True, size=Size(side, side))
        if trial.intent is Intent.INPAINT and document.mask_empty:
            mask = document.mask_pixels().copy()
            height, width = mask.shape
            mask[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 255
            document.undo.push(PaintMask(document, replaced(document.mask, mask)))
        store.update(intent=trial.intent)

    def _on_finished(self, job: Job, result: Result) -> None:
        trial = self._running
        if trial is None or self._over:
            return
        fault = _fault(trial, result)
        if fault:
            return self._fail(f"{_named(trial)}: {fault}")
        kept = ", 0 px changed outside the mask" if result.changed_outside == 0 else ""
        self._tell(f"{_named(trial)}: {result.steps} steps on {result.device} in {result.seconds:.1f} s{kept}")
        self._painted += 1
        if self._keep is not None:
            to_qimage(result.image).save(str(self._keep / f"{self._painted}-{result.mode.value}.png"))
        QTimer.singleShot(0, self, self._next)  # when the window has taken the picture in

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if self._running is not None:
            self._fail(f"{_named(self._running)}: {failed.message} {failed.remedy}\n{failed.details}".rstrip())

    def _on_changed(self, job: Job) -> None:
        if self._running is not None and job.state is JobState.CANCELLED:
            self._fail(f"{_named(self._running)}: it was cancelled")

    def _on_engine(self, engine: EngineChanged) -> None:
        if engine.state is EngineState.READY:
            self._tell(f"engine ready after {self._seconds()}")
        elif engine.state is EngineState.FAILED:
            self._fail(f"{engine.message} {engine.remedy}\n{engine.details}".rstrip())

    def _pass(self) -> None:
        self._end(f"passed: {self._painted} pictures in {self._seconds()}", passed=True)

    def _fail(self, why: str) -> None:
        self._end(f"FAILED: {why}", passed=False)

    def _end(self, line: str, passed: bool) -> None:
        if self._over:
            return
        self._over, self.passed = True, passed
        self._limit.stop()
        self._tell(line)
        QTimer.singleShot(SETTLING_MS, self, self._leave)

    def _leave(self) -> None:
        if self._keep is not None:
            self._keep_looks(self._keep)
            (self._keep / "report.txt").write_text("\n".join(self._lines) + "\n", "utf-8")
        self.ended.emit()

    def _keep_looks(self, folder: Path) -> None:
        """The window as it draws itself, and the whole screen where the system shows it to programs."""
        self._window.grab().save(str(folder / "window.png"))
        if QGuiApplication.platformName() == "xcb":
            self._window.screen().grabWindow(0).save(str(folder / "screen.png"))

    def _tell(self, line: str) -> None:
        self._lines.append(line)
        self._say(f"selftest: {line}")

    @staticmethod
    def _seconds() -> str:
        return f"{time.time() - psutil.Process().create_time():.1f} s"  # of the process, so the start counts


def shipped_models() -> set[str]:
    """The names of the model folders that lie in the resources."""
    try:
        entries = [entry for entry in (resources() / "models").iterdir() if entry.is_dir()]
    except OSError:
        return set()
    return {entry.name for entry in entries if entry.name[0] not in "._"}


def _named(trial: Trial) -> str:
    return f"{trial.mode.value} with “{trial.model.name}”"


def _fault(trial: Trial, result: Result) -> str:
    """What is wrong with a picture, as far as a program can tell; empty when nothing is."""
    if result.mode is not trial.mode:
        return f"it was done as {result.mode.value}"
    if float(np.std(result.image)) < _LEAST_SPREAD:
        return "the picture is of one colour"
    if result.changed_outside:
        return f"{result.changed_outside} pixels outside the mask changed"
    return ""


def _print(line: str) -> None:
    if sys.stdout is not None:  # a program without a console has none
        print(line, flush=True)

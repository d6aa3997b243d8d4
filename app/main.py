"""The composition root: builds everything, joins it, and runs the desktop."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import logging
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import fields
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO, NoReturn

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.core.environment import prepare_environment
from app.core.job import Backend
from app.core.parts import explained
from app.core.settings import Folders, folders
from app.document.document import Document
from app.early import PLACES, lacks_display, parse
from app.jobs.garbage import GarbageCollector
from app.jobs.place import EnginePlace
from app.jobs.queue import JobQueue
from app.jobs.worker import InferenceWorker
from app.process.host import EngineHost
from app.process.starting import Process
from app.ui import session
from app.ui.additions import AdditionShelf
from app.ui.candidates import Candidates
from app.ui.desk import Desk, Wishes
from app.ui.dialogs import Choice, ask_before_losing
from app.ui.history import HistoryShelf
from app.ui.icons import app_icon
from app.ui.looks import MaskLooks
from app.ui.main_window import APP_NAME, MainWindow
from app.ui.memory import remembered
from app.ui.models import ModelShelf
from app.ui.notices import Kind, Notice
from app.ui.opening import SystemOpening
from app.ui.params import ParamStore
from app.ui.recent import RecentFiles
from app.ui.shortcuts import Shortcuts
from app.ui.theme import Theme

log = logging.getLogger(__name__)

_PATIENCE_MS = 3000
"""How long closing waits for the worker. A step ends sooner; importing torch may take much longer."""


def build(
    backend: Backend | None = None,
    data_dir: Path | None = None,
    make_backend: Callable[[], Backend] | None = None,
    engine_apart: bool | None = None,
    engine: Process | None = None,
) -> MainWindow:
    """The whole studio as a window that is not shown yet; closing it ends everything.

    ``backend``: who paints, the engine if None; ``make_backend`` is called on the worker's thread in its place.
    ``data_dir``: where models and settings are, the system's place if None. ``engine_apart``: whether the engine has a
    process of its own, as it was left last time if None. ``engine``: that process, where it was started already. A
    QApplication must exist. Raises OSError when the data folder cannot be made.
    """
    prepare_environment()
    places = folders(data_dir)
    places.make()
    params, model_folders, chosen = remembered(places.settings)
    store = ParamStore(session.params_from(params))
    shelf = ModelShelf(store, places, model_folders)
    document = Document(store.params.size)
    garbage = GarbageCollector()
    host = EngineHost(started=engine)
    given = make_backend or (None if backend is None else lambda: backend)
    apart = given is None and (chosen if engine_apart is None else engine_apart)
    inside = given or (lambda: _engine_inside(host, garbage))
    worker = InferenceWorker(host.start if apart else inside)
    host.lost_idle = worker.engine_lost
    desk = Desk(
        store=store,
        document=document,
        queue=JobQueue(worker),
        engine=EnginePlace(worker, apart=given or host.start, inside=inside, chosen=chosen, now=apart),
        shelf=shelf,
        additions=AdditionShelf(store, places),
        wishes=Wishes(),
        mask_looks=MaskLooks(),
        shortcuts=Shortcuts(),
        history=HistoryShelf(places.history),
        candidates=Candidates(document),
        recent=RecentFiles(places.cache),
    )
    desk.queue.made.connect(desk.history.keep_asked)
    window = MainWindow(desk, worker, places)
    desk.queue.engine_changed.connect(garbage.follow)
    window.closing.connect(garbage.stop)
    window.closing.connect(host.close)
    for part in (*(getattr(desk, field.name) for field in fields(desk)), garbage, worker):
        part.setParent(window)
    worker.start()
    desk.additions.look_again()
    return window


def main(arguments: list[str] | None = None, engine: Process | None = None) -> int:
    """Run the studio; returns the exit status. ``engine``: its process, where it was started already."""
    given = parse(arguments)
    if lacks_display():
        print(
            "Limner needs a screen: start it in a desktop session, or use “limner render”, which works without one.",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in the terminal ends a program that sits in Qt's loop
    application = QApplication([APP_NAME])
    application.setApplicationName(APP_NAME)
    application.setDesktopFileName("limner")
    application.setWindowIcon(app_icon())
    Theme(application)
    places, trouble = _usable(_throwaway() if given.selftest and given.data_dir is None else folders(given.data_dir))
    crash_log = _start_logging(places)
    window = build(data_dir=places.data, engine_apart=PLACES[given.engine], engine=engine)
    window.patience_ms = _PATIENCE_MS
    window.ask_before_losing = lambda: ask_before_losing(window)
    _show_unexpected(window)
    if trouble:
        window.notices.show_notice(Notice(kind=Kind.ERROR, title=trouble, text="Nothing is remembered after closing."))
    window.show()
    for path in given.pictures[:1]:
        window.file_commands.open_file(path)
    if sys.platform == "darwin":  # nowhere else: it looks at every event of every widget
        SystemOpening(application, window.file_commands.open_file)
    application.aboutToQuit.connect(window.shut_down)
    status = _tried(window, application, given.selftest_dir) if given.selftest else application.exec()
    window.shut_down()
    if not window.ended:
        # A thread inside an import or a step cannot be stopped, and destroying a QThread that runs aborts. The
        # settings are saved and no file is being written: nothing is lost by leaving without taking anything down.
        _leave(status)
    faulthandler.disable()
    if crash_log is not None:
        crash_log.close()
    return status


def _tried(window: MainWindow, application: QApplication, keep: Path | None) -> int:
    """Let the program try itself; the exit status says whether all went well."""
    from app.ui.selftest import SelfTest

    window.ask_before_losing = lambda: Choice.DISCARD
    if keep is not None:
        try:
            keep.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            print(f"The folder {keep} cannot be made ({error.strerror}): name another one.", file=sys.stderr)
            return 2
    trial = SelfTest(window, keep)
    trial.ended.connect(window.close)
    trial.start()
    status = application.exec()
    return status if trial.passed else status or 1


def _throwaway() -> Folders:
    """A data folder that is gone when the program ends: what a test paints is nobody's."""
    folder = tempfile.TemporaryDirectory(prefix="limner-selftest-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return Folders(Path(folder.name))


def _leave(status: int) -> NoReturn:
    """End the process at once, with the logs written out."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a program without a console has none
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)


def _engine_inside(host: EngineHost, garbage: GarbageCollector) -> Backend:
    host.dismiss()
    return _engine(garbage)


def _engine(garbage: GarbageCollector) -> Backend:
    # Imported here, on the worker's thread: torch takes seconds, and the window must not wait for it.
    # On Windows, torch >= 2.9 is reported to find its DLLs only when it is imported before Qt (pytorch #166628,
    # #169429). Should that be seen, import torch at the top of main() there, and only there: it costs the fast start.
    with explained():
        from app.diffusion.engine import Engine

    return Engine(collect=garbage.collect)


def _usable(places: Folders) -> tuple[Folders, str]:
    """The folders if they can be made, else temporary ones and a sentence on it."""
    try:
        places.make()
    except OSError as error:
        trouble = f"The data folder {places.data} cannot be used ({error.strerror})."
        print(trouble, file=sys.stderr)
        return Folders(Path(tempfile.mkdtemp(prefix="limner-"))), trouble
    return places, ""


def _start_logging(places: Folders) -> IO[str] | None:
    """Log into the data folder, and let a crash of the interpreter leave its stack there. Returns that file, to be
    closed at the end; None when both go to the console instead."""
    handler: logging.Handler = logging.StreamHandler()
    crash_log: IO[str] | None = None
    try:
        crash_log = places.log.with_suffix(".crash.log").open("a", encoding="utf-8")
        handler = RotatingFileHandler(places.log, maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True)
    except OSError:
        pass
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    if (target := crash_log or sys.stderr) is not None:  # a program without a console has no stderr
        faulthandler.enable(target)
    return crash_log


def _show_unexpected(window: MainWindow) -> None:
    """An exception that nobody caught is logged and told; the window stays."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error("unexpected: %s", details)
        notice = Notice(
            kind=Kind.ERROR,
            title="Something went wrong inside Limner.",
            text="You can go on; save your picture to be safe.",
            details=details,
        )
        # Not at once: the exception may have come out of a paint event.
        QTimer.singleShot(0, window, lambda: window.notices.show_notice(notice))

    sys.excepthook = hook

"""The thread that drives a Backend: requests go in, events come out, exceptions stop here."""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from app.core.errors import Cancelled, EngineLostError, UnfinishedError, UserError, is_out_of_memory
from app.core.job import (
    Backend,
    Entered,
    Event,
    Failed,
    Finished,
    Made,
    Phase,
    Preview,
    Result,
    Started,
    Stepped,
    Stopped,
)
from app.core.request import Request

log = logging.getLogger(__name__)


class EngineState(Enum):
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True)
class EngineChanged:
    """How the Backend's own start goes; the sentences and the trace belong to FAILED, and to LOST: it ended while no
    job ran, and another one is started."""

    state: EngineState
    message: str = ""
    remedy: str = ""
    details: str = ""
    lost: bool = False
    """With FAILED: it has been lost too often to be started once more by itself."""


WorkerEvent = Event | EngineChanged


MakeBackend = Callable[[], Backend]


class InferenceWorker(QThread):
    """Does Requests one after another on its own thread, with a Backend that is made there, and made again when it is
    lost.

    ``happened`` is emitted on the thread that made the worker. Steps never pile up behind a busy window: a Stepped
    that nobody has seen yet is replaced by the next one of the same job. Every job that is submitted ends in exactly
    one of Finished, Stopped or Failed, whatever the Backend does.
    """

    happened = Signal(object)
    _posted = Signal()

    def __init__(self, make_backend: MakeBackend, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inference")
        self._make_backend = make_backend
        self._backend: Backend | None = None
        self._lost = False  # during the last job
        self._inbox: queue.SimpleQueue[tuple[int, Request] | MakeBackend | EngineLostError | None] = queue.SimpleQueue()
        self._outbox: deque[WorkerEvent] = deque()
        self._outbox_lock = threading.Lock()
        self._cancels: dict[int, threading.Event] = {}
        self._stopping = threading.Event()
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def submit(self, job_id: int, request: Request) -> None:
        """Line a job up. Returns at once."""
        self._cancels[job_id] = threading.Event()
        self._inbox.put((job_id, request))

    def cancel(self, job_id: int) -> None:
        """Ask a job to stop: seen by the Backend at its next step, by a waiting job when its turn comes."""
        # An Event and not a queued slot: the thread is busy inside run() and would see a slot only afterwards.
        if (cancel := self._cancels.get(job_id)) is not None:
            cancel.set()

    def replace(self, make_backend: MakeBackend) -> None:
        """Let another Backend do what is lined up from now on."""
        self._inbox.put(make_backend)

    def engine_lost(self, error: EngineLostError) -> None:
        """The Backend is gone though nothing was asked of it; from any thread."""
        self._post(EngineChanged(EngineState.LOST, error.message, error.remedy, error.details))
        self._inbox.put(error)

    def stop(self, patience_ms: int | None = None) -> bool:
        """Cancel everything, wait until the thread has ended, and deliver what it still had to say.

        ``patience_ms``: wait no longer than this, for as long as it takes if None. False when the thread still runs:
        then this object must not be destroyed.
        """
        self._stopping.set()
        for cancel in list(self._cancels.values()):
            cancel.set()
        self._inbox.put(None)
        ended = self.wait() if patience_ms is None else self.wait(patience_ms)
        self._deliver()
        return ended

    def run(self) -> None:
        """The thread's own life; called by Qt."""
        self._start_backend()
        while (item := self._inbox.get()) is not None:
            match item:
                case (job_id, request):
                    self._post(self._outcome(job_id, request, self._cancels[job_id]))
                    del self._cancels[job_id]
                case EngineLostError():
                    self._backend = None
                case _:
                    self._backend, self._make_backend = None, item
            if self._lost or not isinstance(item, tuple):
                self._lost = False
                self._start_backend()
        self._backend = None

    def _start_backend(self) -> EngineChanged | None:
        """Make the Backend if there is none; returns what went wrong."""
        if self._backend is not None or self._stopping.is_set():
            return None
        self._post(EngineChanged(EngineState.STARTING))
        try:
            self._backend = self._make_backend()
        except Cancelled:  # the studio is closing
            return None
        except BaseException as error:  # a failed import may raise anything, and the thread must live on
            failure = _why_not_started(error)
            self._post(failure)
            return failure
        self._post(EngineChanged(EngineState.READY))
        return None

    def _outcome(self, job_id: int, request: Request, cancel: threading.Event) -> Event:
        """Run one job to its end."""
        if cancel.is_set():
            return Stopped(job_id)
        self._post(Started(job_id))
        failure = self._start_backend()
        if failure is not None:
            return Failed(job_id, failure.message, failure.remedy, failure.details)
        if self._backend is None:
            return Stopped(job_id)  # the studio is closing
        try:
            result: Result = self._backend.run(request, _Hooks(job_id, cancel, self._post))
        except Cancelled:
            return Stopped(job_id)
        except EngineLostError as error:
            self._backend, self._lost = None, True
            return Stopped(job_id) if cancel.is_set() else _failed(job_id, error)
        except BaseException as error:  # whatever it is, the button must come back
            return _failed(job_id, error)
        # Whoever pressed Cancel must not be shown a picture after it, even one that was ready a moment before.
        return Stopped(job_id) if cancel.is_set() else Finished(job_id, result)

    def _post(self, event: WorkerEvent) -> None:
        with self._outbox_lock:
            last = self._outbox[-1] if self._outbox else None
            if isinstance(event, Stepped) and isinstance(last, Stepped) and last.job_id == event.job_id:
                self._outbox[-1] = event
                return
            self._outbox.append(event)
        self._posted.emit()

    @Slot()
    def _deliver(self) -> None:
        while True:
            with self._outbox_lock:
                if not self._outbox:
                    return
                event = self._outbox.popleft()
            self.happened.emit(event)


class _Hooks:
    """One job's Hooks."""

    def __init__(self, job_id: int, cancel: threading.Event, post: Callable[[WorkerEvent], None]) -> None:
        self._job_id = job_id
        self._cancel = cancel
        self._post = post

    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def entered(self, phase: Phase) -> None:
        self._post(Entered(self._job_id, phase))

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self._post(Stepped(self._job_id, step, total, preview))

    def made(self, candidate: Result) -> None:
        if not self._cancel.is_set():
            self._post(Made(self._job_id, candidate))


def _failed(job_id: int, error: BaseException) -> Failed:
    """What to tell the person; the trace goes into the log unless they can mend it themselves."""
    if isinstance(error, UnfinishedError):
        return Failed(job_id, error.message, error.remedy, trail=error.trail)
    if isinstance(error, EngineLostError):
        return Failed(job_id, error.message, error.remedy, error.details, lost=True)
    if isinstance(error, UserError):
        return Failed(job_id, error.message, error.remedy)
    log.error("job %d failed", job_id, exc_info=error)
    details = _trace(error)
    if is_out_of_memory(error):
        return Failed(
            job_id,
            "There was not enough memory to paint this.",
            "Choose a smaller size or paint a smaller area, and close other programs that use the graphics card.",
            details,
        )
    return Failed(
        job_id,
        "Something went wrong inside Limner while painting.",
        "Try again; if it happens once more, the details below help us to find out why.",
        details,
    )


def _why_not_started(error: BaseException) -> EngineChanged:
    if isinstance(error, EngineLostError):
        return EngineChanged(EngineState.FAILED, error.message, error.remedy, error.details, lost=True)
    if isinstance(error, UserError):
        return EngineChanged(EngineState.FAILED, error.message, error.remedy)
    log.error("the engine cannot be started", exc_info=error)
    return EngineChanged(
        EngineState.FAILED,
        "The painting engine could not be started.",
        "Press the button to try again; “limner doctor” in a terminal says what may be missing.",
        _trace(error),
    )


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))

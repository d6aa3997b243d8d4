"""The other side: an engine that does what comes in over a pipe, in a process that lives no longer than its studio."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from app.core.errors import Cancelled
from app.core.job import Backend, Entered, Finished, Made, Phase, Preview, Result, Stepped, Stopped
from app.process.frames import FrameError, Pipe, read_frame, write_frame
from app.process.messages import Beat, Cancel, Known, Ready, Run, Said, trouble_of

log = logging.getLogger(__name__)

_BEAT = 0.5
"""Seconds between two signs of life."""
_SOONEST = 0.05
"""Seconds between two steps that are told, but for the last: each wakes the studio, which takes a core from us."""
_PDEATHSIG = 1
_FIRST_TO_GO = 500
"""How much sooner than others, of 1000, Linux ends this process when memory runs out: never the window with the
picture in it."""


def serve(make_backend: Callable[[], Backend]) -> int:
    """Make the Backend and do Requests until the studio ends; returns the exit status."""
    incoming, outgoing = _take_pipes()
    _live_no_longer_than_the_studio()
    faulthandler.enable()  # a crash leaves the stacks of all threads among our last words
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the studio
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    desk = _Desk(incoming, outgoing)
    desk.open()
    gc.disable()  # looking through what is being imported, again and again, would take a quarter of the time
    try:
        backend = make_backend()
    except BaseException as error:  # a failed import may raise anything
        desk.say(trouble_of(None, error, _trace(error)))
        return 1
    gc.freeze()  # the libraries' million objects need not be searched again
    gc.enable()
    desk.say(Ready())
    while True:
        desk.do(backend, desk.jobs.get())


class _Desk:
    """Where jobs come in and news go out. A thread listens, so that a cancel is heard in the middle of a job."""

    def __init__(self, incoming: BinaryIO, outgoing: Pipe) -> None:
        self.jobs: queue.SimpleQueue[Run] = queue.SimpleQueue()
        self._incoming = incoming
        self._outgoing = outgoing
        self._mouth = threading.Lock()
        self._known: Known | None = None
        self._cancelled: set[int] = set()
        self._asked = 0

    def open(self) -> None:
        for work in (self._listen, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def say(self, said: Said) -> None:
        with self._mouth:
            try:
                write_frame(self._outgoing, said, self._known)
            except OSError:
                os._exit(0)  # nobody listens any more

    def do(self, backend: Backend, run: Run) -> None:
        """One job to its end."""
        self._known = Known(run.request)
        try:
            result = backend.run(run.request, _Hooks(run.job_id, self))
            said: Said = Finished(run.job_id, result)
        except Cancelled:
            said = Stopped(run.job_id)
        except BaseException as error:  # whatever it is, the studio must hear of it
            said = trouble_of(run.job_id, error, _trace(error))
        self.say(said)
        self._known = None
        self._cancelled.discard(run.job_id)

    def cancelled(self, job_id: int) -> bool:
        self._asked += 1
        return job_id in self._cancelled

    def made(self, job_id: int, candidate: Result) -> None:
        self.say(Made(job_id, candidate))
        if self._known is not None:
            self._known.made(candidate)

    def _listen(self) -> None:
        with contextlib.suppress(FrameError, OSError):
            while (asked := read_frame(self._incoming)) is not None:
                if isinstance(asked, Run):
                    self.jobs.put(asked)
                elif isinstance(asked, Cancel):
                    self._cancelled.add(asked.job_id)
        os._exit(0)  # the studio is gone, or speaks another language: nobody wants what is being painted

    def _beat(self) -> None:
        while True:
            time.sleep(_BEAT)
            self.say(Beat(self._asked, time.process_time()))


class _Hooks:
    """One job's Hooks."""

    def __init__(self, job_id: int, desk: _Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._job_id = job_id
        self._desk = desk
        self._clock = clock
        self._next = 0.0  # moment from which on a step is told

    def cancelled(self) -> bool:
        return self._desk.cancelled(self._job_id)

    def entered(self, phase: Phase) -> None:
        self._desk.say(Entered(self._job_id, phase))

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        now = self._clock()
        if now >= self._next or step == total:
            self._next = now + _SOONEST
            self._desk.say(Stepped(self._job_id, step, total, preview))

    def made(self, candidate: Result) -> None:
        self._desk.made(self._job_id, candidate)


def _take_pipes() -> tuple[BinaryIO, Pipe]:
    """The pipes that came as stdin and stdout, for us alone: what a library prints goes to stderr, into the log."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for end in (incoming, outgoing):
            msvcrt.setmode(end, os.O_BINARY)
    return cast(BinaryIO, open(incoming, "rb")), cast(Pipe, open(outgoing, "wb", buffering=0))


def _live_no_longer_than_the_studio() -> None:
    """The end of the pipe tells us on every system; Linux ends us also where Python's lock is held for ever."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        libc: Any = ctypes.CDLL(None)
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_GO))


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))

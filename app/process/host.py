"""The Backend that has another process do the work."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from app.core.errors import Cancelled, EngineLostError
from app.core.job import Entered, Finished, Hooks, Made, Result, Stepped, Stopped
from app.core.request import Request
from app.process.death import lost, too_often
from app.process.link import Link
from app.process.messages import Cancel, Ready, Run, Said, Trouble
from app.process.starting import Process, engine_command, start_process
from app.process.vitals import Patience

log = logging.getLogger(__name__)

MOST_DEATHS = 3
"""In a row, with no picture between them; then it is the person who asks for another try."""
_IN_A_ROW = 600.0
"""Seconds."""
_LOOK = 0.1
"""Seconds between two looks whether the person has cancelled. Each takes a core from the engine for a moment."""


class EngineHost:
    """Keeps one process with an engine alive and gives it one Request at a time.

    ``start`` and ``run`` are called on one thread, ``close`` on any. ``lost_idle`` is called, on whatever thread, when
    the process ends while no Request is asked of it. ``started``: the first process, where it is on its way already.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        patience: Patience | None = None,
        lost_idle: Callable[[EngineLostError], None] = lambda error: None,
        environment: Mapping[str, str] | None = None,
        started: Process | None = None,
    ) -> None:
        self.lost_idle = lost_idle
        self._command = command if command is not None else engine_command()
        self._environment = environment
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._link: Link | None = None if started is None else Link(started, self._patience, self._on_gone)
        self._awaited = False  # something of the process: then whoever waits tells of its death
        self._closed = False
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)
        self._numbers = 0

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        link = self._link
        return link.pid if link is not None and link.alive else None

    def start(self) -> EngineHost:
        """Return once an engine is ready. Raises EngineLostError when it has been lost too often, Cancelled when
        closed, and what kept the engine from being made."""
        while True:
            if self.pid is None and len(self._deaths) == MOST_DEATHS and self._deaths[0] > time.monotonic() - _IN_A_ROW:
                self._deaths.popleft()  # whoever asks again gets one try
                link = self._link
                raise too_often(MOST_DEATHS, *((link.status, link.fault, link.last_words) if link else (None, "", "")))
            try:
                self._await_ready()
                return self
            except EngineLostError as error:
                self.lost_idle(error)

    def _await_ready(self) -> None:
        link = self._living()
        try:
            while not link.ready:
                said = self._next(link)
                if isinstance(said, Trouble):
                    raise said.as_error()
                link.ready = isinstance(said, Ready)
        finally:
            self._rest(link)

    def run(self, request: Request, hooks: Hooks) -> Result:
        """See ``app.core.job.Backend``; raises EngineLostError too."""
        self.start()  # it may have died between two jobs
        link = self._living()
        self._numbers += 1
        link.ask(Run(self._numbers, request))
        try:
            result = self._follow(link, self._numbers, hooks)
        finally:
            link.forget()
            self._rest(link)
        self._deaths.clear()
        return result

    def close(self) -> None:
        """End the process at once, in the middle of whatever it does."""
        with self._lock:
            self._closed = True
        if self._link is not None:
            self._link.end()

    def dismiss(self) -> None:
        """Let the process go for now: another engine does the work."""
        with self._lock:
            link, self._link = self._link, None
        self._deaths.clear()  # who wants it back later begins anew
        if link is not None:
            link.end()

    def _spawn(self) -> None:
        with self._lock:
            if not self._closed and (self._link is None or not self._link.alive):
                process = start_process(self._command, self._environment)
                self._link = Link(process, self._patience, self._on_gone)

    def _living(self) -> Link:
        """The process, from which something is awaited from now on."""
        self._spawn()
        link = self._link
        if link is None or self._closed:
            raise Cancelled
        self._awaited = True
        link.vitals.begin()
        return link

    def _rest(self, link: Link) -> None:
        """Nothing is awaited any more."""
        self._awaited = False
        if link.drained or not link.alive:
            self._on_gone(link)

    def _follow(self, link: Link, job_id: int, hooks: Hooks) -> Result:
        cancelled = False
        while True:
            said = self._next(link)
            if not cancelled and hooks.cancelled():
                cancelled = True
                link.ask(Cancel(job_id))
                link.vitals.cancelled()
            match said:
                case Entered(phase=phase):
                    hooks.entered(phase)
                case Stepped(step=step, total=total, preview=preview):
                    hooks.stepped(step, total, preview)
                case Made(candidate=candidate):
                    hooks.made(candidate)
                case Finished(result=result):
                    return result
                case Stopped():
                    raise Cancelled
                case Trouble():
                    raise said.as_error()

    def _next(self, link: Link) -> Said | None:
        """What it says, None if nothing for a moment. Raises EngineLostError, Cancelled when closed."""
        said = link.hear(_LOOK)
        if self._closed:
            raise Cancelled
        if link.drained:
            with self._lock:
                link.mourned = True
            raise self._lost(link)
        if fault := link.vitals.failing():
            link.give_up(fault)
        return said

    def _on_gone(self, link: Link) -> None:
        with self._lock:
            ours = link.ready and link is self._link and not (self._awaited or self._closed or link.mourned)
            link.mourned = link.mourned or ours
        if ours:
            self.lost_idle(self._lost(link))

    def _lost(self, link: Link) -> EngineLostError:
        self._deaths.append(time.monotonic())
        error = lost(link.status, link.fault, link.last_words)
        log.info("the engine's process %d is gone: %s", link.pid, error.message)
        return error

"""The jobs in their order and what is known of each, kept on the window's thread."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from typing import assert_never

from PySide6.QtCore import QObject, Signal, Slot

from app.core.job import (
    Entered,
    Event,
    Failed,
    Finished,
    Job,
    JobState,
    Made,
    Result,
    Started,
    Stepped,
    Stopped,
)
from app.core.request import Request
from app.jobs.worker import EngineChanged, EngineState, InferenceWorker, WorkerEvent

_RECENT = 8
"""Steps that the estimate of the time left looks back on."""


class JobQueue(QObject):
    """Owns every Job until it has ended. ``apply`` is the only place where one changes because of an event.

    A cancel is acknowledged at once: a waiting job ends, a running one has ``cancel_asked`` and ends within a step.
    """

    changed = Signal(object)
    """A Job, after anything about it has changed."""
    previewed = Signal(object, object)
    """A Job and its newest Preview."""
    made = Signal(object, object)
    """A Job and one candidate: for each that there is, once, as soon as it is there."""
    finished = Signal(object, object)
    """A Job and its Result."""
    failed = Signal(object, object)
    """A Job and its Failed."""
    engine_changed = Signal(object)
    """An EngineChanged."""

    def __init__(
        self,
        worker: InferenceWorker,
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._worker = worker
        self._clock = clock
        self._ids = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._last_step = (0, 0.0)  # of the running job: step and when it came
        self._engine = EngineChanged(EngineState.STARTING)
        worker.happened.connect(self.apply)

    @property
    def engine(self) -> EngineChanged:
        return self._engine

    @property
    def running(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.state is JobState.RUNNING), None)

    @property
    def waiting(self) -> tuple[Job, ...]:
        return tuple(job for job in self._jobs.values() if job.state is JobState.QUEUED)

    @property
    def current(self) -> Job | None:
        """The job that the person thinks of: the running one, else the first that waits for the engine."""
        return self.running or next(iter(self.waiting), None)

    def submit(self, request: Request) -> int:
        job = Job(next(self._ids), request)
        self._jobs[job.id] = job
        self._worker.submit(job.id, request)
        self.changed.emit(job)
        return job.id

    def cancel(self, job_id: int) -> None:
        """Stop a job; one that has ended already is left alone."""
        job = self._jobs.get(job_id)
        if job is None or job.cancel_asked:
            return
        job.cancel_asked = True
        self._worker.cancel(job_id)
        if job.state is JobState.QUEUED:
            self._end(job, JobState.CANCELLED)
        else:
            self.changed.emit(job)

    def cancel_all(self) -> None:
        for job_id in reversed(list(self._jobs)):  # the last first, so that no waiting one starts meanwhile
            self.cancel(job_id)

    def time_left(self, job_id: int) -> float | None:
        """Seconds until the last step, or None while there is nothing to judge by."""
        job = self._jobs.get(job_id)
        if job is None or not job.step_times:
            return None
        return statistics.median(job.step_times[-_RECENT:]) * (job.total - job.step)

    @Slot(object)
    def apply(self, event: WorkerEvent) -> None:
        """Take in one event: the one reducer."""
        if isinstance(event, EngineChanged):
            self._engine = event
            self.engine_changed.emit(event)
            return
        job = self._jobs.get(event.job_id)
        if job is not None:  # one that was cancelled while it waited is gone already
            self._apply_to(job, event)

    def _apply_to(self, job: Job, event: Event) -> None:
        match event:
            case Started():
                job.state = JobState.RUNNING
                self._last_step = (0, self._clock())
                self.changed.emit(job)
            case Entered(phase=phase):
                job.phase = phase
                self.changed.emit(job)
            case Stepped():
                self._step(job, event)
            case Made(candidate=candidate):
                self._make(job, candidate)
            case Finished(result=result):
                stale = job.cancel_asked  # ready at the moment of the cancel: nobody wants it any more
                for candidate in () if stale else result.candidates[job.made :]:
                    self._make(job, candidate)
                self._end(job, JobState.CANCELLED if stale else JobState.FINISHED)
                if not stale:
                    self.finished.emit(job, result)
            case Stopped():
                self._end(job, JobState.CANCELLED)
            case Failed():
                self._end(job, JobState.FAILED)
                self.failed.emit(job, event)
            case _:
                assert_never(event)

    def _make(self, job: Job, candidate: Result) -> None:
        job.made += 1
        self.made.emit(job, candidate)

    def _step(self, job: Job, event: Stepped) -> None:
        step, then = self._last_step
        now = self._clock()
        if step > 0 and event.step > step:  # the first step holds loading and warming up and says nothing
            job.step_times.append((now - then) / (event.step - step))
        self._last_step = (event.step, now)
        job.step, job.total = event.step, event.total
        self.changed.emit(job)
        if event.preview is not None and not job.cancel_asked:
            self.previewed.emit(job, event.preview)

    def _end(self, job: Job, state: JobState) -> None:
        job.state = state
        del self._jobs[job.id]
        self.changed.emit(job)

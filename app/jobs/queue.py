"""The jobs in their order and what is known of each, kept on the window's thread."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
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
    Phase,
    Place,
    Purpose,
    Result,
    Started,
    Stepped,
    Stopped,
)
from app.core.request import Request
from app.jobs.pace import Pace
from app.jobs.worker import EngineChanged, EngineState, InferenceWorker, WorkerEvent

_RECENT = 8
"""Steps that the estimate of the time left looks back on."""


class JobQueue(QObject):
    """Owns every Job until it has ended. ``apply`` is the only place where one changes because of an event.

    The worker is given one job at a time, when it has ended the one before, so the others can be put into another
    order until their turn comes. While the queue is paused, only what passes (Purpose.passing) is begun. A cancel is
    acknowledged at once: a waiting job ends, a running one has ``cancel_asked`` and ends within a step.
    """

    changed = Signal(object)
    """A Job, after anything about it has changed."""
    lined_up = Signal()
    """Other jobs wait, or in another order, or the queue was paused or goes on."""
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
        self._groups = itertools.count(1)
        self._jobs: dict[int, Job] = {}  # the waiting ones in the order in which they will be done
        self._handed: int | None = None  # the job that the worker has, until it says that it has ended
        self._paused = False
        self._last_step = (0, 0.0)  # of the running job: step and when it came
        self._loaded_at: float | None = None  # when the running job's model was there
        self._pace = Pace()
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

    @property
    def paused(self) -> bool:
        return self._paused

    def new_group(self) -> int:
        """A number for jobs that are asked for together."""
        return next(self._groups)

    def submit(
        self,
        request: Request,
        *,
        place: Place = Place.LAST,
        purpose: Purpose = Purpose.PICTURE,
        group: int = 0,
        title: str = "",
    ) -> int:
        job = Job(next(self._ids), request, purpose=purpose, group=group, title=title)
        self._jobs = {job.id: job, **self._jobs} if place is Place.FIRST else {**self._jobs, job.id: job}
        self.changed.emit(job)
        self.lined_up.emit()
        self._hand_on()
        return job.id

    def reorder(self, ids: Sequence[int]) -> None:
        """Do these next, in this order, and then the others as they stand. Jobs that wait no more are passed over."""
        named = [id for id in dict.fromkeys(ids) if id in self._jobs]
        order = [*named, *(id for id in self._jobs if id not in named)]
        if order != list(self._jobs):
            self._jobs = {id: self._jobs[id] for id in order}
            self.lined_up.emit()

    def pause(self) -> None:
        """Begin nothing more; the running job goes on to its end."""
        self._set_paused(True)

    def go_on(self) -> None:
        self._set_paused(False)

    def cancel(self, job_id: int) -> None:
        """Stop a job; one that has ended already is left alone."""
        job = self._jobs.get(job_id)
        if job is None or job.cancel_asked:
            return
        job.cancel_asked = True
        if job_id == self._handed:
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
        if job is None:
            return None
        if job.state is JobState.QUEUED:
            return self.expected(job.request)
        if not job.step_times:
            return None
        return statistics.median(job.step_times[-_RECENT:]) * (job.total - job.step)

    def expected(self, request: Request) -> float | None:
        """Seconds that this would take, or None while there is nothing to judge by."""
        return self._pace.seconds(request)

    def all_time_left(self) -> float | None:
        """Seconds until nothing waits any more, or None while that cannot be told."""
        each = [self.time_left(id) for id in self._jobs]
        return None if None in each else sum(seconds for seconds in each if seconds is not None)

    @Slot(object)
    def apply(self, event: WorkerEvent) -> None:
        """Take in one event: the one reducer."""
        if isinstance(event, EngineChanged):
            self._engine = event
            self.engine_changed.emit(event)
            self._hand_on()
            return
        job = self._jobs.get(event.job_id)
        if job is not None:  # one that was cancelled while it waited is gone already
            self._apply_to(job, event)
        if isinstance(event, Finished | Stopped | Failed) and event.job_id == self._handed:
            self._handed = None
            self._hand_on()

    def _apply_to(self, job: Job, event: Event) -> None:
        match event:
            case Started():
                job.state = JobState.RUNNING
                self._last_step = (0, self._clock())
                self._loaded_at = None
                self.changed.emit(job)
                self.lined_up.emit()
            case Entered(phase=phase):
                job.phase = phase
                if phase is not Phase.LOADING and self._loaded_at is None:
                    self._loaded_at = self._clock()
                self.changed.emit(job)
            case Stepped():
                self._step(job, event)
            case Made(candidate=candidate):
                self._make(job, candidate)
            case Finished(result=result):
                if self._loaded_at is not None:
                    self._pace.learn(job.request, self._clock() - self._loaded_at)
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
        waited = job.state is JobState.QUEUED
        job.state = state
        del self._jobs[job.id]
        self.changed.emit(job)
        if waited:
            self.lined_up.emit()

    def _set_paused(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused = paused
            self.lined_up.emit()
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the worker the next job, if it has none. Not while the engine starts: until then all can be changed."""
        if self._handed is not None or self._engine.state is EngineState.STARTING:
            return
        ready = (job for job in self.waiting if job.purpose.passing or not self._paused)
        if (job := next(ready, None)) is not None:
            self._handed = job.id
            self._worker.submit(job.id, job.request)

"""The queue: order, states and the time left, from scripted events without a thread."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QObject, Signal

from app.core.geometry import Size
from app.core.job import (
    Entered,
    Failed,
    Finished,
    Job,
    JobState,
    Made,
    Phase,
    Place,
    Purpose,
    Started,
    Stepped,
    Stopped,
)
from app.core.request import Request
from app.jobs.queue import JobQueue
from app.jobs.worker import EngineChanged, EngineState
from tests.fakes import FakeBackend, result_of

REQUEST = Request(prompt="a lake", model="m", size=Size(16, 8), steps=4)


class FakeWorker(QObject):
    """Takes what the queue says and does nothing."""

    happened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[int] = []
        self.cancelled: list[int] = []

    def submit(self, job_id: int, request: Request) -> None:
        self.submitted.append(job_id)

    def cancel(self, job_id: int) -> None:
        self.cancelled.append(job_id)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def worker(qapp) -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(worker: FakeWorker, clock: Clock) -> JobQueue:
    queue = JobQueue(worker, clock=clock)
    queue.apply(EngineChanged(EngineState.READY))
    return queue


@pytest.fixture
def states(queue: JobQueue) -> list[tuple[int, JobState]]:
    seen: list[tuple[int, JobState]] = []
    queue.changed.connect(lambda job: seen.append((job.id, job.state)))
    return seen


def preview():
    return FakeBackend()._preview(REQUEST, 1)


def waiting(queue: JobQueue) -> list[int]:
    return [job.id for job in queue.waiting]


def test_jobs_are_numbered_and_handed_on_one_by_one(queue: JobQueue, worker: FakeWorker) -> None:
    assert [queue.submit(REQUEST) for _ in range(3)] == [1, 2, 3]
    assert worker.submitted == [1]
    assert waiting(queue) == [1, 2, 3]
    assert queue.running is None
    assert queue.current is not None
    assert queue.current.id == 1
    queue.apply(Started(1))
    queue.apply(Finished(1, result_of(REQUEST)))
    queue.apply(Failed(2, "It broke.", "Mend it."))
    queue.apply(Stopped(3))
    assert worker.submitted == [1, 2, 3]
    assert queue.current is None


def test_nothing_is_handed_on_before_the_engine_is_there(worker: FakeWorker) -> None:
    queue = JobQueue(worker)
    queue.submit(REQUEST)
    first = queue.submit(REQUEST, place=Place.FIRST)
    assert worker.submitted == []
    queue.apply(EngineChanged(EngineState.READY))
    assert worker.submitted == [first]


def test_an_engine_that_failed_is_tried_again_with_the_next_job(worker: FakeWorker) -> None:
    queue = JobQueue(worker)
    queue.apply(EngineChanged(EngineState.FAILED, "No.", "Yes."))
    assert worker.submitted == [queue.submit(REQUEST)]


def test_the_order_can_be_changed_while_jobs_wait(queue: JobQueue, worker: FakeWorker) -> None:
    told: list[list[int]] = []
    running, second, third, fourth = (queue.submit(REQUEST) for _ in range(4))
    queue.apply(Started(running))
    queue.lined_up.connect(lambda: told.append(waiting(queue)))
    queue.reorder([fourth, second])
    assert waiting(queue) == [fourth, second, third]
    queue.reorder([fourth, 99])  # no change, and one that is gone
    assert told == [[fourth, second, third]]
    urgent = queue.submit(REQUEST, place=Place.FIRST)
    assert waiting(queue) == [urgent, fourth, second, third]
    queue.apply(Stopped(running))
    assert worker.submitted == [running, urgent]


def test_a_paused_queue_begins_nothing_but_what_passes(queue: JobQueue, worker: FakeWorker) -> None:
    running, second = queue.submit(REQUEST), queue.submit(REQUEST)
    queue.apply(Started(running))
    queue.pause()
    assert queue.paused
    queue.apply(Finished(running, result_of(REQUEST)))
    assert worker.submitted == [running]
    glance = queue.submit(REQUEST, purpose=Purpose.LOOK)
    assert worker.submitted == [running, glance]
    queue.apply(Started(glance))
    queue.apply(Finished(glance, result_of(REQUEST)))
    assert waiting(queue) == [second]
    queue.go_on()
    assert worker.submitted == [running, glance, second]


def test_a_removed_job_is_never_handed_on(queue: JobQueue, worker: FakeWorker) -> None:
    running, second, third = (queue.submit(REQUEST) for _ in range(3))
    queue.apply(Started(running))
    queue.cancel(second)
    queue.apply(Finished(running, result_of(REQUEST)))
    assert worker.submitted == [running, third]
    assert worker.cancelled == []


def test_each_job_keeps_its_own_request(queue: JobQueue) -> None:
    for seed in (3, 4):
        queue.submit(replace(REQUEST, seed=seed))
    assert [job.request.seed for job in queue.waiting] == [3, 4]


def test_a_job_runs_through_its_states(queue: JobQueue, states: list) -> None:
    done = []
    queue.finished.connect(lambda job, result: done.append((job, result)))
    job_id, result = queue.submit(REQUEST), result_of(REQUEST)
    for event in (
        Started(job_id),
        Entered(job_id, Phase.DENOISING),
        Stepped(job_id, 1, 4, None),
        Finished(job_id, result),
    ):
        queue.apply(event)
    assert [state for _, state in states] == [
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.RUNNING,
        JobState.RUNNING,
        JobState.FINISHED,
    ]
    assert done[0][1] is result
    assert (done[0][0].step, done[0][0].total) == (1, 4)
    assert queue.current is None


@pytest.mark.parametrize("early", [0, 1, 3])
def test_every_candidate_is_told_once_as_early_as_it_is_there(queue: JobQueue, early: int) -> None:
    told: list[int] = []
    queue.made.connect(lambda job, candidate: told.append(candidate.request.seed))
    queue.finished.connect(lambda job, result: told.append(-1))
    first, second, third = (result_of(replace(REQUEST, seed=seed)) for seed in (7, 8, 9))
    job_id = queue.submit(REQUEST)
    queue.apply(Started(job_id))
    for candidate in (first, second, third)[:early]:
        queue.apply(Made(job_id, candidate))
    assert told == [7, 8, 9][:early]
    queue.apply(Finished(job_id, replace(first, more=(second, third))))
    assert told == [7, 8, 9, -1]


def test_a_waiting_job_ends_at_the_moment_of_its_cancel(queue: JobQueue, worker: FakeWorker, states: list) -> None:
    job_id = queue.submit(REQUEST)
    queue.cancel(job_id)
    assert states[-1] == (job_id, JobState.CANCELLED)
    assert worker.cancelled == [job_id]
    queue.apply(Stopped(job_id))  # the worker says so later; nothing more happens
    assert len(states) == 2


def test_a_running_job_acknowledges_its_cancel_at_once(queue: JobQueue) -> None:
    asked, shown = [], []
    job_id = queue.submit(REQUEST)
    queue.apply(Started(job_id))
    queue.changed.connect(lambda job: asked.append(job.cancel_asked))
    queue.previewed.connect(lambda job, preview: shown.append(preview))
    queue.cancel(job_id)
    assert asked == [True]
    queue.apply(Stepped(job_id, 2, 4, preview()))  # one that was on its way
    assert shown == []
    queue.cancel(job_id)
    assert len(asked) == 2


def test_a_result_that_crosses_a_cancel_is_dropped(queue: JobQueue, states: list) -> None:
    done = []
    queue.finished.connect(lambda job, result: done.append(result))
    job_id = queue.submit(REQUEST)
    queue.apply(Started(job_id))
    queue.cancel(job_id)
    queue.apply(Finished(job_id, result_of(REQUEST)))
    assert done == []
    assert states[-1] == (job_id, JobState.CANCELLED)


def test_cancel_all_leaves_none(queue: JobQueue, states: list) -> None:
    first, second, third = (queue.submit(REQUEST) for _ in range(3))
    queue.apply(Started(first))
    queue.cancel_all()
    queue.apply(Stopped(first))
    assert {id for id, state in states if state is JobState.CANCELLED} == {first, second, third}
    assert queue.current is None


def test_a_failure_is_told_with_its_sentences(queue: JobQueue, states: list) -> None:
    told: list[tuple[Job, Failed]] = []
    queue.failed.connect(lambda job, failed: told.append((job, failed)))
    job_id = queue.submit(REQUEST)
    queue.apply(Started(job_id))
    queue.apply(Failed(job_id, "It broke.", "Mend it.", "trace"))
    assert told[0][1].remedy == "Mend it."
    assert states[-1] == (job_id, JobState.FAILED)


def test_the_time_left_follows_the_steps_but_not_the_first(queue: JobQueue, clock: Clock) -> None:
    job_id = queue.submit(REQUEST)
    queue.apply(Started(job_id))
    for step, now in ((1, 30.0), (2, 32.0)):  # loading and warming up took 30 seconds
        clock.now = now
        queue.apply(Stepped(job_id, step, 10, None))
        assert queue.time_left(job_id) == (None if step == 1 else pytest.approx(16.0))
    clock.now = 38.0
    queue.apply(Stepped(job_id, 5, 10, None))  # two in between were never seen
    assert queue.time_left(job_id) == pytest.approx(10.0)
    assert queue.time_left(99) is None


def test_the_time_of_all_that_waits_is_judged_by_what_was_done(queue: JobQueue, clock: Clock) -> None:
    first = queue.submit(REQUEST)
    assert queue.all_time_left() is None
    queue.apply(Started(first))
    clock.now = 30.0
    queue.apply(Entered(first, Phase.LOADING))
    queue.apply(Entered(first, Phase.ENCODING))  # loading took 30 seconds and says nothing
    clock.now = 38.0
    queue.apply(Finished(first, result_of(REQUEST)))
    assert queue.all_time_left() == 0.0
    queue.submit(replace(REQUEST, steps=8))  # twice the steps
    queue.submit(replace(REQUEST, count=3))
    assert queue.all_time_left() == pytest.approx(16.0 + 24.0)
    queue.submit(replace(REQUEST, size=Size(16, 16), guidance=1.0))  # twice the pixels, half the work on each
    assert queue.all_time_left() == pytest.approx(16.0 + 24.0 + 8.0)
    queue.submit(replace(REQUEST, model="another"))
    assert queue.all_time_left() is None


def test_the_engine_state_is_kept_and_told(queue: JobQueue) -> None:
    told = []
    queue.engine_changed.connect(told.append)
    assert JobQueue(FakeWorker()).engine.state is EngineState.STARTING
    queue.apply(EngineChanged(EngineState.FAILED))
    assert queue.engine.state is EngineState.FAILED
    assert told == [queue.engine]


def test_events_of_unknown_jobs_are_passed_over(queue: JobQueue, states: list) -> None:
    queue.apply(Started(7))
    assert states == []

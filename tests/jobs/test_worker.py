"""The worker: every job ends in exactly one way, and nothing that a Backend does can take it down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QThread

from app.core.errors import UserError
from app.core.geometry import Size
from app.core.job import Backend, Failed, Finished, Hooks, Made, Result, Started, Stepped, Stopped
from app.core.request import Request
from app.jobs.worker import EngineChanged, EngineState, InferenceWorker
from tests.fakes import FakeBackend, result_of

Start = Callable[[Callable[[], Backend]], tuple[InferenceWorker, list]]


def request(steps: int = 3, **changes: object) -> Request:
    return Request(prompt="a lake", model="m", size=Size(16, 8), steps=steps, **changes)


@pytest.fixture
def start(qtbot) -> Iterator[Start]:
    workers = []

    def make(make_backend: Callable[[], Backend]) -> tuple[InferenceWorker, list]:
        worker, events = InferenceWorker(make_backend), []
        worker.happened.connect(events.append)
        workers.append(worker)
        worker.start()
        return worker, events

    yield make
    for worker in workers:
        worker.stop()
        assert worker.isFinished()


def ended(events: list, count: int = 1) -> bool:
    return sum(isinstance(event, Finished | Stopped | Failed) for event in events) >= count


def test_a_job_starts_steps_and_finishes_on_another_thread(qtbot, start) -> None:
    threads = []

    class Watching(FakeBackend):
        def run(self, request: Request, hooks: Hooks) -> Result:
            threads.append(threading.current_thread())
            return super().run(request, hooks)

    worker, events = start(Watching)
    worker.submit(1, request())
    qtbot.waitUntil(lambda: ended(events))
    kinds = [type(event) for event in events if not isinstance(event, EngineChanged)]
    assert kinds[0] is Started
    assert kinds[-1] is Finished
    assert [event.step for event in events if isinstance(event, Stepped)][-1] == 3
    assert sum(isinstance(event, Made) for event in events) == 1
    assert threads != [threading.main_thread()]
    assert [event.state for event in events if isinstance(event, EngineChanged)] == [
        EngineState.STARTING,
        EngineState.READY,
    ]


def test_steps_do_not_pile_up_behind_a_busy_window(qtbot, start) -> None:
    backend = FakeBackend()
    worker, events = start(lambda: backend)
    qtbot.waitUntil(lambda: EngineChanged(EngineState.READY) in events)
    worker.submit(1, request(steps=400))
    while backend.steps_done < 400:  # the window handles no event meanwhile
        QThread.msleep(1)
    qtbot.waitUntil(lambda: ended(events))
    steps = [event.step for event in events if isinstance(event, Stepped)]
    assert steps[-1] == 400
    assert len(steps) <= 2


@pytest.mark.expects_log
@pytest.mark.parametrize(
    ("error", "words", "has_details"),
    [
        (UserError("The model is damaged.", "Get it again."), "The model is damaged.", False),
        (RuntimeError("boom"), "Something went wrong inside Limner while painting.", True),
        (MemoryError(), "There was not enough memory to paint this.", True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "There was not enough memory to paint this.", True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            "There was not enough memory to paint this.",
            True,
        ),
        (KeyboardInterrupt(), "Something went wrong inside Limner while painting.", True),
        (SystemExit(3), "Something went wrong inside Limner while painting.", True),
    ],
)
def test_whatever_is_raised_becomes_a_failure_and_the_next_job_runs(
    qtbot, start, error: BaseException, words: str, has_details: bool
) -> None:
    backend = FakeBackend(error=error)
    worker, events = start(lambda: backend)
    worker.submit(1, request())
    qtbot.waitUntil(lambda: ended(events))
    failed = next(event for event in events if isinstance(event, Failed))
    assert failed.message == words
    assert failed.remedy
    assert bool(failed.details) is has_details
    backend.error = None
    worker.submit(2, request())
    qtbot.waitUntil(lambda: ended(events, 2))
    assert isinstance(events[-1], Finished)


def test_a_user_error_is_no_news_for_the_log(qtbot, start, caplog) -> None:
    worker, events = start(lambda: FakeBackend(error=UserError("No.", "Yes.")))
    worker.submit(1, request())
    qtbot.waitUntil(lambda: ended(events))
    assert not caplog.records


@pytest.mark.expects_log
def test_a_bug_is_logged_with_its_trace(qtbot, start, caplog) -> None:
    worker, events = start(lambda: FakeBackend(error=RuntimeError("boom")))
    worker.submit(1, request())
    qtbot.waitUntil(lambda: ended(events))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "boom" in caplog.text


def test_cancel_takes_effect_within_one_step(qtbot, start) -> None:
    backend = FakeBackend(gated=True)
    worker, events = start(lambda: backend)
    worker.submit(1, request(steps=50))
    backend.release(2)
    qtbot.waitUntil(lambda: backend.steps_done == 2)
    worker.cancel(1)
    qtbot.waitUntil(lambda: ended(events))
    assert events[-1] == Stopped(1)
    assert backend.steps_done == 2


def test_a_waiting_job_that_is_cancelled_never_starts(qtbot, start) -> None:
    backend = FakeBackend(gated=True)
    worker, events = start(lambda: backend)
    worker.submit(1, request())
    worker.submit(2, request())
    worker.cancel(2)
    backend.release(3)
    qtbot.waitUntil(lambda: ended(events, 2))
    assert Started(2) not in events
    assert events[-1] == Stopped(2)


def test_a_result_that_raced_with_a_cancel_is_stopped(qtbot, start) -> None:
    worker: InferenceWorker

    def cancel_at_the_last_moment(asked: Request) -> Result:
        worker.cancel(1)
        return result_of(asked)

    worker, events = start(lambda: FakeBackend(make_result=cancel_at_the_last_moment))
    worker.submit(1, request())
    qtbot.waitUntil(lambda: ended(events))
    assert events[-1] == Stopped(1)


@pytest.mark.expects_log
def test_a_backend_that_cannot_be_made_fails_the_job_and_is_tried_again(qtbot, start) -> None:
    broken = threading.Event()
    broken.set()

    def make() -> Backend:
        if broken.is_set():
            raise ImportError("libtorch is missing")
        return FakeBackend()

    worker, events = start(make)
    qtbot.waitUntil(lambda: any(isinstance(e, EngineChanged) and e.state is EngineState.FAILED for e in events))
    worker.submit(1, request())
    qtbot.waitUntil(lambda: ended(events))
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert failed.message == "The painting engine could not be started."
    assert "libtorch is missing" in failed.details
    broken.clear()
    worker.submit(2, request())
    qtbot.waitUntil(lambda: ended(events, 2))
    assert isinstance(events[-1], Finished)


def test_jobs_wait_for_the_engine_and_start_by_themselves(qtbot, start) -> None:
    ready = threading.Event()

    def make() -> Backend:
        ready.wait()
        return FakeBackend()

    worker, events = start(make)
    worker.submit(1, request())
    qtbot.wait(30)
    assert events == [EngineChanged(EngineState.STARTING)]
    ready.set()
    qtbot.waitUntil(lambda: ended(events))
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("jobs", [0, 1, 3])
def test_stop_ends_the_thread_also_in_the_middle_of_a_job(qtbot, start, jobs: int) -> None:
    backend = FakeBackend(gated=True)
    worker, events = start(lambda: backend)
    for job_id in range(1, jobs + 1):
        worker.submit(job_id, request(steps=50))
    if jobs:
        qtbot.waitUntil(lambda: Started(1) in events)
    worker.stop()
    assert worker.isFinished()
    assert [event for event in events if isinstance(event, Stopped)] == [Stopped(id) for id in range(1, jobs + 1)]


def test_stop_waits_no_longer_than_it_is_told(qtbot, start) -> None:
    ready = threading.Event()

    def make() -> Backend:
        ready.wait()
        return FakeBackend()

    worker, events = start(make)
    qtbot.waitUntil(lambda: bool(events))  # it is being made
    assert not worker.stop(patience_ms=20)
    assert worker.isRunning()
    ready.set()
    assert worker.stop()

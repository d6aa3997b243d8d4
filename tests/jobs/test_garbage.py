"""Reference cycles are collected on the window's thread only."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from app.jobs.garbage import GarbageCollector
from app.jobs.worker import EngineChanged, EngineState


class Cycle:
    """Garbage that notes on which thread it dies."""

    def __init__(self, deaths: list[threading.Thread]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: deaths.append(threading.current_thread())).atexit = False


@pytest.fixture
def garbage(qtbot: Any) -> Iterator[GarbageCollector]:
    gc.enable()
    collector = GarbageCollector()
    yield collector
    collector.stop()


def elsewhere(work: Any) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_thread_that_makes_many_objects_destroys_none(garbage: GarbageCollector) -> None:
    deaths: list[threading.Thread] = []
    Cycle(deaths)
    elsewhere(lambda: [[] for _ in range(200_000)]).join()
    assert not deaths
    for _ in range(200):  # the young are looked at first
        keep = [[] for _ in range(2000)]
        garbage.tidy()
        if deaths:
            break
    del keep
    assert deaths == [threading.main_thread()]


def test_a_thread_that_asks_gets_it_done_here(garbage: GarbageCollector, qtbot: Any) -> None:
    deaths: list[threading.Thread] = []
    Cycle(deaths)
    thread = elsewhere(garbage.collect)
    qtbot.waitUntil(lambda: not thread.is_alive())
    assert deaths == [threading.main_thread()]


def test_nobody_waits_for_a_studio_that_closes(garbage: GarbageCollector) -> None:
    entered = threading.Event()

    def ask() -> None:
        entered.set()
        garbage.collect()

    thread = elsewhere(ask)
    entered.wait(5)
    garbage.stop()
    thread.join(5)
    assert not thread.is_alive()
    elsewhere(garbage.collect).join(1)


def test_python_collects_again_afterwards(garbage: GarbageCollector) -> None:
    assert not gc.isenabled()
    garbage.stop()
    assert gc.isenabled()


def test_it_rests_while_the_engine_is_imported(garbage: GarbageCollector) -> None:
    garbage.follow(EngineChanged(EngineState.READY))
    assert garbage._timer.isActive()
    garbage.follow(EngineChanged(EngineState.STARTING))
    assert not garbage._timer.isActive()
    garbage.follow(EngineChanged(EngineState.FAILED))
    assert garbage._timer.isActive()

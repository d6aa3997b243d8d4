"""Work in the background: outcomes arrive on the window's thread, in order, and none after the end."""

from __future__ import annotations

import threading
import time

from app.jobs.background import Background


def test_the_outcome_arrives_here_and_the_work_is_done_elsewhere(qtbot) -> None:
    background, seen = Background(), []
    background.run(threading.current_thread, lambda worked_on: seen.append(worked_on), seen.append)
    assert background.busy
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0] is not threading.main_thread()
    assert not background.busy
    background.stop()


def test_an_error_arrives_as_one(qtbot) -> None:
    background, errors = Background(), []
    background.run(lambda: 1 / 0, lambda _: None, errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], ZeroDivisionError)
    background.stop()


def test_work_is_done_in_the_order_given(qtbot) -> None:
    background, seen = Background(), []

    def slow() -> str:
        time.sleep(0.05)
        return "first"

    background.run(slow, seen.append, seen.append)
    background.run(lambda: "second", seen.append, seen.append)
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen == ["first", "second"]
    background.stop()


def test_stop_waits_for_the_work_and_delivers_nothing(qtbot) -> None:
    background, seen, done = Background(), [], []

    def slow() -> None:
        time.sleep(0.05)
        done.append(True)

    background.run(slow, lambda _: seen.append(True), seen.append)
    background.stop()
    assert done == [True]
    qtbot.wait(10)
    assert seen == []
    background.run(slow, seen.append, seen.append)  # too late: nothing begins
    assert done == [True]

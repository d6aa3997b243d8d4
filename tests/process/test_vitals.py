"""An engine that works long is left alone; one that hangs is not."""

from __future__ import annotations

from app.core.job import Entered, Phase
from app.process.messages import Beat
from app.process.vitals import Patience, Vitals

PATIENCE = Patience(beat=90, still=240, cancel=30)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def pass_time(vitals: Vitals, clock: Clock, seconds: float, beat: Beat | None = None) -> str:
    """Look every second, hear a beat each time if there is one; the fault when there is one."""
    for _ in range(round(seconds)):
        clock.now += 1
        if beat is not None:
            vitals.hear(beat)
        if fault := vitals.failing():
            return fault
    return ""


def fresh() -> tuple[Vitals, Clock]:
    clock = Clock()
    return Vitals(PATIENCE, clock), clock


def test_silence_is_a_fault_after_a_while() -> None:
    vitals, clock = fresh()
    assert pass_time(vitals, clock, 85) == ""
    assert pass_time(vitals, clock, 10) == "gave no sign of life for 90 seconds"


def test_an_engine_that_computes_for_an_hour_is_left_alone() -> None:
    vitals, clock = fresh()
    for minute in range(60):
        assert pass_time(vitals, clock, 60, Beat(0, 120.0 * minute)) == ""


def test_an_engine_that_waits_for_its_card_and_asks_now_and_then_is_left_alone() -> None:
    vitals, clock = fresh()
    for minute in range(60):
        assert pass_time(vitals, clock, 60, Beat(minute, 1.0)) == ""


def test_news_count_as_work() -> None:
    vitals, clock = fresh()
    for _ in range(10):
        vitals.hear(Entered(1, Phase.LOADING))
        assert pass_time(vitals, clock, 200, Beat(0, 1.0)) == ""


def test_an_engine_that_only_beats_stands_still() -> None:
    vitals, clock = fresh()
    assert pass_time(vitals, clock, 250, Beat(5, 1.0)) == "stood still for 240 seconds"


def test_the_beat_itself_is_no_work() -> None:
    vitals, clock = fresh()
    faults = [pass_time(vitals, clock, 1, Beat(5, 1.0 + second * 0.0002)) for second in range(300)]
    assert "stood still for 240 seconds" in faults


def test_a_cancel_that_nobody_answers() -> None:
    vitals, clock = fresh()
    vitals.cancelled()
    assert pass_time(vitals, clock, 25, Beat(5, 1.0)) == ""
    vitals.cancelled()  # asking once more does not begin anew
    assert pass_time(vitals, clock, 10, Beat(6, 5.0)) == "did not stop within 30 seconds"


def test_a_machine_that_slept_is_no_fault() -> None:
    vitals, clock = fresh()
    vitals.cancelled()
    assert pass_time(vitals, clock, 10) == ""
    clock.now += 8 * 3600
    assert pass_time(vitals, clock, 15) == ""
    assert pass_time(vitals, clock, 10) == "did not stop within 30 seconds"


def test_what_was_awaited_before_does_not_count() -> None:
    vitals, clock = fresh()
    pass_time(vitals, clock, 85)
    clock.now += 5  # idle: nobody looks
    vitals.begin()
    assert pass_time(vitals, clock, 85) == ""

"""The Backend in another process: it paints as one inside does, and whatever becomes of the process is told."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import psutil
import pytest

from app.core.errors import Cancelled, EngineLostError, ModelError, UnfinishedError, is_out_of_memory
from app.core.geometry import Size
from app.core.job import Hooks, Phase, Preview, Result, Stepped
from app.core.request import Inpaint, Request
from app.process.host import MOST_DEATHS, EngineHost
from app.process.vitals import Patience
from tests.core.test_pickling import same
from tests.fakes import FakeBackend, some_trail
from tests.process.scripted import COMMAND

QUICK = Patience(beat=2.0, still=2.5, cancel=2.0, death=5.0)
SOON = 30.0  # seconds that a busy machine may need for what takes moments
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


class Recorder:
    """Hooks that keep what they hear, and cancel when told to."""

    def __init__(self, cancel_at: int = 0) -> None:
        self.phases: list[Phase] = []
        self.steps: list[tuple[int, int]] = []
        self.previews: list[Preview] = []
        self.candidates: list[Result] = []
        self.stop = threading.Event()
        self._cancel_at = cancel_at

    def cancelled(self) -> bool:
        return self.stop.is_set()

    def entered(self, phase: Phase) -> None:
        self.phases.append(phase)

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self.steps.append((step, total))
        if preview is not None:
            self.previews.append(preview)
        if step == self._cancel_at:
            self.stop.set()

    def made(self, candidate: Result) -> None:
        self.candidates.append(candidate)


def request(prompt: str = "a hill", **changes: object) -> Request:
    values: dict[str, object] = {"prompt": prompt, "model": "m", "size": Size(32, 16), "steps": 3}
    return Request(**(values | changes))  # type: ignore[arg-type]


MakeHost = Callable[..., EngineHost]


@pytest.fixture
def make_host() -> Iterator[MakeHost]:
    hosts: list[EngineHost] = []

    def make(patience: Patience = QUICK, script: str = "", **more: object) -> EngineHost:
        hosts.append(EngineHost(COMMAND, patience, environment={"LIMNER_SCRIPT": script}, **more))  # type: ignore[arg-type]
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


@pytest.fixture
def host(make_host: MakeHost) -> EngineHost:
    return make_host(Patience()).start()


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_it_paints_what_an_engine_inside_paints_and_tells_the_same(host: EngineHost) -> None:
    image = np.random.default_rng(1).integers(0, 256, (16, 32, 3), np.uint8)
    mask = np.zeros((16, 32), np.uint8)
    mask[4:9, 5:20] = 255
    asked = request(task=Inpaint(image=image, mask=mask), count=2, steps=5)
    here, there = Recorder(), Recorder()
    inside, apart = FakeBackend().run(asked, here), host.run(asked, there)
    assert len(apart.candidates) == 2
    assert all(same(one, other) for one, other in zip(apart.candidates, inside.candidates, strict=True))
    assert vars(there).keys() == vars(here).keys()
    assert there.phases == here.phases
    told = [here.steps.index(step) for step in there.steps]
    assert told == sorted(set(told))
    assert {0, 9} <= set(told) <= set(range(10)), "the first step and the last"
    assert all(same(one, here.previews[step]) for one, step in zip(there.previews, told, strict=True))
    assert all(same(one, other) for one, other in zip(there.candidates, apart.candidates, strict=True))
    assert apart.request.task is asked.task, "source and mask came back"
    assert apart.image is there.candidates[0].image, "it crossed twice"


def test_steps_are_told_no_oftener_than_anybody_sees_and_the_last_one_always() -> None:
    from app.process.serving import _Hooks

    class Desk:
        def __init__(self) -> None:
            self.said: list[Stepped] = []

        def say(self, said: Stepped) -> None:
            self.said.append(said)

    def told(pace: float) -> list[int]:
        desk, clock = Desk(), iter(100.0 + pace * n for n in range(20))
        hooks = _Hooks(1, desk, lambda: next(clock))  # type: ignore[arg-type]
        for step in range(1, 21):
            hooks.stepped(step, 20, None)
        return [said.step for said in desk.said]

    assert told(0.06) == list(range(1, 21)), "a slow one's steps are all told"
    assert told(0.02) == [1, 4, 7, 10, 13, 16, 19, 20]
    assert told(0.001) == [1, 20]


def test_a_picture_that_comes_before_any_other_word_is_understood(host: EngineHost) -> None:
    for seed in range(20):
        assert host.run(request("at once", seed=seed), Recorder()).request.seed == seed


def test_every_hook_is_carried_across() -> None:
    from app.process.serving import _Hooks

    asked = {name for name in vars(Hooks) if not name.startswith("_")}
    assert asked <= set(vars(_Hooks))


def test_a_cancel_is_heard_in_the_middle_of_a_step(host: EngineHost) -> None:
    hooks = Recorder()
    threading.Timer(0.3, hooks.stop.set).start()
    with pytest.raises(Cancelled):
        host.run(request("slow"), hooks)  # waits for ever, asking whether to stop
    assert host.run(request(), Recorder()).steps == 3


@pytest.mark.parametrize(
    ("script", "kind"), [("user load", ModelError), ("raise step", RuntimeError), ("memory decode", MemoryError)]
)
def test_errors_keep_their_kind_and_their_words(host: EngineHost, script: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        host.run(request(script), Recorder())
    if isinstance(caught.value, ModelError):
        assert (caught.value.message, caught.value.remedy) == ("The model is odd.", "Take another.")
    else:
        assert "scripted.py" in "".join(caught.value.__notes__), "the trace of the process is lost"
    assert is_out_of_memory(caught.value) == script.startswith("memory")
    assert host.run(request(), Recorder()).steps == 3, "an error is no reason to end"


def test_kept_steps_come_along_with_an_error(host: EngineHost) -> None:
    with pytest.raises(UnfinishedError) as caught:
        host.run(request("unfinished decode"), Recorder())
    assert caught.value.trail == some_trail()


def test_what_is_printed_goes_to_the_log(host: EngineHost, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        host.run(request("print step"), Recorder())
        wait_for(lambda: "and so does C" in caplog.text)
    assert "a library says hello" in caplog.text


DEATHS = [
    ("die SIGKILL", "ended from outside"),
    ("bus", "a file of the model changed"),
    ("abort", "SIGABRT"),
    ("die SIGSEGV", "SIGSEGV"),
    ("exit 3", "status 3"),
]


@posix
@pytest.mark.parametrize("when", ["load", "step2", "decode", "made"])
@pytest.mark.parametrize(("script", "words"), DEATHS)
def test_a_death_at_any_stage_is_told_and_the_next_job_is_painted(
    make_host: MakeHost, script: str, words: str, when: str
) -> None:
    idle: list[EngineLostError] = []
    host = make_host(Patience(), lost_idle=idle.append).start()
    hooks = Recorder()
    with pytest.raises(EngineLostError, match=words) as caught:
        host.run(request(f"{script} {when}"), hooks)
    assert caught.value.remedy
    if script in ("bus", "abort"):
        assert "happen" in caught.value.details, "where it crashed is not told"
    assert len(hooks.candidates) == (when == "made")
    assert host.run(request(), Recorder()).steps == 3
    assert not idle, "it was told twice"


@posix
@pytest.mark.parametrize(
    ("script", "words"),
    [("hang step", "no sign of life"), ("die SIGSTOP step", "no sign of life"), ("still step", "stood still")],
)
def test_a_hang_is_ended_and_told(make_host: MakeHost, script: str, words: str) -> None:
    host = make_host().start()
    first = host.pid
    with pytest.raises(EngineLostError, match=words) as caught:
        host.run(request(script), Recorder())
    if script == "still step":
        assert "in happen" in caught.value.details, "it is not told what it hangs at"
    assert host.start().pid != first
    assert host.run(request(), Recorder()).steps == 3


@posix
def test_a_cancel_that_is_not_obeyed_ends_the_process(make_host: MakeHost) -> None:
    host = make_host(Patience(cancel=0.5)).start()
    with pytest.raises(EngineLostError, match="did not stop"):
        host.run(request("deaf step"), Recorder(cancel_at=1))


@posix
def test_a_death_while_nothing_is_painted_is_told_once(make_host: MakeHost) -> None:
    told: list[EngineLostError] = []
    host = make_host(Patience(), lost_idle=told.append).start()
    os.kill(host.pid or 0, signal.SIGKILL)
    wait_for(lambda: told)
    assert "from outside" in told[0].message
    assert host.run(request(), Recorder()).steps == 3
    assert len(told) == 1


@posix
def test_deaths_at_the_start_are_retried_a_few_times_only(make_host: MakeHost) -> None:
    told: list[EngineLostError] = []
    host = make_host(Patience(), script="abort import", lost_idle=told.append)
    with pytest.raises(EngineLostError, match=f"{MOST_DEATHS} times in a row") as caught:
        host.start()
    assert len(told) == MOST_DEATHS
    assert "doctor" in caught.value.remedy
    with pytest.raises(EngineLostError, match="in a row"):
        host.start()  # whoever asks gets one more try
    assert len(told) == MOST_DEATHS + 1


@posix
def test_a_request_that_always_kills_is_not_endless_and_a_picture_makes_up_for_it(make_host: MakeHost) -> None:
    host = make_host(Patience()).start()
    for _ in range(MOST_DEATHS - 1):
        with pytest.raises(EngineLostError, match="from outside"):
            host.run(request("die SIGKILL step"), Recorder())
    host.run(request(), Recorder())
    for _ in range(MOST_DEATHS):
        with pytest.raises(EngineLostError, match="from outside"):
            host.run(request("die SIGKILL step"), Recorder())
    with pytest.raises(EngineLostError, match="in a row"):
        host.start()


def test_what_keeps_the_engine_from_being_made_is_told(make_host: MakeHost) -> None:
    host = make_host(Patience(), script="user import")
    with pytest.raises(ModelError, match="The model is odd"):
        host.start()
    with pytest.raises(ModelError, match="The model is odd"):
        host.start()


def test_a_program_that_cannot_be_started_is_an_error_and_no_crash() -> None:
    host = EngineHost(["/nothing/here"])
    with pytest.raises(OSError, match="nothing"):
        host.start()


def test_another_program_is_told_from_an_engine() -> None:
    told: list[EngineLostError] = []
    host = EngineHost([sys.executable, "-c", "print('hello, this is something else')"], lost_idle=told.append)
    with pytest.raises(EngineLostError, match="in a row"):
        host.start()
    assert "after an update of Limner" in told[0].message


@pytest.mark.parametrize("script", ["slow", "hang step", "still load"])
def test_closing_ends_the_process_at_once_whatever_it_does(make_host: MakeHost, script: str) -> None:
    host = make_host(Patience()).start()
    pid = host.pid or 0
    ended: list[BaseException] = []

    def paint() -> None:
        try:
            host.run(request(script), Recorder())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=paint)
    thread.start()
    time.sleep(0.3)
    before = time.monotonic()
    host.close()
    thread.join(SOON)
    assert time.monotonic() - before < 2.0
    assert [type(error) for error in ended] == [Cancelled]
    wait_for(lambda: not psutil.pid_exists(pid))
    with pytest.raises(Cancelled):
        host.start()


def test_one_that_was_dismissed_is_started_again_when_asked(make_host: MakeHost) -> None:
    told: list[EngineLostError] = []
    host = make_host(Patience(), lost_idle=told.append).start()
    first = host.pid
    host.dismiss()
    wait_for(lambda: not psutil.pid_exists(first or 0))
    assert host.start().pid != first
    assert not told


def test_waiting_costs_no_memory_and_beats_do_not_pile_up(host: EngineHost) -> None:
    time.sleep(1.2)  # two beats
    link = host._link
    assert link is not None
    assert link.hear(0.0) is None


_PARENT = """
import sys, time
from app.process.host import EngineHost
from tests.process.scripted import COMMAND
from tests.process.test_host import Recorder, request
host = EngineHost(COMMAND).start()
print(host.pid, flush=True)
host.run(request(sys.argv[1]), Recorder())
"""


@posix
@pytest.mark.parametrize("script", ["slow", "hang step", "still step"])
def test_the_engine_does_not_outlive_a_studio_that_is_killed(script: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    engine = psutil.Process(int(parent.stdout.readline()))
    time.sleep(0.3)  # into the job
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE)

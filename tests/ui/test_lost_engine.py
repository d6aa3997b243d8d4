"""The engine goes away, at any moment; the window stays, says so, and offers what was lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton

from app.core.job import Result
from app.core.settings import load_settings
from app.jobs.worker import EngineState
from app.main import build
from app.process.host import MOST_DEATHS, EngineHost
from app.process.vitals import Patience
from tests.fakes import FakeBackend
from tests.process.scripted import COMMAND
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


class Witness(Studio):
    """A studio whose engine does what the prompt says."""

    def __init__(self, window: Any, qtbot: Any, hosts: list[EngineHost]) -> None:
        super().__init__(window, qtbot)
        self._hosts = hosts
        self.results: list[Result] = []
        self.queue.finished.connect(lambda job, result: self.results.append(result))

    @property
    def host(self) -> EngineHost:
        return self._hosts[0]

    def paint(self, prompt: str, **params: Any) -> None:
        self.store.update(prompt=prompt, **params)
        self.click("generateButton")

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=30_000)

    def offers(self) -> list[str]:
        return [button.text() for button in self.window.notices.findChildren(QPushButton) if button.isVisible()]


OpenWitness = Callable[..., Witness]


@pytest.fixture
def open_witness(qtbot: Any, data_with_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenWitness]:
    hosts: list[EngineHost] = []
    windows = []

    def make_host(**given: Any) -> EngineHost:
        hosts.append(EngineHost(COMMAND, Patience(beat=2.0, still=2.0)))
        return hosts[-1]

    monkeypatch.setattr("app.main.EngineHost", make_host)
    monkeypatch.setattr("app.main._engine", lambda garbage: FakeBackend())

    def open_one(**given: Any) -> Witness:
        window = build(None, data_with_model, **given)
        windows.append(window)
        window.resize(1100, 700)
        window.show()
        return Witness(window, qtbot, hosts)

    yield open_one
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def witness(open_witness: OpenWitness) -> Witness:
    witness = open_witness()
    witness.wait(lambda: witness.queue.engine.state is EngineState.READY)
    return witness


@pytest.mark.parametrize("script", ["die SIGKILL load", "bus step2", "abort decode", "die SIGSTOP step"])
def test_a_lost_job_is_offered_again_and_the_rest_is_painted(witness: Witness, script: str) -> None:
    witness.paint(script, steps=3)
    witness.paint("a hill")
    witness.wait(lambda: len(witness.results) == 1)  # the new engine went on by itself
    assert witness.results[0].request.prompt == "a hill"
    assert len(witness.titles) == 1
    assert witness.titles[0].startswith("The painting engine")
    assert "as they were" in witness.window.notices.shown[0].text
    witness.window.notices.clear()
    assert "Paint it again" in witness.offers(), "the offer is lost"
    witness.choose("Paint it again")
    witness.wait(lambda: not witness.queue.waiting and witness.queue.running is None)
    assert len(witness.titles) == 1  # it has died of the same once more
    assert witness.generate_button.isEnabled()


def test_the_same_is_asked_for_again_seed_source_and_all(witness: Witness, tmp_path: Path) -> None:
    pixels = make_picture(tmp_path / "photo.png")
    witness.open(tmp_path / "photo.png")
    asked = []
    submit = witness.window._worker.submit
    witness.window._worker.submit = lambda id, request: (asked.append(request), submit(id, request))
    witness.paint("die SIGKILL step", strength=0.5)
    witness.wait(lambda: "Paint it again" in witness.offers())
    witness.store.update(prompt="something else", steps=9)
    witness.choose("Paint it again")
    witness.wait(lambda: len(asked) == 2 and witness.queue.current is None)
    assert asked[0] is asked[1]
    assert np.array_equal(asked[1].task.image, pixels)


def test_candidates_that_were_there_stay_and_only_the_others_are_asked_for(witness: Witness) -> None:
    witness.paint("die SIGKILL made", count=3, seed=5, seed_locked=True)
    witness.wait(lambda: "Paint it again" in witness.offers())
    assert [candidate.result.request.seed for candidate in witness.desk.candidates.waiting] == [5]
    asked = []
    witness.window._worker.submit = lambda id, request: asked.append(request)
    witness.choose("Paint it again")
    witness.wait(lambda: bool(asked))
    assert [(request.seed, request.count) for request in asked] == [(6, 2)]
    witness.queue.cancel_all()


def test_several_lost_jobs_share_one_card(witness: Witness) -> None:
    witness.paint("die SIGKILL step")
    witness.paint("die SIGKILL load")
    witness.wait(lambda: "Paint the 2 again" in witness.offers())
    assert len(witness.titles) == 1


def test_a_death_while_nothing_is_painted_is_told_and_made_good(witness: Witness) -> None:
    first = witness.host.pid
    os.kill(first or 0, signal.SIGKILL)
    witness.wait(lambda: bool(witness.titles))
    assert "from outside" in witness.titles[0]
    witness.wait(lambda: witness.host.pid not in (None, first) and witness.queue.engine.state is EngineState.READY)
    witness.paint("a hill")
    witness.wait(lambda: len(witness.results) == 1)


def test_after_several_deaths_it_is_the_person_who_decides(witness: Witness) -> None:
    for _ in range(MOST_DEATHS):
        witness.paint("abort step")
    witness.wait(lambda: witness.queue.engine.state is EngineState.FAILED)
    (card,) = [notice for notice in witness.window.notices.shown if "in a row" in notice.title]
    assert f"ended {MOST_DEATHS} times" in card.title
    assert "The last time it ended unexpectedly (SIGABRT)." in card.text, "what happened is not told"
    assert "as they were" in card.text, "what was kept is not told"
    assert "Then try again." in card.text
    assert "save first" in card.text, "what to do is not told"
    witness.choose("Run it inside")
    witness.wait(lambda: witness.queue.engine.state is EngineState.READY)
    assert not witness.window.findChild(QAction, "engine_apart").isChecked()
    witness.choose(f"Paint the {MOST_DEATHS} again")
    witness.wait(lambda: len(witness.results) == MOST_DEATHS)
    assert witness.host.pid is None


def test_the_engine_moves_in_and_out_and_the_choice_is_kept(open_witness: OpenWitness, data_with_model: Path) -> None:
    witness = open_witness()
    apart = witness.window.findChild(QAction, "engine_apart")
    assert apart.isChecked()
    witness.paint("a hill")
    apart.trigger()
    witness.paint("a lake")
    witness.wait(lambda: len(witness.results) == 2 and witness.host.pid is None)
    assert not apart.isChecked()
    apart.trigger()
    witness.paint("a wood")
    witness.wait(lambda: len(witness.results) == 3)
    assert witness.host.pid is not None
    apart.trigger()
    witness.window.close()
    assert load_settings(data_with_model / "settings.json")["engine_apart"] is False
    assert not open_witness().window.findChild(QAction, "engine_apart").isChecked()


def test_a_word_on_the_command_line_counts_for_this_time_only(open_witness: OpenWitness, data_with_model: Path) -> None:
    witness = open_witness(engine_apart=False)
    assert not witness.window.findChild(QAction, "engine_apart").isChecked()
    witness.wait(lambda: witness.queue.engine.state is EngineState.READY)
    assert witness.host.pid is None
    witness.window.close()
    assert load_settings(data_with_model / "settings.json")["engine_apart"] is True


@pytest.mark.parametrize("script", ["slow", "die SIGSTOP step", "still load"])
def test_closing_in_the_middle_of_a_job_does_not_wait_for_the_engine(witness: Witness, script: str) -> None:
    witness.paint(script)
    witness.wait(lambda: witness.queue.running is not None)
    witness.window.patience_ms = 3000
    witness.window.close()
    assert witness.window.ended
    assert not witness.titles

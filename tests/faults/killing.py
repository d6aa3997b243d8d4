"""Kills the real engine at random moments, in several ways, and says what came of it:
``python -m tests.faults.killing 40`` drives one window all the way, with the starter model.

After each death the window must answer, a card must say what happened, and the same picture, bit for bit, must come
from the next engine: by itself where the job had not begun, else after one press of the button on the card.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import psutil
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QPushButton

from app.core.job import Job, Phase, Result
from app.jobs.worker import EngineState
from app.main import build
from app.ui.main_window import MainWindow
from app.ui.theme import Theme

STAGES = ("importing", "loading", "painting", "finishing", "idle")
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
_AGAIN = "Paint it again"
_PATIENCE = 120.0
_LONGEST_TURN = 0.25
"""Seconds of one turn of the event loop beyond which the window has not answered."""


class Session:
    """One window, and what was seen of it."""

    def __init__(self, window: MainWindow, chance: random.Random) -> None:
        self._window = window
        self._chance = chance
        self._results: list[Result] = []
        self._stage = ""
        self.longest_turn = 0.0
        queue = window.desk.queue
        queue.finished.connect(lambda job, result: self._results.append(result))
        queue.changed.connect(self._follow)

    def paint(self) -> np.ndarray:
        """An undisturbed picture."""
        before = len(self._results)
        self._window.painting.submit()
        self.wait(lambda: len(self._results) > before)
        return np.array(self._results[-1].image)

    def kill(self, stage: str, how: signal.Signals) -> tuple[bool, bool, np.ndarray]:
        """Whether a card told of it, whether a job was offered again, and the picture that came in the end."""
        window, queue = self._window, self._window.desk.queue
        self._put_away()
        if stage in ("importing", "loading"):
            os.kill(_engine().pid, signal.SIGKILL)  # so that another one imports, and has no model yet
            wanted = EngineState.STARTING if stage == "importing" else EngineState.READY
            self.wait(lambda: queue.engine.state is not EngineState.READY)
            self.wait(lambda: queue.engine.state is wanted)
            self._put_away()
        before = len(self._results)
        if stage != "idle":
            self._reach(stage)
            before = len(self._results)
        self.pause(self._chance.random() * (3.0 if stage == "importing" else 0.03))
        os.kill(_engine().pid, how)
        if stage == "idle" or len(self._results) > before:  # the picture was quicker
            self.wait(self._told)
            before = len(self._results)
            window.painting.submit()
            told = True
        else:
            self.wait(lambda: len(self._results) > before or self._offered() is not None)
            told = self._told()
        self.wait(lambda: len(self._results) > before or self._offered() is not None)
        button = self._offered()
        if button is not None:
            button.click()
            self.wait(lambda: len(self._results) > before)
        self.wait(lambda: queue.current is None and queue.engine.state is EngineState.READY)
        return told, button is not None, np.array(self._results[-1].image)

    def _reach(self, stage: str) -> None:
        """A job that has come as far; short stages may be over before they are seen, and are tried again."""
        while True:
            before = len(self._results)
            self._window.painting.submit()
            if stage == "importing":
                return
            self.wait(lambda before=before: self._stage == stage or len(self._results) > before)
            if self._stage == stage:
                return

    def _told(self) -> bool:
        """A card says what became of the engine."""
        return any(notice.title.startswith("The painting engine") for notice in self._window.notices.shown)

    def _put_away(self) -> None:
        self._window.notices.clear()
        while self._window.notices.close_newest():
            pass

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < end, f"it did not happen; {[n.title for n in self._window.notices.shown]}"
            self._turn()

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn()

    def _turn(self) -> None:
        before = time.monotonic()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        self.longest_turn = max(self.longest_turn, time.monotonic() - before)
        time.sleep(0.001)

    def _follow(self, job: Job) -> None:
        words = {Phase.LOADING: "loading", Phase.DENOISING: "painting", Phase.DECODING: "finishing"}
        self._stage = words.get(job.phase, "") if job.phase is not None and not job.state.ended else ""

    def _offered(self) -> QPushButton | None:
        buttons = self._window.notices.findChildren(QPushButton)
        return next((button for button in buttons if button.text() == _AGAIN and button.isVisible()), None)


def _engine() -> psutil.Process:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        for child in psutil.Process().children():
            if child.status() != psutil.STATUS_ZOMBIE and child.cmdline()[-1:] == ["engine"]:
                return child
        time.sleep(0.01)
    raise AssertionError("there is no engine")


def main(times: int, first: int) -> int:
    """Print what came of it; 0 when all was well."""
    application = QApplication([])
    Theme(application)
    folder = tempfile.TemporaryDirectory()
    window = build(data_dir=Path(folder.name), engine_apart=True)
    window.show()
    session = Session(window, random.Random(first))
    window.desk.store.update(prompt="a red house", steps=20, seed=3, seed_locked=True)
    try:
        return _all_of_it(session, range(first, first + times))
    finally:
        window.close()


def _all_of_it(session: Session, numbers: range) -> int:
    times = len(numbers)
    whole = session.paint()
    found: Counter[str] = Counter()
    took: list[float] = []
    for number in numbers:
        stage, how = STAGES[number % len(STAGES)], SIGNALS[(number // len(STAGES)) % len(SIGNALS)]
        before = time.monotonic()
        told, offered, picture = session.kill(stage, how)
        took.append(time.monotonic() - before)
        same = np.array_equal(picture, whole)
        found["told"] += told
        found["offered"] += offered
        found["same picture"] += same
        words = (word for word, true in (("told", told), ("offered", offered), ("same picture", same)) if true)
        print(f"{number + 1:4} {how.name} while {stage}: {', '.join(words)}, {took[-1]:.1f} s", flush=True)
    ways = dict.fromkeys(SIGNALS[(number // len(STAGES)) % len(SIGNALS)].name for number in numbers)
    print(f"{times} deaths ({', '.join(ways)}) while {', '.join(STAGES)}:")
    again = f"the same picture afterwards {found['same picture']}, after a press {found['offered']}"
    print(f"  told {found['told']}, {again}")
    print(f"  from the job to its picture, a death and a new engine between: median {statistics.median(took):.1f} s")
    print(f"  longest turn of the window's event loop {1000 * session.longest_turn:.0f} ms")
    return 0 if found["told"] == found["same picture"] == times and session.longest_turn < _LONGEST_TURN else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", type=int, nargs="?", default=20)
    parser.add_argument("--first", type=int, default=0, help="how many deaths of the series to pass over")
    given = parser.parse_args()
    sys.exit(main(given.times, given.first))

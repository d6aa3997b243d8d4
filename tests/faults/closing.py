"""Closes the real program at random moments of its work, and says how it ended: ``python -m tests.faults.closing 100``.

The clock runs from the window's close to the end of the process.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

MOST_SECONDS = 3.0
MOMENTS = ("starting", "loading", "painting", "painted")
_ROOT = Path(__file__).parents[2]
_PATIENCE = 100.0

_PROGRAM = """
import json, sys, time
import app.main as program
from PySide6.QtCore import QTimer
from app.core.job import Phase
from app.jobs.worker import EngineState

moment, delay = sys.argv[1], float(sys.argv[2])
build = program.build

def reached(window):
    queue = window.desk.queue
    if moment == "starting":
        return queue.engine.state is EngineState.STARTING
    if moment == "painted":
        return bool(done)
    job = queue.running
    return job is not None and (job.phase is not None if moment == "loading" else job.step > 0)

def build_and_close(**given):
    window = build(**given)
    window.desk.queue.finished.connect(lambda *_: done.append(True))
    window.desk.store.update(steps=4 if moment == "painted" else 150, prompt="a red house")
    QTimer.singleShot(0, window, window.painting.submit)

    def look():
        if reached(window):
            timer.stop()
            QTimer.singleShot(round(1000 * delay), window, close)

    def close():
        print(json.dumps({"at": time.time(), "torch": "torch" in sys.modules}), flush=True)
        window.close()

    timer = QTimer(window, interval=5)
    timer.timeout.connect(look)
    timer.start()
    return window

done = []
program.build = build_and_close
program.ask_before_losing = lambda window: program.Choice.DISCARD
sys.exit(program.main(sys.argv[3:]))
"""


@dataclass(frozen=True, kw_only=True)
class Closed:
    """How one run of the program ended."""

    status: int
    seconds: float
    engine_gone: bool
    settings_kept: bool
    torch_in_window: bool
    said: str


def close_once(moment: str, delay: float, data: Path) -> Closed:
    """Start the program, have it paint, and close its window ``delay`` seconds after ``moment``."""
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, moment, str(delay), "--data-dir", str(data), "--engine", "apart"],
        cwd=_ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    engine: list[psutil.Process] = []
    watched = psutil.Process(program.pid)
    end = time.monotonic() + _PATIENCE
    while not engine and program.poll() is None and time.monotonic() < end:
        engine = [child for child in _children(watched) if "engine" in _words(child)]
        time.sleep(0.01)
    try:
        told, said = program.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        program.kill()
        told, said = program.communicate()
    now = time.time()
    try:
        at = json.loads(told.splitlines()[-1])
    except (ValueError, IndexError):
        at = {"at": 0.0, "torch": False}
    while not (gone := not any(map(_runs, engine))) and time.time() < now + 2.0:
        time.sleep(0.01)
    return Closed(
        status=program.returncode,
        seconds=now - at["at"],
        engine_gone=bool(engine) and gone,
        settings_kept=(data / "settings.json").is_file(),
        torch_in_window=at["torch"],
        said=said,
    )


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children())
    except psutil.NoSuchProcess:
        return []


def _runs(process: psutil.Process) -> bool:
    """A zombie has ended, though nobody has asked how yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def main(times: int) -> int:
    """Print how it went; 0 when all ended well."""
    chance = random.Random(0)
    seconds: dict[str, list[float]] = {moment: [] for moment in MOMENTS}
    faults: Counter[str] = Counter()
    for number in range(times):
        moment = MOMENTS[number % len(MOMENTS)]
        with tempfile.TemporaryDirectory() as folder:
            closed = close_once(moment, chance.random() * 2.0, Path(folder))
        seconds[moment].append(closed.seconds)
        found = {
            f"exit status {closed.status}": closed.status != 0,
            f"longer than {MOST_SECONDS:.0f} s": closed.seconds > MOST_SECONDS,
            "engine left": not closed.engine_gone,
            "settings lost": not closed.settings_kept,
        }
        for fault in (name for name, seen in found.items() if seen):
            faults[fault] += 1
            print(number, moment, fault, closed.said[-2000:], file=sys.stderr)
    good = times - max(faults.values(), default=0)
    print(f"{times} times closed, {good} with exit 0 within {MOST_SECONDS:.0f} s and the engine gone; {dict(faults)}")
    for moment, all_of_it in seconds.items():
        if all_of_it:
            print(f"  {moment:10} median {statistics.median(all_of_it):.2f} s, longest {max(all_of_it):.2f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))

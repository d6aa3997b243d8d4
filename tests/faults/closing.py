"""Closes the real program at random moments of its work, and says how it ended: ``python -m tests.faults.closing 100``.

The clock runs from the window's close to the end of the process. What waited must be what the next start finds.
With ``--keep FILE`` what was seen is kept there, and another run goes on from it; ``--seconds`` ends one in time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from app.library.journal.folders import left_behind
from app.library.journal.reader import read_session
from app.ui.journal_parts import QUEUE, queue_from
from app.ui.recovery import Offer

MOST_SECONDS = 3.0
MOMENTS = ("starting", "loading", "painting", "painted")
_ROOT = Path(__file__).parents[2]
_PATIENCE = 300.0

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
    painted = moment == "painted"
    window.desk.store.update(steps=4 if painted else 150, prompt="a red house")
    for _ in range(1 if painted else 3):
        QTimer.singleShot(0, window, window.painting.submit)

    def look():
        if reached(window):
            timer.stop()
            QTimer.singleShot(round(1000 * delay), window, close)

    def close():
        queue = window.desk.queue
        waits = [job.request.seed for job in (queue.running, *queue.waiting) if job is not None]
        print(json.dumps({"at": time.time(), "torch": "torch" in sys.modules, "waits": waits}), flush=True)
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
    waited: int
    """Jobs that had not ended."""
    queue_kept: bool
    """They are what the next start offers, in their order; nothing is offered where there were none."""


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
        at = {"at": 0.0, "torch": False, "waits": [-2]}
    while not (gone := not any(map(_runs, engine))) and time.time() < now + 2.0:
        time.sleep(0.01)
    return Closed(
        status=program.returncode,
        seconds=now - at["at"],
        engine_gone=bool(engine) and gone,
        settings_kept=(data / "settings.json").is_file(),
        torch_in_window=at["torch"],
        said=said,
        waited=len(at["waits"]),
        queue_kept=_offered(data) == at["waits"],
    )


def _offered(data: Path) -> list[int]:
    """The seeds of the jobs that a start would find; -1 for a session of which it would say that it ended badly."""
    seeds: list[int] = []
    for held in left_behind(data / "journal"):
        offer = Offer(held, read_session(held.folder))
        if offer.closed:
            seeds += [one.request.seed for one in queue_from(offer.recovered.timeline.parts[QUEUE].value, ())]
        else:
            seeds.append(-1)
        held.release()
    return seeds


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


def faults_of(closed: Closed) -> list[str]:
    """What was not as it should be."""
    found = {
        f"exit status {closed.status}": closed.status != 0,
        f"longer than {MOST_SECONDS:.0f} s": closed.seconds > MOST_SECONDS,
        "engine left": not closed.engine_gone,
        "settings lost": not closed.settings_kept,
        "queue lost": not closed.queue_kept,
    }
    return [name for name, seen in found.items() if seen]


def in_words(all_of_it: list[Closed]) -> str:
    """The figures."""
    faults = Counter(fault for closed in all_of_it for fault in faults_of(closed))
    good = sum(not faults_of(closed) for closed in all_of_it)
    lines = [
        f"{len(all_of_it)} times closed, {good} with exit 0 within {MOST_SECONDS:.0f} s, the engine gone and the queue "
        f"kept ({sum(closed.waited for closed in all_of_it)} jobs that waited); {dict(faults)}"
    ]
    for number, moment in enumerate(MOMENTS):
        if seconds := [closed.seconds for closed in all_of_it[number :: len(MOMENTS)]]:
            lines.append(f"  {moment:10} median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    return "\n".join(lines)


def main(times: int, keep: Path | None, seconds: float) -> int:
    """Print how it goes and how it went; 0 when all ended well."""
    end = time.monotonic() + seconds
    lines = keep.read_text("utf-8").splitlines() if keep is not None and keep.exists() else []
    seen = [Closed(**json.loads(line)) for line in lines]
    while len(seen) < times and time.monotonic() < end:
        number, moment = len(seen), MOMENTS[len(seen) % len(MOMENTS)]
        with tempfile.TemporaryDirectory() as folder:
            closed = close_once(moment, random.Random(number).random() * 2.0, Path(folder))
        seen.append(closed)
        if keep is not None:
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(closed)) + "\n")
        faults = ", ".join(faults_of(closed)) or "well"
        print(f"{number + 1:4} {moment:10} {closed.seconds:.2f} s, {closed.waited} waited: {faults}", flush=True)
        if faults != "well":
            print(closed.said[-2000:], file=sys.stderr)
    print(in_words(seen))
    return 1 if any(map(faults_of, seen)) else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("times", type=int, nargs="?", default=20)
    parser.add_argument("--keep", type=Path, help="a file for what was seen, to go on from another time")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no other one after that time")
    given = parser.parse_args()
    sys.exit(main(given.times, given.keep, given.seconds))

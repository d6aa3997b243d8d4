"""How smooth the window stays: ``python -m tests.bench.smooth [--full-size FOLDER] [--rounds 3]`` prints a table.

The real window, off screen, its canvas drawn anew 50 times a second, and a timer of 5 ms whose gaps are kept: while the
engine is imported, a model loaded, steps computed, and the result decoded. By turns with the engine inside the
window's process and in one of its own, each run a process. Also when the window was shown, the engine ready and the
first picture there, counted from the start of the process. ``--memory``: the most that both processes take together,
shared pages counted once; looking costs milliseconds, so the gaps of such a run say nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil

STAGES = ("importing", "loading", "computing", "decoding", "idle")
STEPS = 4
_FRAME_MS = 20
_TICK_MS = 5
_PATIENCE = 600


def measure(apart: bool, model: str, side: int, weigh: bool) -> dict[str, Any]:
    """One run in this process."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.geometry import Size
    from app.core.job import Job, Phase
    from app.jobs.worker import EngineState
    from app.main import build
    from app.ui.theme import Theme

    began = psutil.Process().create_time()
    application = QApplication([])
    Theme(application)
    window = build(data_dir=Path(tempfile.mkdtemp(prefix="limner-smooth-")), engine_apart=apart)
    window.show()
    application.processEvents()
    at = {"shown": time.time() - began}
    stage = ["importing"]
    gaps: dict[str, list[float]] = {name: [] for name in STAGES}
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps[stage[0]].append(1000 * (now - last[0]))
        last[0] = now

    def follow(job: Job) -> None:
        if job.phase is not None and job.state.name == "RUNNING":
            stage[0] = {Phase.LOADING: "loading", Phase.DECODING: "decoding"}.get(job.phase, "computing")

    def ready(engine: Any) -> None:
        if engine.state is EngineState.READY and "ready" not in at:
            at["ready"] = time.time() - began
            stage[0] = "idle"

    def finished(job: Job, result: Any) -> None:
        if "first" not in at:
            at["first"] = time.time() - began
            stage[0] = "idle"
            window.desk.store.update(model=model, size=Size(side, side), steps=STEPS, seed_locked=True, seed=2)
            QTimer.singleShot(500, window, window.painting.submit)
        else:
            stage[0] = "idle"
            at["seconds_per_step"] = result.seconds_per_step
            QTimer.singleShot(1000, window, window.close)

    window.desk.queue.changed.connect(follow)
    window.desk.queue.engine_changed.connect(ready)
    window.desk.queue.finished.connect(finished)
    window.desk.queue.failed.connect(lambda job, failed: print(failed.message, failed.details, file=sys.stderr))
    timers = []
    for period, act in ((_TICK_MS, tick), (_FRAME_MS, window.canvas.update)):
        timer = QTimer(window, interval=period, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(act)
        timer.start()
        timers.append(timer)
    window.desk.store.update(prompt="a red house", steps=STEPS)
    QTimer.singleShot(0, window, window.painting.submit)
    memory: list[float] = []
    meter = QTimer(window, interval=500)
    if weigh:
        meter.timeout.connect(lambda: memory.append(_memory()))
        meter.start()
    window.closing.connect(meter.stop)
    application.exec()
    return {"at": at, "gaps": gaps, "memory": max(memory, default=0.0), "load": os.getloadavg()[0]}


def _memory() -> float:
    """Megabytes."""
    own = psutil.Process()
    return sum(process.memory_full_info().pss for process in (own, *own.children(recursive=True))) / 1e6


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full-size", type=Path, metavar="FOLDER", help="compute with a full-size model, made there")
    parser.add_argument("--side", type=int, default=0, help="pixels; the starter's 128, or 256")
    parser.add_argument("--one", choices=("inside", "apart"), help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true", help="weigh both processes")
    given = parser.parse_args()
    from app.core.settings import resources

    model = str(given.full_size or resources() / "models" / "starter-inpaint")
    side = given.side or (256 if given.full_size else 128)
    if given.one:
        print(json.dumps(measure(given.one == "apart", model, side, given.memory)))
        return
    if given.full_size is not None:
        command = "import sys; from pathlib import Path; from tests.bench.full_size import make_full_size as make"
        subprocess.run([sys.executable, "-c", f"{command}; make(Path(sys.argv[1]))", model], check=True)
    runs: dict[str, list[dict[str, Any]]] = {"inside": [], "apart": []}
    for _ in range(given.rounds):
        for place, found in runs.items():
            words = [sys.executable, "-m", "tests.bench.smooth", "--one", place, "--side", str(side)]
            words += ["--full-size", model] if given.full_size else []
            words += ["--memory"] if given.memory else []
            done = subprocess.run(words, capture_output=True, text=True, timeout=_PATIENCE)
            if done.returncode:
                sys.exit(done.stderr)
            found.append(json.loads(done.stdout.splitlines()[-1]))
    report(runs)


def report(runs: dict[str, list[dict[str, Any]]]) -> None:
    loads = [run["load"] for found in runs.values() for run in found]
    print(f"{len(runs['apart'])} rounds by turns on {os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f}")
    print("gaps of a 5 ms timer, p99 / longest of all rounds, in ms")
    print("| engine | " + " | ".join(STAGES) + " |")
    print("|---|" + "---|" * len(STAGES))
    for place, found in runs.items():
        cells = []
        for stage in STAGES:
            gaps = [gap for run in found for gap in run["gaps"][stage]]
            cells.append(f"{quantile(gaps, 0.99):.1f} / {max(gaps):.1f} ({len(gaps)})" if gaps else "-")
        print(f"| {place} | " + " | ".join(cells) + " |")
    print("| engine | window shown | engine ready | first picture | a step | memory, most |")
    print("|---|---|---|---|---|---|")
    for place, found in runs.items():
        median = {name: statistics.median(run["at"][name] for run in found) for name in found[0]["at"]}
        print(
            f"| {place} | {median['shown']:.2f} s | {median['ready']:.2f} s | {median['first']:.2f} s "
            f"| {median['seconds_per_step']:.3f} s | {max(run['memory'] for run in found):.0f} MB |"
        )


if __name__ == "__main__":
    main()

"""What the start spends its time on: ``python -m tests.bench.start [--times 5] [--imports] [--engine inside]``.

Each start is the real program in a process of its own, with an empty data folder. When the window can be used, a letter
is typed into its prompt and Generate asked for at once, so that the clock runs on until the starter's first picture.
Seconds since the command was given, by the clock; medians after one start to warm up. Python keeps compiled code as it
does by itself. ``--imports`` also lists what the imports of both processes take, by package.
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
from collections import Counter
from pathlib import Path

_MARK = """
import json, os, sys, time
BORN, TRACE, WHO = float(sys.argv[1]), sys.argv[2], sys.argv[3]
def mark(name):
    with open(TRACE, "a") as trace:
        trace.write(json.dumps([WHO, name, time.time() - BORN]) + "\\n")
mark("Python has started")
from app.core.environment import prepare_environment
prepare_environment()
"""

_ENGINE = (
    _MARK
    + """
from app.process.serving import serve
from app.core.job import Phase

class Marking:
    def __init__(self, hooks):
        self.cancelled, self.hooks, self.loading = hooks.cancelled, hooks, False
    def entered(self, phase):
        if self.loading:
            mark("the model is loaded")
        self.loading = phase is Phase.LOADING
        self.hooks.entered(phase)
    def stepped(self, step, total, preview):
        if step == 1:
            mark("the first step is done")
        elif step == total:
            mark("the last step is done")
        self.hooks.stepped(step, total, preview)
    def made(self, candidate):
        mark("the picture is decoded")
        self.hooks.made(candidate)

class Traced:
    def __init__(self, backend):
        self.backend = backend
    def run(self, request, hooks):
        mark("the job has come")
        return self.backend.run(request, Marking(hooks))

def make():
    mark("its own code is imported")
    import torch
    mark("torch is imported")
    from transformers import CLIPTextModel, CLIPTokenizer
    mark("transformers is imported")
    from diffusers import AutoencoderKL, UNet2DConditionModel
    mark("diffusers is imported")
    from app.cli import engine
    backend = engine()
    mark("the engine is made")
    return Traced(backend)
"""
)

_SERVE = "\nsys.exit(serve(make))\n"

_WINDOW = (
    _MARK
    + """
ENGINE, OPTIONS = sys.argv[4], sys.argv[5:]
from app import early
early.engine_command = lambda: [sys.executable, "-P", "-c", ENGINE, sys.argv[1], TRACE, "engine"]
engine = early.start_engine(OPTIONS)
mark("the engine's process is started")
import PySide6.QtWidgets
mark("Qt is imported")
import app.main as program
mark("the program is imported")
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit
from app.jobs.worker import EngineState
build = program.build

class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and self.painted is None:
            self.painted = True
            QTimer.singleShot(0, self.done)
        return False

def build_and_look(**given):
    mark("Qt has started")
    window = build(**given)
    mark("the window is built")
    def done():
        mark("the window is painted")
        QTimer.singleShot(0, typed)
    def typed():
        field = window.findChild(QPlainTextEdit, "promptEdit")
        key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier(0), "a")
        program.QApplication.sendEvent(field, key)
        assert window.desk.store.params.prompt == "a"
        window.painting.submit()
        mark("a letter is typed, Generate pressed")
    def told(engine):
        if engine.state is EngineState.READY:
            mark("the engine is ready")
    def finished(job, result):
        mark("the first picture is there")
        window.ask_before_losing = lambda: program.Choice.DISCARD
        QTimer.singleShot(0, window.close)
    window.desk.queue.engine_changed.connect(told)
    window.desk.queue.finished.connect(finished)
    watcher = FirstPaint(window)
    watcher.painted, watcher.done = None, done
    window.installEventFilter(watcher)
    return window

program.build = build_and_look
sys.exit(program.main(OPTIONS, engine))
"""
)

_INSIDE = _ENGINE + _WINDOW.removeprefix(_MARK).replace(
    "build = program.build", "build = program.build\nprogram._engine = lambda garbage: make()"
)


def environment() -> dict[str, str]:
    """Off screen where nothing else is said, and compiled code is kept whatever this shell says."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"QT_QPA_PLATFORM": "offscreen"} | kept


def start(place: str) -> dict[tuple[str, str], float]:
    """One start; the moments by process and name."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        code = _WINDOW if place == "apart" else _INSIDE
        words = [str(trace), "window", _ENGINE + _SERVE, "--data-dir", f"{folder}/data", "--engine", place]
        command = [sys.executable, "-P", "-c", code]
        done = subprocess.run(
            [*command, repr(time.time()), *words], env=environment() | {"PYTHONPATH": os.getcwd()},
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr or f"ended with {done.returncode}")
        marks = [json.loads(line) for line in trace.read_text().splitlines()]
    return {(who, name): at for who, name, at in marks}


def report(starts: list[dict[tuple[str, str], float]]) -> None:
    names = starts[0].keys()
    medians = {name: statistics.median(one[name] for one in starts if name in one) for name in names}
    order = sorted(medians, key=lambda name: medians[name])
    before = {"window": 0.0, "engine": 0.0}
    print("| s | in the window's process | took | in the engine's process | took |\n|---|---|---|---|---|")
    for who, name in order:
        at = medians[who, name]
        took = f"{at - before[who]:.2f}"
        before[who] = at
        cells = f"{name} | {took} | | |" if who == "window" else f"| | {name} | {took} |"
        print(f"| {at:.2f} | {cells}")


def imports(title: str, code: str, count: int) -> None:
    """What each package takes by itself, as Python measures it, which makes all of it a little slower."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import gc; gc.disable(); {code}"],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    packages: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        taken, _, name = line.removeprefix("import time:").rpartition("|")
        if taken and (own := taken.split("|")[0].strip()).isdigit():
            packages[name.strip().split(".")[0]] += int(own)
    told = ", ".join(f"{name} {micro / 1e6:.2f}" for name, micro in packages.most_common(count))
    print(f"{title}: {sum(packages.values()) / 1e6:.2f} s: {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--engine", choices=("apart", "inside"), default="apart")
    parser.add_argument("--imports", action="store_true")
    given = parser.parse_args()
    starts = [start(given.engine) for _ in range(given.times + 1)][1:]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; engine {given.engine}; medians of {given.times}")
    report(starts)
    if given.imports:
        imports("imports of the window", "import app.main", 8)
        imports("imports of the engine", "from app.cli import engine; engine()", 14)


if __name__ == "__main__":
    main()

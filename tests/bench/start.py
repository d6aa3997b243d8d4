"""What the start of the window spends its time on: ``python -m tests.bench.start [--times 5]`` prints medians.

Each start is a process of its own with an empty data folder; seconds since the command was given, by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

_START = """
import json, os, sys, time
import psutil
born = psutil.Process().create_time()
marks = {}
def mark(name):
    marks[name] = time.time() - born
mark("Python has started")
from pathlib import Path
from app.core.environment import prepare_environment
prepare_environment()
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
mark("Qt is imported")
from app import main
mark("the program is imported")
application = QApplication(["limner"])
main.Theme(application)
mark("Qt has started")
window = main.build(data_dir=Path(sys.argv[1]))
mark("the window is built")
class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and "painted" not in marks:
            QTimer.singleShot(0, done)
            marks["painted"] = 0.0
        return False
def done():
    mark("the window is painted")
    marks.pop("painted")
    print(json.dumps(marks), flush=True)
    os._exit(0)
watcher = FirstPaint()
window.installEventFilter(watcher)
window.show()
application.exec()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    environment = os.environ | {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    starts = []
    for _ in range(given.times + 1):
        with tempfile.TemporaryDirectory() as folder:
            told = subprocess.run(
                [sys.executable, "-c", _START, folder], capture_output=True, text=True, check=True, env=environment
            )
        starts.append(json.loads(told.stdout.splitlines()[-1]))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians of {given.times} after one to warm up")
    print("| until | s |\n|---|---|")
    for name in starts[0]:
        print(f"| {name} | {statistics.median(one[name] for one in starts[1:]):.2f} |")


if __name__ == "__main__":
    main()

"""What the journal costs: ``python -m tests.bench.journal [--sizes 1024 2048 4096] [--strokes 60]`` prints a table.

Strokes over pictures of several sizes on the real window, with its journal: the time that the window's thread spends on
telling the journal of a stroke (median / p99 of its own processor time, and p99 by the clock, during which the writing
thread may hold Python), how long until the disk has it, and how many bytes it takes there. Then the same for a picture
that is opened.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from app.document.commands import OpenPicture
from app.document.strokes import Brush
from app.library.journal.folders import sizes
from app.main import build
from app.ui.main_window import MainWindow
from tests.fakes import FakeBackend
from tests.ui.canvas.gestures import drag


@dataclass
class Told:
    """Milliseconds that telling took: of the thread's processor time, and by the clock."""

    work: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--strokes", type=int, default=60)
    given = parser.parse_args()
    application = QApplication([])
    print(f"load at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    heads = ["picture", "telling a stroke", "by the clock, p99", "on the disk after", "kB a stroke"]
    print(f"| {' | '.join([*heads, 'opening: telling', 'on the disk after'])} |")
    print("|---|---|---|---|---|---|---|")
    for side in given.sizes:
        print(_row(application, side, given.strokes), flush=True)


def _row(application: QApplication, side: int, strokes: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        window = build(FakeBackend(), Path(folder))
        window.resize(1400, 900)
        window.show()
        told = _listen(window)
        application.processEvents()
        window.journal.wait(60)
        pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        window.desk.document.undo.push(OpenPicture(window.desk.document, pixels))
        opening, opened = told.work[-1], _until_written(window)
        told.work.clear(), told.clock.clear()
        window.canvas.set_tool("brush")
        window.canvas.set_brush(Brush(size=side / 20, hardness=0.5))
        application.processEvents()
        before, random, waits = _bytes(Path(folder)), np.random.default_rng(1), []
        for _ in range(strokes):
            points = [window.canvas.to_view(QPointF(*random.uniform(0, side, 2))) for _ in range(6)]
            drag(window.canvas, *points)
            application.processEvents()
            waits.append(_until_written(window))
        size = (_bytes(Path(folder)) - before) / strokes / 1000
        window.close()
        window.deleteLater()
        application.processEvents()
    work, clock = np.array(told.work), np.array(told.clock)
    return (
        f"| {side}² | {np.median(work):.2f} / {np.percentile(work, 99):.2f} ms | {np.percentile(clock, 99):.1f} ms "
        f"| {np.median(waits):.0f} ms | {size:,.0f} | {opening:.2f} ms | {opened:.0f} ms |"
    )


def _listen(window: MainWindow) -> Told:
    """Measure what the journal does on this thread whenever the undo stack moves."""
    told, keeper = Told(), window.journal
    original: Callable[..., None] = keeper._on_index

    def measured(*arguments: object) -> None:
        clock, work = time.perf_counter(), time.thread_time()
        original(*arguments)
        told.work.append(1000 * (time.thread_time() - work))
        told.clock.append(1000 * (time.perf_counter() - clock))

    undo = window.desk.document.undo
    undo.indexChanged.disconnect(original)
    undo.indexChanged.connect(measured)
    return told


def _until_written(window: MainWindow) -> float:
    """Milliseconds until all is flushed to the disk."""
    began = time.perf_counter()
    assert window.journal.wait(120)
    return 1000 * (time.perf_counter() - began)


def _bytes(folder: Path) -> int:
    return sum(size for session in (folder / "journal").iterdir() if session.is_dir() for size in sizes(session))


if __name__ == "__main__":
    main()

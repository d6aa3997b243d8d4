"""How quickly the canvas answers: ``python -m tests.bench.canvas [--busy] [--sizes 2048 4096]`` prints a table.

A soft stroke of 200 pointer events over pictures of several sizes, on the real widget, drawn in software: the time that
an event takes (the stroke grows, the overlay follows) and the repaint after it, then undo and redo, and what the step
keeps in memory. ``--steps``: what single steps take instead (see ``canvas_steps``). Median / p99 of the
thread's own processor time, which other programs on the machine hardly change;
where it says so, p99 by the clock. ``--busy``: meanwhile a process computes with two threads of torch, as the engine
does.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication

from app.document.strokes import Brush
from app.document.undo import Step
from app.ui.canvas.view import CanvasView
from tests.bench.canvas_steps import HEADINGS, opened, steps_row
from tests.ui.canvas.gestures import mouse, press, release

EVENTS = 200
ENGINE_THREADS = 2
VIEW = (1600, 1000)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Milliseconds, and bytes."""

    events: list[float]
    paints: list[float]
    waits: list[float]  # both together, by the clock
    release: float
    undo: float
    redo: float
    stored: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 4096, 8192])
    parser.add_argument("--brushes", type=int, nargs="+", default=[64, 400])
    parser.add_argument("--busy", action="store_true", help="while an engine computes")
    parser.add_argument("--tool", choices=("brush", "paint"), default="brush", help="the mask's brush, or colour")
    parser.add_argument("--steps", action="store_true", help="single steps instead: colour, accepting, undo")
    given = parser.parse_args()
    application = QApplication([])
    print(f"load at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, busy: {given.busy}")
    if given.steps:
        print(HEADINGS)
        for side in given.sizes:
            canvas = _shown(side)
            application.processEvents()
            print(steps_row(application, canvas, side), flush=True)
            canvas.close()
        return
    print("| picture | brush | shown at | event | repaint | both | both, by the clock | let go | undo / redo | kept |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    engine = _start_engine() if given.busy else None
    if engine is not None:
        time.sleep(10)  # until torch is there
    try:
        for side in given.sizes:
            for brush in given.brushes:
                for zoom in (None, 1.0):
                    print(_row(side, brush, zoom, measured(application, side, brush, zoom, given.tool)), flush=True)
    finally:
        if engine is not None:
            engine.terminate()


def measured(application: QApplication, side: int, size: float, zoom: float | None, tool: str = "brush") -> Figures:
    """One stroke on a fresh picture; ``zoom`` None: all of it is seen."""
    canvas = _shown(side)
    document = canvas.document
    if zoom is not None:
        canvas.zoom_to(zoom)
    canvas.set_tool(tool)
    canvas.set_brush(Brush(size=size, hardness=0.3))
    application.processEvents()
    points = [_point(canvas, number) for number in range(EVENTS)]
    press(canvas, points[0])
    application.processEvents()
    events, paints, waits = [], [], []
    for point in points:
        clock, began = time.perf_counter(), time.thread_time()
        mouse(canvas, QEvent.Type.MouseMove, point)
        handled = time.thread_time()
        application.processEvents()
        events.append(1000 * (handled - began))
        paints.append(1000 * (time.thread_time() - handled))
        waits.append(1000 * (time.perf_counter() - clock))
    let_go = _timed(application, lambda: release(canvas, points[-1]))
    undo, redo = _timed(application, document.undo.undo), _timed(application, document.undo.redo)
    while not document.packer.idle:
        application.processEvents()
    step = document.undo._steps[-1]
    assert isinstance(step, Step)
    canvas.close()
    canvas.deleteLater()
    application.processEvents()
    return Figures(
        events=events, paints=paints, waits=waits, release=let_go, undo=undo, redo=redo, stored=step.stored_bytes
    )


def _shown(side: int) -> CanvasView:
    canvas = opened(side)
    canvas.resize(*VIEW)
    canvas.show()
    return canvas


def _point(canvas: CanvasView, number: int) -> QPointF:
    """A figure of eight over most of the view."""
    t = 2 * math.pi * number / EVENTS
    middle = QPointF(canvas.rect().center())
    return middle + QPointF(0.3 * canvas.width() * math.sin(t), 0.35 * canvas.height() * math.sin(2 * t))


def _timed(application: QApplication, act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    application.processEvents()
    return 1000 * (time.thread_time() - began)


def _row(side: int, brush: int, zoom: float | None, figures: Figures) -> str:
    both = [a + b for a, b in zip(figures.events, figures.paints, strict=True)]
    cells = (
        f"{side}²",
        f"{brush} px",
        "all" if zoom is None else f"{zoom:.0%}",
        _pair(figures.events),
        _pair(figures.paints),
        _pair(both),
        f"{np.percentile(figures.waits, 99):.0f} ms",
        f"{figures.release:.1f} ms",
        f"{figures.undo:.1f} / {figures.redo:.1f} ms",
        f"{figures.stored / 1000:,.0f} kB",
    )
    return f"| {' | '.join(cells)} |"


def _pair(times: list[float]) -> str:
    return f"{np.median(times):.1f} / {np.percentile(times, 99):.1f} ms"


def _start_engine() -> multiprocessing.Process:
    """A process of its own, as the engine is, that computes what a UNet does most of the time."""
    worker = multiprocessing.get_context("spawn").Process(target=_compute, daemon=True)
    worker.start()
    return worker


def _compute() -> None:
    import torch

    torch.set_num_threads(ENGINE_THREADS)
    layer = torch.nn.Conv2d(320, 320, 3, padding=1)
    latents = torch.randn(2, 320, 64, 64)
    with torch.inference_mode():
        while True:
            layer(latents)


if __name__ == "__main__":
    main()

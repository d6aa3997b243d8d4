"""What previews cost: ``python -m tests.bench.previews [--full-size FOLDER]``.

The linear preview's share of a step, for the starter and for a model of Stable Diffusion v1's shape; and a run of the
real worker whose window looks at nothing until it is over: it must take no longer, and no more than one preview may
have waited.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication

from app.core.geometry import Size
from app.core.job import Failed, Finished, Hooks, Preview, Result, Stepped
from app.core.request import Request
from app.jobs.worker import EngineChanged, InferenceWorker
from tests.bench.full_size import STARTER

TIMES = 5


def share(model: Path, side: int, steps: int) -> tuple[float, float]:
    """Seconds of a step with all that belongs to it, and of its preview; medians over the steps of a run."""
    from app.diffusion import generate
    from app.diffusion.engine import Engine
    from app.diffusion.preview import PreviewMap
    from tests.engine_tools import RecordingHooks

    colours, framed = PreviewMap.colours, generate.preview_of
    spent: list[float] = []  # two a step: its colours, then these in their frame

    def clocked(make: Any) -> Any:
        def timed(*given: Any) -> Any:
            began = time.perf_counter()
            made = make(*given)
            spent.append(time.perf_counter() - began)
            return made

        return timed

    class Clocked(RecordingHooks):
        def stepped(self, step: int, total: int, preview: Preview | None) -> None:
            ends.append(time.perf_counter())

    engine, request = Engine(), Request(prompt="a red house", model=str(model), size=Size(side, side), steps=steps)
    PreviewMap.colours, generate.preview_of = clocked(colours), clocked(framed)  # type: ignore[method-assign]
    try:
        ends: list[float] = []
        engine.run(request, Clocked())
    finally:
        PreviewMap.colours, generate.preview_of = colours, framed  # type: ignore[method-assign]
    taken = [after - before for before, after in itertools.pairwise(ends)]
    previews = [one + other for one, other in zip(spent[::2], spent[1::2], strict=True)]
    return statistics.median(taken), statistics.median(previews[1:])


class Ending:
    """An engine that says when a run is over, to a window that hears nothing else."""

    def __init__(self) -> None:
        from app.diffusion.engine import Engine

        self.over = threading.Event()
        self._engine = Engine()

    def run(self, request: Request, hooks: Hooks) -> Result:
        try:
            return self._engine.run(request, hooks)
        finally:
            self.over.set()


def watched(application: QCoreApplication, engine: Ending, look: bool, request: Request) -> tuple[float, int]:
    """Seconds of a step as the engine saw it, and how many previews the window was given. It looks all the time, or
    only when the picture is there."""
    worker = InferenceWorker(lambda: engine)
    seen: list[Any] = []
    worker.happened.connect(seen.append)
    worker.start()
    _until(application, lambda: any(isinstance(event, EngineChanged) and event.state.name == "READY" for event in seen))
    engine.over.clear()
    worker.submit(1, request)
    if not look:
        engine.over.wait(300)
    _until(application, lambda: any(isinstance(event, Finished | Failed) for event in seen))
    worker.stop()
    result = next(event.result for event in seen if isinstance(event, Finished))
    return result.seconds_per_step, sum(isinstance(event, Stepped) for event in seen)


def _until(application: QCoreApplication, done: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > 300:
            raise TimeoutError
        application.processEvents()
        time.sleep(0.002)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full-size", type=Path, metavar="FOLDER", help="also on a full-size model, made there")
    given = parser.parse_args()
    application = QCoreApplication([])
    print("| model | size | a step | its preview | share |\n|---|---|---|---|---|")
    cases = [("starter", STARTER, 128, 20)]
    if given.full_size is not None:
        from tests.bench.full_size import make_full_size

        model = make_full_size(given.full_size)
        cases += [("full size", model, 256, 4), ("full size", model, 512, 3)]
    for name, model, side, steps in cases:
        step, preview = share(model, side, steps)
        print(f"| {name} | {side} x {side} | {1000 * step:.1f} ms | {1000 * preview:.2f} ms | {preview / step:.2%} |",
              flush=True)  # fmt: skip
    request = Request(prompt="a red house", model=str(STARTER), size=Size(128, 128), steps=40)
    runs: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
    engine = Ending()
    watched(application, engine, True, request)  # loads the model
    for number in range(TIMES):
        for look in (True, False) if number % 2 else (False, True):
            runs[look].append(watched(application, engine, look, request))
    print(f"\nThe worker with the starter, {request.steps} steps, medians of {TIMES} runs by turns:")
    print("| the window | a step | previews that it was given |\n|---|---|---|")
    for look, name in ((True, "looks all the time"), (False, "is busy until the picture is there")):
        step = statistics.median(one[0] for one in runs[look])
        print(f"| {name} | {1000 * step:.2f} ms | {max(one[1] for one in runs[look])} of {request.steps} |")


if __name__ == "__main__":
    main()

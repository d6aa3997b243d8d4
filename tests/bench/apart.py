"""What an engine in a process of its own costs: ``python -m tests.bench.apart [--full-size FOLDER]`` prints it.

The same Requests, by turns, by an engine in this process and by one in a process of its own, both warm; medians, and
the ratio with the spread of the ratios of neighbouring runs. Then what crossing itself takes: pictures of several sizes
there and back, painted by an engine that does nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.core.environment import prepare_environment
from app.core.geometry import Rect, Size
from app.core.job import Backend, Hooks, Mode, Result
from app.core.request import Inpaint, Request
from app.core.settings import resources
from app.process.host import EngineHost
from app.process.serving import serve


class Silent:
    """Hooks of somebody who only looks at the clock."""

    def cancelled(self) -> bool:
        return False

    def entered(self, phase: Any) -> None: ...

    def stepped(self, step: int, total: int, preview: Any) -> None: ...

    def made(self, candidate: Result) -> None: ...


class Idle:
    """Gives back a picture of the size that was asked for."""

    def run(self, request: Request, hooks: Hooks) -> Result:
        box = Rect.whole(request.size)
        image = np.zeros((request.size.height, request.size.width, 3), np.uint8)
        result = Result(image=image, request=request, mode=Mode.INPAINT_BLEND, box=box, frame=box, working=request.size,
                        steps=1, seconds=0.0, seconds_per_step=0.0, model_name="", device="")  # fmt: skip
        hooks.made(result)
        return result


def seconds(backend: Backend, request: Request) -> float:
    before = time.perf_counter()
    backend.run(request, Silent())
    return time.perf_counter() - before


def compare(name: str, request: Request, inside: Backend, apart: Backend, times: int) -> None:
    """One row of the table."""
    for backend in (inside, apart):
        seconds(backend, replace(request, steps=min(2, request.steps)))
    runs: list[tuple[float, float]] = []
    for number in range(times):
        one = replace(request, seed=number)
        if number % 2:
            there = seconds(apart, one)
            runs.append((seconds(inside, one), there))
        else:
            here = seconds(inside, one)
            runs.append((here, seconds(apart, one)))
    here, there = (statistics.median(column) for column in zip(*runs, strict=True))
    ratios = sorted(apart / inside for inside, apart in runs)
    spread = f"{ratios[len(ratios) // 4]:.3f} to {ratios[-1 - len(ratios) // 4]:.3f}"
    print(
        f"| {name} | {1000 * here:.0f} ms | {1000 * there:.0f} ms | {statistics.median(ratios):.3f} | {spread} |",
        flush=True,
    )


def cross(host: EngineHost, side: int) -> None:
    """A picture with its mask there, one back."""
    random = np.random.default_rng(0)
    size = Size(side, side)
    image = random.integers(0, 256, (side, side, 3), np.uint8)
    task = Inpaint(image=image, mask=np.full((side, side), 255, np.uint8))
    request = Request(prompt="", model="m", size=size, task=task)
    taken = [seconds(host, request) for _ in range(12)][2:]
    moved = (7 * side * side) / 1e6
    print(f"| {side}² | {moved:.1f} MB | {1000 * statistics.median(taken):.1f} ms |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--full-size", type=Path, metavar="FOLDER", help="also a step of a full-size model, made there")
    given = parser.parse_args()
    prepare_environment()
    from app.diffusion.engine import Engine

    print(f"load at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    inside, apart = Engine(), EngineHost().start()
    print("| | inside | apart | ratio | its middle half |")
    print("|---|---|---|---|---|")
    starter = Request(
        prompt="a red house", model=str(resources() / "models" / "starter"), size=Size(128, 128), steps=20
    )
    compare("starter, 20 steps", starter, inside, apart, given.times)
    if given.full_size is not None:
        from tests.bench.full_size import make_full_size

        model = str(make_full_size(given.full_size))
        step = replace(starter, model=model, size=Size(256, 256), steps=2)
        compare("full size, 256², 2 steps and decoding", step, inside, apart, 4)
    apart.close()
    print("| picture | crosses | there and back |")
    print("|---|---|---|")
    idle = EngineHost([sys.executable, "-m", "tests.bench.apart", "serve"]).start()
    for side in (512, 1024, 2048, 4096):
        cross(idle, side)
    idle.close()


if __name__ == "__main__":
    sys.exit(serve(Idle)) if sys.argv[1:] == ["serve"] else main()

"""What repainting a part costs, by the size of the part: ``python -m tests.bench.masks [--full-size FOLDER]``.

From a mask of 64 px to the whole of a picture of 4096 x 4096, each in the frame that Limner plans around it, and a few
times without a frame, as other programs work. The starter in 20 steps; with ``--full-size`` two masks on a model of
Stable Diffusion v1's shape, in two steps.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from app.core.geometry import Size
from app.core.request import FrameChoice, Inpaint, Request
from app.diffusion.engine import Engine
from tests.bench.full_size import STARTER
from tests.engine_tools import RecordingHooks

SIDE = 4096
MASKS = (64, 128, 256, 512, 1024, 2048, 4096)


def picture_of(side: int) -> np.ndarray:
    """Something with edges and shades, the same each time."""
    y, x = np.mgrid[0:side, 0:side].astype(np.uint16)
    return np.stack([x >> 4 & 255, y >> 4 & 255, (x ^ y) >> 3 & 255], axis=-1).astype(np.uint8)


def request_for(model: str, picture: np.ndarray, mask: int, frame: FrameChoice, steps: int) -> Request:
    side = picture.shape[0]
    first = (side - mask) // 2
    marked = np.zeros((side, side), np.uint8)
    marked[first : first + mask, first : first + mask] = 255
    task = Inpaint(image=picture, mask=marked)
    return Request(prompt="a red house", model=model, size=Size(side, side), steps=steps, task=task, frame=frame)


def measure(engine: Engine, request: Request, mask: int, rounds: int) -> None:
    """One row of the table."""
    taken, steps = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        result = engine.run(request, RecordingHooks())
        taken.append(time.perf_counter() - began)
        steps.append(result.seconds_per_step)
    whole, step = statistics.median(taken), statistics.median(steps)
    rest = whole - step * result.steps
    framed = "its frame" if request.frame is FrameChoice.AUTO else "the whole picture"
    print(
        f"| {mask} | {request.size} | {framed} | {result.frame.size} | {result.working} | {1000 * step:.0f} ms "
        f"| {result.steps} | {whole:.2f} s | {rest:.2f} s | {result.changed_outside} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--full-size", type=Path, metavar="FOLDER", help="also on a full-size model, made there")
    given = parser.parse_args()
    large, small = picture_of(SIDE), picture_of(512)
    engine, starter = Engine(), str(STARTER)
    engine.run(request_for(starter, small, 64, FrameChoice.AUTO, 2), RecordingHooks())
    print(f"The starter (its own size: 128 x 128), medians of {given.rounds}; *rest*: all but the steps.")
    _head()
    for mask in MASKS:
        measure(engine, request_for(starter, large, mask, FrameChoice.AUTO, given.steps), mask, given.rounds)
    for frame in (FrameChoice.AUTO, FrameChoice.WHOLE):
        measure(engine, request_for(starter, small, 64, frame, given.steps), 64, 1)
    if given.full_size is not None:
        from tests.bench.full_size import make_full_size

        model = str(make_full_size(given.full_size))
        engine.run(request_for(model, small, 64, FrameChoice.AUTO, 1), RecordingHooks())
        print("\nA full-size model (512 x 512), two steps, once.")
        _head()
        for mask in (MASKS[0], MASKS[-1]):
            measure(engine, request_for(model, large, mask, FrameChoice.AUTO, 2), mask, 1)


def _head() -> None:
    head = ("mask, px", "picture", "model is given", "frame", "works on", "a step", "steps", "whole", "rest",
            "changed outside")  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")


if __name__ == "__main__":
    main()

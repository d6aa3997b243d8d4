"""Memory: the peak of each stage by size, and whether it stays flat: ``python -m tests.bench.memory [--sizes 512 768]
[--pictures 100]``. Each peak is measured in a process of its own on the model of ``make bench``, one step of each."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import psutil

from tests.bench.contender import STAGES
from tests.bench.full_size import STARTER, make_full_size
from tests.bench.speed import BUILD, Contender


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[512, 768, 1024])
    parser.add_argument("--engines", nargs="+", default=["limner", "limner-lean", "diffusers"])
    parser.add_argument("--stages", nargs="+", default=["unet", "decode", "encode"], choices=STAGES)
    parser.add_argument("--pictures", type=int, default=100)
    given = parser.parse_args()
    if given.sizes:
        print("| stage | size | " + " | ".join(f"{name}, GiB" for name in given.engines) + " |")
        print("|---" * (2 + len(given.engines)) + "|")
        model = make_full_size(BUILD / "model")
        for stage in given.stages:
            for side in given.sizes:
                peaks = [_peak(name, model, stage, side) for name in given.engines]
                print(f"| {stage} | {side} | " + " | ".join(f"{peak / 2**30:.1f}" for peak in peaks) + " |", flush=True)
    if given.pictures:
        _flat(given.pictures)


def _peak(name: str, model: Path, stage: str, side: int) -> int:
    one = Contender.start(name, model)
    one.turn((stage, side, side, 1))
    one.stop()
    return one.peak


def _flat(count: int) -> None:
    """Pictures of the starter in a row, each with another prompt, seed and size."""
    from app.core.geometry import Size
    from app.core.request import Request
    from app.diffusion.engine import Engine
    from tests.engine_tools import RecordingHooks

    engine, process, held = Engine(), psutil.Process(), []
    for number in range(count):
        size = Size(128 + 8 * (number % 5), 128)
        request = Request(prompt=f"a red house {number}", model=str(STARTER), size=size, seed=number, steps=2)
        assert np.ptp(engine.run(request, RecordingHooks()).image)
        held.append(process.memory_info().rss / 2**20)
    marks = sorted({min(count, at) for at in (10, 25, 50, 75, 100, count)})
    print(f"| pictures of the starter | {' | '.join(map(str, marks))} |\n|---{'|---' * len(marks)}|")
    print(f"| memory, MiB | {' | '.join(f'{held[at - 1]:.0f}' for at in marks)} |")


if __name__ == "__main__":
    main()

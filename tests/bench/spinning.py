"""How long OpenMP's threads should spin at a barrier: ``python -m tests.bench.spinning [--full-size FOLDER]``.

The same picture by engines whose processes differ only in GOMP_SPINCOUNT (``default``: what libgomp takes by itself,
300,000; ``one``: one thread, which has nobody to wait for), by turns, while nothing else runs and beside one and two
processes that compute without end. Medians in seconds, with the worst.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.core.environment import prepare_environment
from app.core.geometry import Size
from app.core.request import Request
from app.core.settings import resources
from app.process.host import EngineHost
from tests.bench.apart import seconds

COUNTS = ("one", "default", "0", "1000", "3000", "10000", "30000", "100000")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that compute without end."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def environment(count: str) -> Mapping[str, str]:
    """Of an engine that spins so often; what is empty is as if it were not set."""
    if count == "one":
        return {"OMP_NUM_THREADS": "1"}
    return {"OMP_WAIT_POLICY": "", "GOMP_SPINCOUNT": "300000" if count == "default" else count}


def compare(name: str, request: Request, counts: list[str], busies: list[int], turns: int) -> None:
    engines = {count: EngineHost(environment=environment(count)).start() for count in counts}
    for engine in engines.values():
        seconds(engine, replace(request, steps=2))
    print(f"| {name} | " + " | ".join(counts) + " |\n|---|" + "---|" * len(counts), flush=True)
    for number in busies:
        taken: dict[str, list[float]] = {count: [] for count in counts}
        with busy(number):
            for turn in range(turns):
                for count in counts if turn % 2 else reversed(counts):
                    taken[count].append(seconds(engines[count], replace(request, seed=turn)))
        cells = (f"{statistics.median(found):.2f} ({max(found):.2f})" for found in taken.values())
        print(f"| {number} busy | " + " | ".join(cells) + " |", flush=True)
    for engine in engines.values():
        engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--counts", nargs="+", default=list(COUNTS))
    parser.add_argument("--busy", nargs="+", type=int, default=[0, 1, 2], help="processes beside it")
    parser.add_argument("--side", type=int, default=128, help="pixels of the starter's picture")
    parser.add_argument(
        "--full-size", type=Path, metavar="FOLDER", help="a full-size model, made there, and not the starter"
    )
    given = parser.parse_args()
    prepare_environment()
    print(f"load at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    starter = str(resources() / "models" / "starter")
    request = Request(prompt="a red house", model=starter, size=Size(given.side, given.side), steps=20)
    if given.full_size is None:
        compare(f"starter, {given.side}², 20 steps", request, given.counts, given.busy, given.turns)
        return
    from tests.bench.full_size import make_full_size

    model = str(make_full_size(given.full_size))
    compare("full size, 256², 2 steps and decoding", replace(request, model=model, size=Size(256, 256), steps=2),
            given.counts, given.busy, given.turns)  # fmt: skip


if __name__ == "__main__":
    main()

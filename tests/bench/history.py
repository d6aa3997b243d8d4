"""How fast a large history opens and is searched: ``python -m tests.bench.history [--entries 50000]``."""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.library.history_index import Entry, HistoryIndex, Search

WORDS = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8").lower().split()


def entry(id: int, draw: random.Random) -> Entry:
    """A prompt of some thirty words, as prompts are; every 50th has a star."""
    return Entry(
        id=id,
        made=1.7e9 + id * 60,
        width=512,
        height=512,
        bytes=500_000,
        prompt=" ".join(draw.choices(WORDS, k=30)),
        negative=" ".join(draw.choices(WORDS, k=10)),
        model=draw.choice(("Landscapes", "Dream", "Paint 2")),
        seed=draw.getrandbits(32),
        mode="text-to-image",
        seconds=8.0,
        starred=id % 50 == 0,
    )


def timed(what: str, work: Callable[[], object], times: int = 7) -> None:
    """The median and the worst of some runs in milliseconds, and what they took of the processor."""
    took, busy = [], []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        work()
        took.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - worked) * 1000)
    print(
        f"{what:34} {statistics.median(took):6.1f} ms, worst {max(took):6.1f}; processor {statistics.median(busy):6.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=50_000)
    given = parser.parse_args()
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "index.db"
        index = HistoryIndex(path)
        began = time.perf_counter()
        index.add(entry(id, draw) for id in range(1, given.entries + 1))
        took = time.perf_counter() - began
        print(f"{given.entries} entries made in {took:.1f} s, {path.stat().st_size / 1e6:.0f} MB")
        index.close()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        def opened() -> None:
            made = HistoryIndex(path)
            made.find(Search())
            made.close()

        timed("open, and all ids", opened)
        index = HistoryIndex(path)
        common = max(filter(str.isalpha, WORDS), key=WORDS.count)
        timed("all ids", lambda: index.find(Search()))
        timed(f"a common word ({common})", lambda: index.find(Search(words=common)))
        timed("one letter", lambda: index.find(Search(words="s")))
        timed("three words", lambda: index.find(Search(words="picture mask mod")))
        timed("a word with a star, this month", lambda: index.find(Search(words=common, starred=True, since=1.7e9)))
        timed("the rows of one screen", lambda: index.entries(range(given.entries - 60, given.entries)))
        timed("usage", index.usage)
        timed("check, later in the background", index.check)
        timed("one more entry", lambda: index.add([entry(index.next_id(), draw)]))
        index.close()
        print(f"memory grew by {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f} MB")


if __name__ == "__main__":
    main()

"""How long Limner takes to start: the bundle and the checkout, cold (with the disk's cache dropped; as root) and warm.

Each start is a self-test off screen with an empty home. Prints the median of the seconds since the process began.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]

from check import bare, program_in  # noqa: E402

MARKS = {"window": r"window after ([\d.]+) s", "engine": r"engine ready after ([\d.]+) s", "done": r"in ([\d.]+) s$"}
CACHE = Path("/proc/sys/vm/drop_caches")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bundle", help="where the bundle was made")
    parser.add_argument("--source", type=Path, default=ROOT / ".venv/bin/python", help="the Python for the checkout")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    commands = {"bundle": [str(program_in(options.build.absolute()))], "source": [str(options.source), "-m", "app"]}
    print(f"{'':16}" + "".join(f"{mark:>10}" for mark in MARKS))
    for cold in (True, False):
        for name, command in commands.items():
            if cold and not os.access(CACHE, os.W_OK):
                print(f"{name:8}cold    the disk's cache cannot be dropped here")
                continue
            if not cold:
                started(command, cold=False)  # fills the cache
            rows = [started(command, cold=cold) for _ in range(options.times)]
            medians = [statistics.median(row[mark] for row in rows) for mark in MARKS]
            label = f"{name:8}{'cold' if cold else 'warm':8}"
            print(label + "".join(f"{value:10.1f}" for value in medians), flush=True)
    return 0


def started(command: list[str], cold: bool) -> dict[str, float]:
    if cold:
        os.sync()
        CACHE.write_text("3")
    with tempfile.TemporaryDirectory() as home:
        environment = bare(Path(home)) | {"QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run(
            [*command, "--selftest"], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
    return {mark: float(re.findall(pattern, done.stdout, re.MULTILINE)[-1]) for mark, pattern in MARKS.items()}


if __name__ == "__main__":
    sys.exit(main())

"""Limner beside its peers, stage by stage: ``make bench`` or ``python -m tests.bench.speed [--quick] [--stages ...]``.

Every engine runs in a process of its own with the same weights, and each takes its turn, round after round; medians and
their ratios count, for the machine's own speed drifts. A turn is taken again when other programs computed meanwhile.
What was measured is added to build/bench/results.json and written, as tables, to tests/bench/RESULTS.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
RESULTS = Path(__file__).with_name("RESULTS.md")
BUSY = 0.1
"""Part of the machine that others may take during a turn."""
TRIES = 3

Row = tuple[str, int, int, int]
"""Stage, width, height, steps."""
WORK = {
    ("unet", 512): 1606.5,
    ("unet", 256): 360.2,
    ("decode", 512): 2514.5,
    ("decode", 256): 622.2,
    ("encode", 512): 1116.7,
}
"""GFLOP of a stage at a square size, counted as multiplications and additions of its products and convolutions."""
FULL: tuple[Row, ...] = (
    ("text", 512, 512, 1), ("encode", 512, 512, 1), ("unet", 256, 256, 1), ("unet", 512, 512, 1), ("unet", 768, 512, 1),
    ("unet", 768, 768, 1), ("decode", 256, 256, 1), ("decode", 512, 512, 1), ("preview", 512, 512, 1),
    ("paste", 1024, 1024, 1), ("picture", 256, 256, 20), ("picture", 512, 512, 20), ("inpaint", 1024, 1024, 20),
)  # fmt: skip
ABLE = {
    "diffusers": {"text", "encode", "unet", "decode", "picture", "inpaint"},
    "openvino": {"encode", "unet", "decode"},
}


@dataclass
class Contender:
    """A process and what it said."""

    name: str
    process: subprocess.Popen[str]
    load: float = 0.0
    peak: int = 0
    errors: list[str] = field(default_factory=list)

    @classmethod
    def start(cls, name: str, model: Path, python: str) -> Contender:
        command = [python, "-m", "tests.bench.contender", name, str(model)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        one = cls(name, process)
        one.load = float(one._answer()["seconds"])
        return one

    def turn(self, row: Row, keep: Path | None = None) -> float | None:
        """Seconds; None where the engine could not do it."""
        for _ in range(TRIES):
            before, began = psutil.cpu_times(), time.perf_counter()
            own = self._cpu()
            stage, width, height, steps = row
            asked = {
                "stage": stage,
                "width": width,
                "height": height,
                "steps": steps,
                "keep": str(keep) if keep else "",
            }
            assert self.process.stdin is not None
            print(json.dumps(asked), file=self.process.stdin, flush=True)
            answer = self._answer()
            if "error" in answer:
                self.errors.append(answer["error"])
                return None
            after, wall = psutil.cpu_times(), time.perf_counter() - began
            idle = after.idle - before.idle + getattr(after, "iowait", 0) - getattr(before, "iowait", 0)
            others = wall * (os.cpu_count() or 1) - idle - (self._cpu() - own)
            if others < BUSY * wall * (os.cpu_count() or 1) or wall < 0.5:
                return float(answer["seconds"])
            print(f"    {self.name}: others computed for {others:.1f} s of {wall:.1f}, once more", flush=True)
        return float(answer["seconds"])

    def _cpu(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        self.peak = max(self.peak, int(answer.get("peak", 0)))
        return answer

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def duel(
    ours: str, peer: str, rows: list[Row], rounds: int, model: Path, pythons: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """Both engines through the rows, a turn of one and a turn of the other; each row as soon as it is done."""
    engines = [Contender.start(name, model, pythons.get(name, sys.executable)) for name in (ours, peer)]
    print(f"{ours} and {peer}: loaded in {engines[0].load:.1f} and {engines[1].load:.1f} s", flush=True)
    for row in rows:
        able = [one for one in engines if row[0] in ABLE.get(one.name, {row[0]})]
        times: dict[str, list[float]] = {one.name: [] for one in able}
        whole = row[0] in ("picture", "inpaint")
        for number in range(rounds if not whole else 1 + (rounds > 3)):
            if number == 0:
                for one in able:
                    if not whole:  # the first use of a size is a warm-up; a whole picture is its own
                        one.turn(row)
            for one in able if number % 2 == 0 else able[::-1]:
                seconds = one.turn(row, BUILD / f"{one.name}.npy" if number == 0 else None)
                if seconds is not None:
                    times[one.name].append(seconds)
        entry = {
            "ours": ours, "peer": peer, "row": list(row), "rounds": rounds, "date": f"{datetime.date.today()}",
            "seconds": {name: statistics.median(some) for name, some in times.items() if some},
            "peak": {one.name: one.peak for one in able}, "errors": [error for one in able for error in one.errors],
            "load": {one.name: one.load for one in engines},
            "difference": _difference(*(BUILD / f"{one.name}.npy" for one in able)) if len(able) == 2 else None,
        }  # fmt: skip
        print("  ", *row, entry["seconds"], entry["difference"], entry["errors"] or "", flush=True)
        yield entry
    for one in engines:
        one.stop()


def _difference(ours: Path, theirs: Path) -> float | None:
    """The largest difference, over the largest number of the peer's output; None where the shapes differ."""
    try:
        one, other = np.load(ours).astype(np.float64), np.load(theirs).astype(np.float64)
    except OSError:
        return None
    if one.shape != other.shape:
        return None
    if one.max() > 1.5 and other.max() <= 1.0:
        one = one / 255  # pixels as bytes and as 0..1
    return float(np.abs(one - other).max() / max(1e-9, np.abs(other).max()))


def floor_rate() -> float:
    """GFLOP/s of this machine's best large product in float32, now."""
    import torch

    from app.diffusion.winograd import pack

    side = 3072
    one, other = torch.randn(side, side), torch.randn(side, side)
    packed = pack(other, side)
    best = 1e9
    for _ in range(4):
        for work in (
            lambda: one @ other,
            lambda: torch.ops.mkldnn._linear_pointwise(one, packed, None, "none", [], ""),
        ):
            began = time.perf_counter()
            work()
            best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best / 1e9


def report(results: dict[str, Any]) -> str:
    lines = [
        "# Limner beside its peers",
        "",
        f"{results['machine']}. {results['versions']}. Written by `make bench`; measured {results['date']}.",
        "",
        "A model of Stable Diffusion v1's exact shape with random weights, the same for every engine, in float32.",
        "Each works in a process of its own, turn by turn with its peer; medians. *ratio*: the peer's time over",
        "Limner's, over 1 where Limner is quicker. *difference*: the largest between both outputs, over the peer's",
        "largest number.",
        f"*floor*: a stage's multiplications and additions at this machine's best rate, {results['rate']:.0f} GFLOP/s;",
        "Winograd needs fewer of them and may go under it. A step is one pass with CFG.",
        "",
        "| stage | size | engine | s | peer | s | ratio | floor s | difference | peak GiB, both |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for entry in results["rows"]:
        stage, width, height, steps = entry["row"]
        seconds, peak = entry["seconds"], entry["peak"]
        ours, theirs = seconds.get(entry["ours"]), seconds.get(entry["peer"])
        work = WORK.get((stage, width)) if width == height else None
        name = f"{stage}, {steps} steps" if steps > 1 else stage
        cells = [
            name, f"{width} x {height}", entry["ours"], _number(ours),
            entry["peer"] if theirs else "-", _number(theirs),
            f"**{theirs / ours:.2f}**" if ours and theirs else "-",
            f"{work / results['rate']:.2f}" if work else "-",
            f"{entry['difference']:.1e}" if entry["difference"] is not None else "-",
            " / ".join(f"{value / 2**30:.1f}" for value in peak.values()),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    loads: dict[str, list[float]] = {}
    for entry in results["rows"]:
        for name, load in entry["load"].items():
            loads.setdefault(name, []).append(load)
    told = ", ".join(f"{name} {statistics.median(some):.1f} s" for name, some in sorted(loads.items()))
    lines += ["", f"From nothing to a loaded model, imports and all (OpenVINO converts later): {told}.", ""]
    return "\n".join(lines)


def _number(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.4f}" if seconds < 0.1 else f"{seconds:.2f}"


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        told = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
        named = {key.strip(): value.strip() for key, value in told.items()}
        model = f"{named.get('model name', model)} (family {named.get('cpu family')}, model {named.get('model')})"
    return f"{model}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"


def _versions(python: str) -> str:
    names = ("torch", "diffusers", "transformers")
    told = [f"{name} {metadata.version(name)}" for name in names]
    shown = subprocess.run([python, "-m", "pip", "show", "openvino"], capture_output=True, text=True, check=False)
    told += [f"openvino {line.split()[1]}" for line in shown.stdout.splitlines() if line.startswith("Version")]
    return f"Python {platform.python_version()}, {', '.join(told)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", nargs="+", help="only these")
    parser.add_argument("--sizes", type=int, nargs="+", help="only these widths")
    parser.add_argument("--ours", nargs="+", default=["limner"], help="limner, limner-lean, limner-exact")
    parser.add_argument("--peers", nargs="+", default=["diffusers", "openvino"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="of a whole picture")
    parser.add_argument("--peers-python", default=sys.executable, help="a Python that has the peers")
    given = parser.parse_args()
    from tests.bench.full_size import make_full_size

    BUILD.mkdir(parents=True, exist_ok=True)
    model = make_full_size(BUILD / "model")
    rows = [(*row[:3], given.steps if row[3] > 1 else 1) for row in FULL]
    rows = [
        row
        for row in rows
        if (not given.stages or row[0] in given.stages) and (not given.sizes or row[1] in given.sizes)
    ]
    kept = BUILD / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {"rows": []}
    rate, versions = floor_rate(), _versions(given.peers_python)
    for ours in given.ours:
        for peer in given.peers:
            some = [row for row in rows if peer == "diffusers" or row[0] in ABLE[peer]]
            for entry in duel(ours, peer, some, given.rounds, model, {"openvino": given.peers_python}):
                same = [one for one in results["rows"] if all(one[k] == entry[k] for k in ("ours", "peer", "row"))]
                results["rows"] = [one for one in results["rows"] if one not in same] + [entry]
                results |= {"rate": max(rate, results.get("rate", 0.0)), "machine": _machine()}
                results |= {"date": f"{datetime.date.today()}", "versions": versions}
                kept.write_text(json.dumps(results, indent=1))
    order = [row[:3] for row in FULL]
    results["rows"].sort(key=lambda one: (one["peer"], order.index(tuple(one["row"][:3])), one["ours"]))
    RESULTS.write_text(report(results))
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()

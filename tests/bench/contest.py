"""Engines that take turns, each in a process of its own; a turn is taken again when other programs computed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.bench.ledger import QUIET, ROOT, Entry, today
from tests.bench.turns import Turn, counted, median, order, share_of_others

BUILD = ROOT / "build" / "bench"
Row = tuple[str, int, int, int]
"""Stage, width, height, steps."""
WHOLE = ("picture", "inpaint", "inpaint-whole")
"""Stages that are whole pictures: their own warm-up, and taken fewer times."""
ABLE = {
    "diffusers": {"load", "text", "encode", "unet", "decode", "paste", *WHOLE},
    "openvino": {"load", "text", "encode", "unet", "decode", "picture"},
}
MORE_TURNS = {"text": 3, "preview": 5, "paste": 3}
"""Turns a round, of what takes less than a second."""
NEEDS = {"limner": 7.0, "limner-lean": 5.0, "limner-exact": 5.0, "diffusers": 4.5, "openvino": 8.0}
"""GiB that an engine takes at 512 px, files that are mapped among them."""


def able(engine: str, stage: str) -> bool:
    return engine not in ABLE or stage in ABLE[engine]


class Watch:
    """Looks who computes from now on."""

    def __init__(self) -> None:
        self._idle, self._began = _idle(), time.perf_counter()

    @property
    def wall(self) -> float:
        """Seconds until now."""
        return time.perf_counter() - self._began

    def others(self, own: float) -> float:
        """The part of the machine that others took until now, where ``own`` seconds were ours."""
        return share_of_others(wall=self.wall, cores=os.cpu_count() or 1, idle=_idle() - self._idle, own=own)


def _idle() -> float:
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0))


@dataclass
class Contender:
    """A process and what it said. ``load``: seconds from nothing to a loaded model; ``peak``: bytes, of all it did."""

    name: str
    process: subprocess.Popen[str]
    tries: int = 3
    load: float = 0.0
    peak: int = 0
    errors: list[str] = field(default_factory=list)
    compiled: dict[str, float] = field(default_factory=dict)
    """Seconds that an engine needed to make itself ready for a stage and size."""

    @classmethod
    def start(cls, name: str, model: Path, python: str | None = None, tries: int = 3) -> Contender:
        from sys import executable

        command = [python or executable, "-m", "tests.bench.contender", name, str(model)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | QUIET
        )
        one = cls(name, process, tries)
        one._answer()
        one.load = time.perf_counter() - began
        return one

    def turn(self, row: Row, keep: Path | None = None) -> float | None:
        """Seconds; None where the engine could not do it."""
        taken = self.take(row, keep)
        return None if taken is None else taken.seconds

    def take(self, row: Row, keep: Path | None = None) -> Turn | None:
        """The turn that counts; None where the engine could not do it."""
        taken: list[Turn] = []
        while len(taken) < self.tries and (not taken or taken[-1].disturbed):
            if taken:
                print(f"    {self.name}: others took {taken[-1].others:.0%} of the machine, once more", flush=True)
            one = self._once(row, keep)
            if one is None:
                return None
            taken.append(one)
        return counted(taken)

    def get_ready(self, row: Row) -> None:
        """Whatever the engine does once for a stage and size."""
        self._ask(row, only="prepare")
        answer = self._answer()
        if "error" in answer:
            self.errors.append(answer["error"])
        elif answer.get("prepared", 0.0) > 0.05:
            self.compiled[f"{row[0]} {row[1]} x {row[2]}"] = answer["prepared"]

    def warm_up(self, row: Row) -> None:
        """A turn that does not count."""
        self._once(row, None)

    def _once(self, row: Row, keep: Path | None) -> Turn | None:
        watch, before = Watch(), self.computed()
        self._ask(row, keep=str(keep) if keep else "")
        answer = self._answer()
        if "error" in answer:
            self.errors.append(answer["error"])
            return None
        return Turn(float(answer["seconds"]), watch.others(self.computed() - before), int(answer["stage_peak"]))

    def _ask(self, row: Row, **more: str) -> None:
        stage, width, height, steps = row
        asked = {"stage": stage, "width": width, "height": height, "steps": steps} | more
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: there will be no answer
            print(json.dumps(asked), file=self.process.stdin, flush=True)

    def computed(self) -> float:
        """Seconds of processor time since it was started."""
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(self.process.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        self.peak = max(self.peak, int(answer.get("peak", 0)))
        return answer

    def stop(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Who plays with what. ``ours`` are kinds of Limner; ``pythons``: for engines that need another one."""

    ours: Sequence[str]
    peers: Sequence[str]
    model: Path
    pythons: dict[str, str]
    source: str
    tries: int = 3

    @property
    def names(self) -> list[str]:
        return [*self.ours, *self.peers]

    def start(self, name: str) -> Contender:
        return Contender.start(name, self.model, self.pythons.get(name), self.tries)

    def loads(self, rounds: int) -> list[Entry]:
        """From nothing to a model that can paint 512 x 512: processes anew in each round, one at a time."""
        row: Row = ("load", 512, 512, 1)
        turns: dict[str, list[Turn]] = {name: [] for name in self.names}
        for number in range(rounds):
            for name in order(self.names, number):
                watch = Watch()
                one = self.start(name)
                one.get_ready(("picture", 512, 512, 1))
                wall = watch.wall
                turns[name].append(Turn(wall, watch.others(one.computed()), one.peak))
                one.stop()
                print(f"  load: {name} {wall:.1f} s", flush=True)
        return self._entries(row, rounds, turns, {}, {})

    def run(self, rows: Sequence[tuple[Row, int]], begin: Callable[[Row], bool] = lambda row: True) -> Iterator[Entry]:
        """Each row with its rounds, entries as soon as they are measured, one for every pair of ours and peer. It ends
        where ``begin`` says so."""
        engines: dict[str, Contender] = {}
        for number, (row, rounds) in enumerate(rows):
            if not begin(row):
                break
            for name in [one for one in engines if not any(able(one, left[0]) for left, _ in rows[number:])]:
                engines.pop(name).stop()  # its memory is for the others
            playing = [name for name in self.names if able(name, row[0])]
            for name in playing:
                if name not in engines:
                    engines[name] = self.start(name)
                    print(f"{name}: loaded in {engines[name].load:.1f} s", flush=True)
            turns: dict[str, list[Turn]] = {name: [] for name in playing}
            for name in playing:
                engines[name].get_ready(row)
                if row[0] not in WHOLE:  # the first use of a size is a warm-up
                    engines[name].warm_up(row)
            for turn in range(rounds * MORE_TURNS.get(row[0], 1)):
                for name in order(playing, turn):
                    keep = BUILD / f"{name}.npy"
                    taken = engines[name].take(row, keep if turn == 0 else None)
                    if taken is not None:
                        turns[name].append(taken)
            errors = {name: engines[name].errors for name in playing}
            yield from self._entries(row, rounds, turns, errors, {n: engines[n].compiled for n in playing})
            for name in playing:
                engines[name].errors = []
        for one in engines.values():
            one.stop()

    def _entries(
        self,
        row: Row,
        rounds: int,
        turns: dict[str, list[Turn]],
        errors: dict[str, list[str]],
        compiled: dict[str, dict[str, float]],
    ) -> list[Entry]:
        seconds = {name: median(some) for name, some in turns.items() if some}
        told = ", ".join(f"{name} {value:.3f} s" for name, value in seconds.items())
        wrong = "".join(f"; {name}: {some[0]}" for name, some in errors.items() if some)
        print(f"  {row[0]} {row[1]} x {row[2]}, {row[3]} steps: {told}{wrong}", flush=True)
        compared = row[0] not in ("load", "paste", "inpaint", "inpaint-whole")
        entries = []
        for ours in self.ours:
            for peer in [name for name in self.peers if name in turns] or [""]:
                pair = [name for name in (ours, peer) if name in turns]
                files = [BUILD / f"{name}.npy" for name in pair]
                wrong = sorted({f"{name}: {told.split(':')[0]}" for name in pair for told in errors.get(name, ())})
                entries.append(
                    {
                        "ours": ours, "peer": peer, "row": list(row), "rounds": rounds,
                        "turns": {name: [one.seconds for one in turns[name]] for name in pair},
                        "seconds": {name: seconds[name] for name in pair if name in seconds},
                        "peak": {name: max((one.peak for one in turns[name]), default=0) for name in pair},
                        "others": max((one.others for name in pair for one in turns[name]), default=0.0),
                        "errors": wrong,
                        "compiled": compiled.get(peer, {}),
                        "difference": difference(*files) if compared and len(pair) == 2 else None,
                        "date": today(), "source": self.source,
                    }
                )  # fmt: skip
        return entries


def difference(ours: Path, theirs: Path) -> float | None:
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
    """GFLOP/s in float32 of this machine's best, now: a large product, plain and packed, and a packed convolution."""
    import torch

    from app.diffusion.packed import usable
    from app.diffusion.winograd import pack

    side = 3072
    one, other = torch.randn(side, side), torch.randn(side, side)
    works = [(2.0 * side**3, lambda: one @ other)]
    if usable():
        packed = pack(other, side)
        works.append((2.0 * side**3, lambda: torch.ops.mkldnn._linear_pointwise(one, packed, None, "none", [], "")))
        channels, pixels = 640, 64
        x = torch.randn(2, channels, pixels, pixels).contiguous(memory_format=torch.channels_last)
        sides = ([1, 1], [1, 1], [1, 1])
        weight = torch.ops.mkldnn._reorder_convolution_weight(
            torch.randn(channels, channels, 3, 3), *sides, 1, [2, channels, pixels, pixels]
        )
        works.append(
            (
                2.0 * 9 * 2 * channels**2 * pixels**2,
                lambda: torch.ops.mkldnn._convolution_pointwise(x, weight, None, *sides, 1, "none", [], ""),
            )
        )
    best = 0.0
    for work, act in works:
        for _ in range(5):
            began = time.perf_counter()
            act()
            best = max(best, work / (time.perf_counter() - began) / 1e9)
    return best

"""The whole bench: ``make bench`` or ``python -m tests.bench.speed [--stages unet decode] [--sizes 256 512x768]``.

Limner beside its peers by stage and for whole pictures, then what it saves by computing less, its previews, its start
and its memory. It takes about an hour and a quarter on two cores that do nothing else. Each row is kept in
build/bench/results.json as soon as it is measured and written, with those of earlier invocations on this machine, to
tests/bench/RESULTS.md; ``--resume`` measures only what is missing there, ``--minutes 20`` begins nothing after them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psutil

from tests.bench.contest import BUILD, NEEDS, Contender, Contest, Row, Watch, able, floor_rate
from tests.bench.ledger import QUIET, ROOT, Ledger, machine, source, today, versions
from tests.bench.report import report
from tests.bench.turns import at_once, least

__all__ = ["BUILD", "Contender"]

RESULTS = Path(__file__).with_name("RESULTS.md")
SPARE = 1.5
"""GiB that stay free for everything else."""


@dataclass(frozen=True)
class Planned:
    """A row and how often its turns are taken at most. What is long has a ``most``, and a round less than the rest."""

    row: Row
    most: int = 99

    def rounds(self, asked: int) -> int:
        return asked if self.most == 99 else max(1, min(self.most, asked - 1))


ROWS = (
    Planned(("load", 512, 512, 1), 2),
    Planned(("text", 512, 512, 1)),
    Planned(("unet", 256, 256, 1)),
    Planned(("decode", 256, 256, 1)),
    Planned(("encode", 256, 256, 1)),
    Planned(("preview", 512, 512, 1)),
    Planned(("paste", 1024, 1024, 1)),
    Planned(("unet", 512, 512, 1)),
    Planned(("decode", 512, 512, 1)),
    Planned(("encode", 512, 512, 1)),
    Planned(("picture", 256, 256, 20), 2),
    Planned(("picture", 512, 512, 20), 1),
    Planned(("inpaint", 1024, 1024, 20), 1),
    Planned(("unet", 512, 768, 1), 2),
    Planned(("unet", 768, 768, 1), 2),
    Planned(("inpaint-whole", 1024, 1024, 2), 1),
)
Asked = tuple[Row, int]
"""A row and the rounds that it gets."""
CHOICES = (Planned(("unet", 256, 256, 1)), Planned(("decode", 256, 256, 1)))
"""What packing and Winograd are worth, and the way that takes least memory: beside diffusers only."""
STAGES = list(dict.fromkeys(planned.row[0] for planned in ROWS))


@dataclass(frozen=True)
class Part:
    """Another program of the bench; what it prints stands in the results."""

    title: str
    words: tuple[str, ...]
    more: tuple[str, ...] = ()
    """With ``--thorough``, in place of ``words``."""


MODEL = "build/bench/model"
PARTS = {
    "saving": Part("Computing less", ("saving", "--full-size", MODEL)),
    "masks": Part("Cost by mask", ("masks", "--full-size", MODEL)),
    "previews": Part("Previews", ("previews", "--full-size", MODEL)),
    "start": Part("Start", ("start", "--times", "5")),
    "smooth": Part(
        "The window while the engine works",
        ("smooth", "--full-size", MODEL, "--rounds", "1"),
        ("smooth", "--full-size", MODEL, "--rounds", "3"),
    ),
    "apart": Part("The engine in a process of its own", ("apart", "--times", "9")),
    "memory": Part(
        "Memory",
        ("memory", "--sizes", "512", "--pictures", "100"),
        ("memory", "--sizes", "512", "768", "1024", "--pictures", "100"),
    ),
}


class Clock:
    """Says how far the bench is, and when nothing is to be begun any more."""

    def __init__(self, minutes: float | None) -> None:
        self._began = time.monotonic()
        self._minutes = minutes

    @property
    def minutes(self) -> float:
        return (time.monotonic() - self._began) / 60

    def over(self) -> bool:
        return self._minutes is not None and self.minutes >= self._minutes

    def say(self, what: str) -> None:
        print(f"[{self.minutes:5.1f} min] {what}", flush=True)


def planned(stages: Sequence[str], sizes: Sequence[str], rounds: int, steps: int, whole_steps: int) -> list[Asked]:
    """The rows that are asked for. No stages or sizes: all of them."""
    asked = {tuple(map(int, (size if "x" in size else f"{size}x{size}").split("x"))) for size in sizes}
    chosen = []
    for one in ROWS:
        stage, width, height, count = one.row
        if (stages and stage not in stages) or (asked and (width, height) not in asked):
            continue
        count = count if count == 1 else whole_steps if stage == "inpaint-whole" else steps
        chosen.append(((stage, width, height, count), one.rounds(rounds)))
    return chosen


def contest(game: Contest, rows: Sequence[Asked], ledger: Ledger, clock: Clock, resume: bool) -> None:
    """All of the rows that are still to be measured, in as many games as memory asks for."""
    free = psutil.virtual_memory().available / 2**30 - SPARE
    if rows and (short := least(game.ours, game.peers, NEEDS) - free) > 0:
        clock.say(f"{short:.0f} GiB of memory are lacking: other programs should be closed, or all of this will crawl")
    for number, peers in enumerate(at_once(game.ours, game.peers, NEEDS, free)):
        some = replace(game, peers=peers)
        missing = [
            (row, rounds)
            for row, rounds in rows
            if (number == 0 or any(able(peer, row[0]) for peer in peers))
            and not (resume and _has(ledger, some, row, rounds))
        ]
        for row, rounds in missing:
            if row[0] == "load" and not clock.over():
                clock.say(f"loading: {', '.join(some.names)}")
                for entry in some.loads(rounds):
                    ledger.add_row(entry)
                write(ledger)
        stages = [(row, rounds) for row, rounds in missing if row[0] != "load"]
        for entry in some.run(stages, partial(_begin, clock, [row for row, _ in stages])):
            ledger.add_row(entry)
            write(ledger)


def _begin(clock: Clock, left: Sequence[Row], row: Row) -> bool:
    """Say which row comes; False where there is no time left."""
    number = left.index(row)
    if clock.over():
        clock.say(f"time is up: {len(left) - number} rows are left for --resume")
        return False
    stage, width, height, steps = row
    clock.say(f"row {number + 1} of {len(left)}: {stage} {width} x {height}" + f", {steps} steps" * (steps > 1))
    return True


def _has(ledger: Ledger, game: Contest, row: Row, rounds: int) -> bool:
    peers = [peer for peer in game.peers if able(peer, row[0])] or [""]
    return all(ledger.has_row(ours, peer, row, rounds, game.source) for ours in game.ours for peer in peers)


def run_part(name: str, thorough: bool, ledger: Ledger, now: str) -> bool:
    """Run another program of the bench and keep what it prints; False where it failed."""
    part = PARTS[name]
    module, *words = part.more if thorough and part.more else part.words
    watch, before = Watch(), _children()
    command = [sys.executable, "-m", f"tests.bench.{module}", *words]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | QUIET) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(f"  {line}", end="", flush=True)
            lines.append(line)
    if process.returncode:
        print(f"  {name} failed, nothing is kept of it", flush=True)
        return False
    entry = {
        "name": name, "title": part.title, "text": "".join(lines), "place": list(PARTS).index(name),
        "others": watch.others(_children() - before), "seconds": watch.wall, "date": today(), "source": now,
    }  # fmt: skip
    ledger.add_part(entry)
    write(ledger)
    return True


def _children() -> float:
    """Seconds that processes have computed which this one started and which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def write(ledger: Ledger) -> None:
    RESULTS.write_text(report(ledger.told))


def main() -> int:
    given = _arguments()
    from tests.bench.full_size import make_full_size

    BUILD.mkdir(parents=True, exist_ok=True)
    ledger, clock, now = Ledger(BUILD / "results.json", machine()), Clock(given.minutes), source()
    if not given.report:
        clock.say("a model of full size, once")
        make_full_size(BUILD / "model")
        ledger.note(versions=versions(given.peers_python), source=now)
        _contests(given, clock, ledger, now)
    failed = [] if given.report else _parts(given, clock, ledger, now)
    write(ledger)
    print(RESULTS.read_text())
    clock.say("done" + (f", without {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def _contests(given: argparse.Namespace, clock: Clock, ledger: Ledger, now: str) -> None:
    """All that is measured beside the peers."""
    rows = planned(given.stages, given.sizes, given.rounds, given.steps, given.whole_steps)
    choices = [(one.row, one.rounds(given.rounds)) for one in CHOICES if not given.stages or "choices" in given.stages]
    if not rows and not choices:
        return
    if "openvino" in given.peers:
        clock.say("OpenVINO's files of it, once")
        convert = [given.peers_python, "-m", "tests.bench.openvino_engine", str(BUILD / "model")]
        if subprocess.run(convert, cwd=ROOT, stdout=sys.stderr, env=os.environ | QUIET).returncode:
            clock.say("OpenVINO cannot be used here: it is left out")
            given.peers.remove("openvino")
    ledger.note(rate=floor_rate())
    game = Contest(ours=given.ours, peers=given.peers, model=BUILD / "model", source=now, tries=given.tries,
                   pythons={"openvino": given.peers_python})  # fmt: skip
    contest(game, rows, ledger, clock, given.resume)
    lean = replace(game, ours=["limner-lean", "limner-exact"], peers=["diffusers"])
    contest(lean, choices, ledger, clock, given.resume)


def _parts(given: argparse.Namespace, clock: Clock, ledger: Ledger, now: str) -> list[str]:
    """Run those that are asked for; returns the names of those that failed."""
    failed = []
    for name, part in PARTS.items():
        if (given.stages and name not in given.stages) or (given.resume and ledger.has_part(name, now)):
            continue
        if clock.over():
            clock.say(f"time is up: {name} is left for --resume")
            continue
        clock.say(part.title)
        if not run_part(name, given.thorough, ledger, now):
            failed.append(name)
    return failed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*STAGES, "choices", *PARTS]
    parser.add_argument("--stages", nargs="+", default=[], choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--sizes", nargs="+", default=[], metavar="SIZE", help="256, 512x768: only rows of these")
    parser.add_argument("--rounds", type=int, default=3, help="at most; whole pictures and large ones have fewer")
    parser.add_argument("--tries", type=int, default=3, help="of a turn while other programs compute")
    parser.add_argument("--steps", type=int, default=20, help="of a whole picture")
    parser.add_argument("--whole-steps", type=int, default=2, help="of the row where the peer works on 1024 x 1024")
    parser.add_argument("--thorough", action="store_true", help="more sizes and rounds: two hours more")
    parser.add_argument("--resume", action="store_true", help="only what is missing, was disturbed, or has changed")
    parser.add_argument("--minutes", type=float, help="begin nothing after so many")
    parser.add_argument("--report", action="store_true", help="measure nothing: write RESULTS.md again")
    parser.add_argument("--ours", nargs="+", default=["limner"], help="limner, limner-lean, limner-exact")
    parser.add_argument("--peers", nargs="+", default=["diffusers", "openvino"])
    parser.add_argument("--peers-python", default=sys.executable, help="a Python that has the peers")
    given = parser.parse_args()
    if given.thorough and given.whole_steps == 2:
        given.whole_steps = 20
    return given


if __name__ == "__main__":
    sys.exit(main())

"""What a kill costs: ``python -m tests.faults.kills [--kills 200] [--seed 0]`` prints the figures.

A process of the real window, with a painter that only pretends, paints, types, undoes, saves, generates, accepts and
lets an old history migrate, until it is killed (SIGKILL) at a random moment; now and then while it still starts. Then
what it left is read and compared with what it had seen itself do, pixel by pixel and for every undo step; all files are
looked at; and the next process must come up, bring the session back, and go on with it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.library.history_index import MIGRATIONS
from app.library.journal.folders import left_behind
from app.library.journal.reader import Fetcher, JournalError, Recovered, read_session
from app.ui.recovery import Offer
from tests.faults.witness import THINGS, clock, lines, look, seconds_lost, stack, word
from tests.library.journal.writing import pixels
from tests.ui.studio import make_model

_MOST_STEPS = 300
_STARTING = 0.15
"""The part of the kills that come while the program starts."""


@dataclass
class Figures:
    kills: int = 0
    while_starting: int = 0
    offered: int = 0  # starts that found a session, and were not killed before they could do anything
    restored: int = 0  # of these, the ones that brought it back
    steps: int = 0  # undo steps compared
    lost: float = 0.0  # seconds, the most
    files: int = 0
    damaged: int = 0
    migrations: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        text = (
            f"kills {self.kills} ({self.while_starting} while starting), sessions restored {self.restored} of "
            f"{self.offered}, undo steps compared {self.steps}, seconds lost at most {self.lost:.2f}, files looked at "
            f"{self.files}, damaged {self.damaged}, histories migrated {self.migrations}, wrong {len(self.wrong)}"
        )
        return "\n".join([text, *(f"  wrong: {what}" for what in self.wrong[:20])])


@dataclass(frozen=True, eq=False)
class Found:
    """What a journal tells of each thing, as the witness would have written it."""

    things: dict[str, str]
    looks: list[str]


class KillTest:
    """One data folder, killed over and over."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._folder = folder
        self._data = folder / "data"
        self._number = 0
        self._found: Found | None = None
        self.figures = Figures()
        make_model(self._data / "models" / "own", name="Own")

    def kill(self) -> None:
        """Start it, let it work, kill it, and look at what is left."""
        self._number += 1
        figures = self.figures
        if self._number % 8 == 0:
            figures.migrations += self._age_history()
        witness = self._folder / f"witness-{self._number}"
        early = self._found is not None and self._random.random() < _STARTING
        looks = ["--looks", *self._found.looks] if self._found is not None else []
        words = [str(self._data), str(witness), str(self._random.randrange(1 << 30)), *looks]
        with (self._folder / "output").open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.session", *words], stdout=output, stderr=output
            )
            try:
                if early:
                    time.sleep(self._random.uniform(0.1, 1.5))
                elif self._await(child, witness):
                    time.sleep(self._random.uniform(0.02, 2.0))
                killed = clock()
                ended = child.poll()
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()
        seen = lines(witness)
        figures.kills += 1
        ready = any("ready" in line for line in seen)
        figures.while_starting += not ready
        figures.wrong += [line["wrong"] for line in seen if "wrong" in line]
        if ended is not None:
            figures.wrong.append(f"the program ended by itself with {ended}: see {self._folder / 'output'}")
        if self._found is not None and (ready or not early):
            figures.offered += 1
            figures.restored += ready
        self._compare(seen, killed, ready=ready)
        self._look_at_files(seen)

    def _await(self, child: subprocess.Popen[bytes], witness: Path) -> bool:
        until = time.monotonic() + 240  # a machine with much else to do
        while time.monotonic() < until and child.poll() is None:
            if any("ready" in line for line in lines(witness)):
                return True
            time.sleep(0.01)
        return False

    def _compare(self, seen: list[dict[str, Any]], killed: float, *, ready: bool) -> None:
        figures, before = self.figures, self._found
        offers = list(self._offers())
        if len(offers) > 1:
            figures.wrong.append(f"{len(offers)} sessions were left")
        if not offers:
            if before is not None or any(line.get("thing") == "document" for line in seen[1:]):
                changed = [line for line in seen if "thing" in line]
                if before is not None or (len(changed) > len(THINGS) and killed - changed[len(THINGS)]["at"] > 1.0):
                    figures.wrong.append("nothing was left of a session")
            self._found = None
            return
        found = told(offers[0])
        self._found = found
        if len(found.looks) > _MOST_STEPS:  # or looking at all of them would take most of the time
            for held in left_behind(self._data / "journal"):
                held.remove()
            self._found = None
        figures.steps += len(found.looks) - 1
        for thing in THINGS:
            if not ready and before is not None:
                if thing != "queue" and found.things[thing] != before.things[thing]:
                    figures.wrong.append(f"kill {self._number}: a start changed the {thing}")
                continue
            lost = seconds_lost(seen, thing, found.things[thing], killed)
            if lost is None:
                figures.wrong.append(f"kill {self._number}: the {thing} never was as it is found")
            else:
                figures.lost = max(figures.lost, lost)

    def _offers(self) -> Iterator[Recovered]:
        for held in left_behind(self._data / "journal"):
            try:
                recovered = read_session(held.folder)
            except JournalError:
                held.release()  # killed before it had written its first record
                continue
            if Offer(held, recovered).worthwhile:
                yield recovered
            held.release()

    # Files

    def _look_at_files(self, seen: list[dict[str, Any]]) -> None:
        pictures = [*(self._data / "history").rglob("*.png"), *(self._data / "pictures").glob("*.png")]
        for path in [*pictures, *(self._data / "history").rglob("*.jpg")]:
            self._look_at(path, lambda path=path: np.asarray(Image.open(path)))
        for path in self._data.glob("settings.*"):
            self._look_at(path, lambda path=path: json.loads(path.read_bytes()))
        index = self._data / "history" / "index.db"
        if index.exists():
            self._look_at(index, lambda: self._check_index(index))
        for line in seen:
            if "saved" in line and not (self._data / "pictures" / line["saved"]).exists():
                self.figures.wrong.append(f"{line['saved']} was saved and is gone")
        kept = sum("kept" in line for line in seen)
        if kept > len(list((self._data / "history").rglob("*.png"))):
            self.figures.wrong.append("a picture of the history is gone")

    def _look_at(self, path: Path, read: Any) -> None:
        self.figures.files += 1
        try:
            read()
        except Exception as error:
            self.figures.damaged += 1
            self.figures.wrong.append(f"{path} is damaged: {error}")

    def _check_index(self, index: Path) -> None:
        """In a copy: the next start must find it as it was left."""
        with tempfile.TemporaryDirectory() as folder:
            for path in index.parent.glob("index.db*"):
                shutil.copy(path, folder)
            base = sqlite3.connect(Path(folder) / index.name)
            (answer,) = base.execute("PRAGMA quick_check").fetchone()
            base.close()
        assert answer == "ok", answer

    def _age_history(self) -> int:
        """Put an index of the first version in the place of what is there: the next start brings it up to date."""
        history = self._data / "history"
        if not history.exists():
            return 0
        for path in history.glob("index.db*"):
            path.unlink()
        base = sqlite3.connect(history / "index.db")
        base.executescript(MIGRATIONS[0])
        columns = [row[1] for row in base.execute("PRAGMA table_info(entries)")]
        rows = [
            tuple(
                number if name == "id" else "" if name in ("prompt", "negative", "model", "mode") else 1
                for name in columns
            )
            for number in range(100_000, 103_000)
        ]
        base.executemany(f"INSERT INTO entries VALUES ({', '.join('?' * len(columns))})", rows)
        base.execute("PRAGMA user_version = 1")
        base.commit()
        base.close()
        return 1


def told(recovered: Recovered) -> Found:
    """What the journal says, in the witness's words."""
    timeline = recovered.timeline
    with Fetcher(recovered) as fetch:
        looks = [look(state.values, pixels(state, fetch)) for state in timeline.states]
    params, candidates, queue = (
        timeline.parts[name].value if name in timeline.parts else None for name in ("params", "candidates", "queue")
    )
    return Found(
        {
            "document": stack(looks, timeline.texts, timeline.index),
            "settings": word([params["prompt"], params["steps"], params["seed"]]),
            "candidates": word(
                [[one["result"]["request"]["seed"], one["starred"]] for one in (candidates or (0, []))[1]]
            ),
            "queue": word([one["request"]["seed"] for one in queue or []]),
        },
        looks,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep everything there")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="limner-kills-"))
    test = KillTest(folder, given.seed)
    for number in range(given.kills):
        test.kill()
        if number % 10 == 9:
            print(test.figures, flush=True)
    print(test.figures)
    if given.folder is None and not test.figures.wrong:
        shutil.rmtree(folder)
    return 1 if test.figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

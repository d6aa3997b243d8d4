"""What was measured, kept as it comes: one file that every invocation adds to, so that nothing is measured in vain."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
QUIET = {
    "DIFFUSERS_VERBOSITY": "error", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore",
}  # fmt: skip
"""Variables of the processes that are started: what the libraries like to say stands between nobody's tables."""
Entry = dict[str, Any]
"""Of a contest: ours, peer, row, turns, seconds, peak, difference, errors, others, date, source. Of a part: name, text,
seconds, others, date, source."""


class Ledger:
    """The entries of one machine; those of another one are let go when it is opened."""

    def __init__(self, file: Path, machine: str) -> None:
        self._file = file
        self.told: dict[str, Any] = {"machine": machine, "rate": 0.0, "rows": [], "parts": [], "loads": []}
        try:
            kept = json.loads(file.read_text())
        except (OSError, ValueError):
            kept = {}
        if kept.get("machine") == machine and kept.get("form") == 2:
            self.told |= kept
        self.told["form"] = 2

    def note(self, **told: Any) -> None:
        """Versions, rate and the like; the rate is the best that was ever seen."""
        told["rate"] = max(told.get("rate", 0.0), self.told["rate"])
        self.told |= told
        self._write()

    def add_row(self, entry: Entry) -> None:
        """In place of the one that was measured before."""
        self._add("rows", entry, ("ours", "peer", "row"))

    def add_part(self, entry: Entry) -> None:
        self._add("parts", entry, ("name",))

    def _add(self, list_name: str, entry: Entry, keys: Sequence[str]) -> None:
        held = self.told[list_name]
        self.told[list_name] = [one for one in held if any(one[key] != entry[key] for key in keys)] + [entry]
        self._write()

    def has_row(self, ours: str, peer: str, row: Sequence[Any], rounds: int, source: str) -> bool:
        """Whether it needs not be measured again: with the same source, as often, and nothing else was computed."""
        same = [one for one in self.told["rows"] if (one["ours"], one["peer"], one["row"]) == (ours, peer, list(row))]
        return any(is_done(one, rounds, source) for one in same)

    def has_part(self, name: str, source: str) -> bool:
        return any(one["name"] == name and is_done(one, 0, source) for one in self.told["parts"])

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self.told, indent=1))
        os.replace(beside, self._file)


def is_done(entry: Entry, rounds: int, source: str) -> bool:
    from tests.bench.turns import BUSY

    return (
        entry["source"] == source
        and entry.get("rounds", 0) >= rounds
        and entry["others"] <= BUSY
        and not entry.get("errors")
    )


def today() -> str:
    return f"{datetime.date.today()}"


def source() -> str:
    """Tells Limner's program from an earlier one: a short fingerprint of app/ as it stands."""
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD:app"], cwd=ROOT, capture_output=True, text=True)
    changed = subprocess.run(["git", "status", "--porcelain", "app"], cwd=ROOT, capture_output=True, text=True)
    if told.returncode:
        return "unknown"
    return told.stdout.strip() + ("+" if changed.stdout.strip() else "")


def machine() -> str:
    """The processor, its cores and its memory, and no name of anybody's."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        told = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
        named = {key.strip(): value.strip() for key, value in told.items()}
        wide = ", AVX-512" if "avx512f" in named.get("flags", "") else ""
        model = f"{named.get('model name', model)} (family {named.get('cpu family')}, model {named.get('model')}{wide})"
    return f"{model}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.system()}"


def versions(peers_python: str) -> str:
    told = [f"{name} {metadata.version(name)}" for name in ("torch", "diffusers", "transformers")]
    code = "from importlib import metadata; print(metadata.version('openvino'))"
    shown = subprocess.run([peers_python, "-c", code], capture_output=True, text=True, check=False)
    told += [f"openvino {shown.stdout.strip()}"] if shown.returncode == 0 else []
    return f"Python {platform.python_version()}, {', '.join(told)}"

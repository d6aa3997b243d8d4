"""What a session under test has seen itself do, written down so that a kill cannot undo it, and compared afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

THINGS = ("document", "settings", "candidates", "queue")


def clock() -> float:
    """Seconds, the same for all processes: CLOCK_MONOTONIC counts from the machine's start."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def look(values: Mapping[str, Any], planes: Mapping[str, np.ndarray]) -> str:
    """Every value and every pixel of a document, as one word."""
    seen = hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=12)
    for name in sorted(planes):
        seen.update(f"{name} {planes[name].shape[:2]}".encode())
        seen.update(np.ascontiguousarray(planes[name]).tobytes())
    return seen.hexdigest()


def word(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()


def stack(looks: Sequence[str], texts: Sequence[str], index: int) -> str:
    """A document with all its steps: how it looks after each, what they are called, where it stands."""
    return word([list(looks), list(texts), index])


class Witness:
    """Appends a line for each thing that changes, at the moment at which it does."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._last: dict[str, str] = {}

    def saw(self, thing: str, value: str) -> None:
        if self._last.get(thing) != value:
            self._last[thing] = value
            self.say({"thing": thing, "value": value})

    def say(self, told: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps({"at": clock(), **told}).encode() + b"\n")


def lines(path: Path) -> list[dict[str, Any]]:
    """All that were written whole."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def seconds_lost(seen: Sequence[Mapping[str, Any]], thing: str, found: str, killed: float) -> float | None:
    """How old the oldest change of this thing was that is missing; 0 when none is, None for what was never so."""
    changes = [line for line in seen if line.get("thing") == thing]
    places = [number for number, line in enumerate(changes) if line["value"] == found]
    if not places:
        return None
    missing = changes[places[-1] + 1 :]
    return max(0.0, killed - missing[0]["at"]) if missing else 0.0

"""Telling an engine that works long from one that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.process.messages import Beat

_SLEPT = 10.0
"""Seconds between two looks after which not the engine has stood still but the whole machine."""
_WORK = 1.0
"""Seconds of processor time that count as work: beating itself takes a few milliseconds a minute."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """In seconds, and generous: one call of a large model on a slow processor may take more than a minute, and a
    library on a cold disk keeps Python's lock while it is loaded.

    ``beat``: without any sign of life from the process. ``still``: alive, and neither asks whether to stop nor uses the
    processor. ``cancel``: after a cancel. ``death``: from the end of its pipe to the end of the process.
    """

    beat: float = 90.0
    still: float = 240.0
    cancel: float = 60.0
    death: float = 5.0


class Vitals:
    """What is known of one process while something is awaited from it. Look often: the time since the last look tells
    whether the machine slept."""

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._last: Beat | None = None
        self.begin()

    def begin(self) -> None:
        """From now on something is awaited."""
        self._looked = self._heard = self._moved = self._clock()
        self._cancelled: float | None = None

    def cancelled(self) -> None:
        if self._cancelled is None:
            self._cancelled = self._clock()

    def hear(self, said: object) -> None:
        """Anything that the process says is a sign of life."""
        now = self._clock()
        self._heard = now
        if not isinstance(said, Beat):
            self._moved = now
            return
        last = self._last
        if last is None or said.asked != last.asked or said.seconds - last.seconds >= _WORK:
            self._moved = now
            self._last = said

    def failing(self) -> str:
        """What is wrong, as the end of a sentence on the engine; empty while there is hope."""
        now = self._clock()
        slept = now - self._looked
        self._looked = now
        if slept > _SLEPT:
            self._heard += slept
            self._moved += slept
            if self._cancelled is not None:
                self._cancelled += slept
        if now - self._heard > self._patience.beat:
            return f"gave no sign of life for {self._patience.beat:.0f} seconds"
        if now - self._moved > self._patience.still:
            return f"stood still for {self._patience.still:.0f} seconds"
        if self._cancelled is not None and now - self._cancelled > self._patience.cancel:
            return f"did not stop within {self._patience.cancel:.0f} seconds"
        return ""

"""The arithmetic of taking turns: whose turn it is, which turn counts, medians and ratios."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BUSY = 0.1
"""Part of the machine that others may take during a turn."""
SHORT = 0.5
"""Seconds under which the system's own clocks are too coarse to tell who computed."""


@dataclass(frozen=True)
class Turn:
    """One turn of one engine. ``others``: the part of the machine that other programs took meanwhile."""

    seconds: float
    others: float = 0.0
    peak: int = 0

    @property
    def disturbed(self) -> bool:
        return self.others > BUSY


def share_of_others(*, wall: float, cores: int, idle: float, own: float) -> float:
    """What neither idled nor was ours, of all that the machine could have computed in ``wall`` seconds; 0 where the
    turn was too short to say. ``idle`` and ``own`` are seconds too, over all cores."""
    if wall < SHORT:
        return 0.0
    return min(1.0, max(0.0, wall * cores - idle - own) / (wall * cores))


def counted(tries: Sequence[Turn]) -> Turn:
    """The turn that counts, of those that were taken in a row: the last if it was undisturbed, else the least so."""
    return min(reversed(tries), key=lambda turn: turn.others if turn.disturbed else 0.0)


def order(names: Sequence[str], number: int) -> list[str]:
    """Who plays in which order in round ``number``: each is first in its turn, so that none always follows the same."""
    if not names:
        return []
    first = number % len(names)
    return [*names[first:], *names[:first]]


def median(turns: Sequence[Turn]) -> float:
    return statistics.median(turn.seconds for turn in turns)


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """The peer's time over ours: over 1 where we are quicker. None where one is missing."""
    return theirs / ours if ours and theirs else None


def at_once(engines: Sequence[str], peers: Sequence[str], needs: Mapping[str, float], free: float) -> list[list[str]]:
    """Which peers play together with our ``engines``: all where memory suffices (GiB), else one after another."""
    needed = sum(needs.get(name, 0.0) for name in (*engines, *peers))
    return [list(peers)] if needed <= free or len(peers) < 2 else [[peer] for peer in peers]


def least(engines: Sequence[str], peers: Sequence[str], needs: Mapping[str, float]) -> float:
    """GiB that a game needs where peers play one after another."""
    return sum(needs.get(name, 0.0) for name in engines) + max((needs.get(peer, 0.0) for peer in peers), default=0.0)

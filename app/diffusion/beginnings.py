"""Painting a picture whose first steps have other words than the rest: a run for each, going on from the one before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.core.errors import UnfinishedError
from app.core.job import Hooks, Phase, Preview, Result
from app.core.request import Request
from app.core.trail import Branch, Look, Resume, Trail

Paint = Callable[[Request, Hooks], Result]


def paint_from_beginnings(paint: Paint, request: Request, hooks: Hooks) -> Result:
    """Each candidate as ``paint`` paints it, which does one run. Raises what that raises."""
    made = []
    for number in range(request.count):
        made.append(_paint_one(paint, request.alone(number), hooks, number, request.count))
        hooks.made(made[-1])
    return replace(made[0], more=tuple(made[1:]))


def _paint_one(paint: Paint, request: Request, hooks: Hooks, number: int, count: int) -> Result:
    began = time.perf_counter()
    resume: Resume | None = None
    done = 0
    share = _Share(hooks, number, count, request.stop_at or request.steps)
    for place, beginning in enumerate(request.beginnings):
        until = min(beginning.until, request.stop_at or beginning.until)
        trail = _begun(paint, replace(request.begun(place), stop_at=until, resume=resume), share)
        if trail is None:  # nothing is painted at strength 0
            break
        done = min(until, len(trail))
        if done == request.stop_at:
            resume = Look(trail, done)
            break
        resume = Branch(trail, done)
    result = paint(replace(request, resume=resume), share)
    return replace(result, request=request, steps=done + result.steps, seconds=time.perf_counter() - began)


def _begun(paint: Paint, request: Request, hooks: Hooks) -> Trail | None:
    """The steps alone: that they cannot be decoded is no harm yet."""
    try:
        return paint(request, hooks).trail
    except UnfinishedError as error:
        return error.trail


@dataclass(frozen=True)
class _Share:
    """Hooks for one of ``count`` candidates; ``least``: the steps that it has if a run does not know of more."""

    hooks: Hooks
    number: int
    count: int
    least: int

    def cancelled(self) -> bool:
        return self.hooks.cancelled()

    def entered(self, phase: Phase) -> None:
        self.hooks.entered(phase)

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        total = max(total, self.least)
        self.hooks.stepped(self.number * total + step, self.count * total, preview)

    def made(self, candidate: Result) -> None:
        """What was begun with is no candidate, and what comes last is told when it is whole."""

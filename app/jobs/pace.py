"""How long jobs take here, learnt from those that have ended."""

from __future__ import annotations

import statistics
from collections import deque
from typing import NamedTuple

from app.core.request import Request
from app.core.trail import Branch, Look

_RECENT = 5  # jobs of one kind that the estimate looks back on


class _Kind(NamedTuple):
    """Jobs whose steps take equally long."""

    model: str
    task: str
    size: tuple[int, int]
    guided: bool
    sampler: str


class Pace:
    """Seconds per step that was asked for, with reading and finishing the picture counted in, and loading not."""

    def __init__(self) -> None:
        self._measured: dict[_Kind, deque[float]] = {}

    def learn(self, request: Request, seconds: float) -> None:
        """A job of this Request took so long after the model was loaded."""
        work = _work(request)
        if work > 0 and seconds > 0:
            kind = _kind(request)
            times = self._measured.pop(kind, deque(maxlen=_RECENT))  # the newest kind stands last
            times.append(seconds / work)
            self._measured[kind] = times

    def seconds(self, request: Request) -> float | None:
        """How long this will take; None while nothing like it has been done. Of another size or kind with the same
        model, it is judged by the pixels."""
        asked = _kind(request)
        if asked in self._measured:
            return statistics.median(self._measured[asked]) * _work(request)
        for kind, times in reversed(self._measured.items()):
            if kind.model == asked.model:
                pixels = (asked.size[0] * asked.size[1]) / (kind.size[0] * kind.size[1])
                halved = (2 if asked.guided else 1) / (2 if kind.guided else 1)  # CFG asks the model twice
                return statistics.median(times) * pixels * halved * _work(request)
        return None


def _kind(request: Request) -> _Kind:
    size = request.size
    return _Kind(
        request.model,
        type(request.task).__name__,
        (size.width, size.height),
        request.guidance > 1.0,
        request.sampler,
    )


def _work(request: Request) -> float:
    """Steps that are run; none where a kept step is only looked at."""
    if isinstance(request.resume, Look):
        return 0.0
    left = 1.0 - request.resume.step / max(1, len(request.resume.trail)) if isinstance(request.resume, Branch) else 1.0
    return request.steps * request.strength * request.count * left

"""Pasting back another way what was painted a moment ago: the model has nothing to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.job import Mode
from app.core.request import Inpaint, Request
from app.core.trail import Trail
from app.diffusion.bundle import ModelBundle
from app.diffusion.decoding import Canvas

_KEY = "painted"


@dataclass(frozen=True, kw_only=True, eq=False)
class Painted:
    """What the model made for ``request``, before it was put into the picture."""

    request: Request
    canvas: Canvas
    trail: Trail
    mode: Mode
    notes: tuple[str, ...]


def remember(bundle: ModelBundle, painted: Painted) -> None:
    """The last one only: it may be large, and it is the one that the person looks at."""
    bundle.kept.put((_KEY, bundle.worn), painted)


def painted_before(bundle: ModelBundle, request: Request) -> Painted | None:
    """What was painted last, if only the way of pasting it back is asked for otherwise. The very same Request is
    painted anew: whoever asks for that wants it tried again."""
    last = bundle.kept.held((_KEY, bundle.worn))
    if not isinstance(last, Painted) or last.request == request:
        return None
    return last if _without_pasting(last.request) == _without_pasting(request) else None


def _without_pasting(request: Request) -> Request:
    task = request.task
    if not isinstance(task, Inpaint):
        return request
    return replace(request, task=replace(task, seam=replace(task.seam, ring=None, colour_match=True)))

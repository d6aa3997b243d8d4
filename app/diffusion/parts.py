"""A mask of several far parts, painted one part after the other, each in a frame of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from app.core.geometry import Rect, Size, group_parts
from app.core.job import Hooks, Phase, Preview, Result
from app.core.request import FrameChoice, Inpaint, Mask, Request
from app.diffusion.bundle import ModelBundle
from app.diffusion.generate import Release, generate
from app.diffusion.join import count_changed_outside
from app.diffusion.texts import Embeddings

GRIDS = (128, 64, 32, 16, 8)
"""Cells a side of the grids on which parts are told apart: what is nearer than one is one part."""
MOST_PARTS = 32
"""A mask of more parts, sprinkled dust say, is looked at on a coarser grid."""


def generate_parts(
    bundle: ModelBundle,
    request: Request,
    hooks: Hooks,
    embeddings: Embeddings | None = None,
    release: Release = lambda: None,
    notes: tuple[str, ...] = (),
) -> Result:
    """Do the Request; where it asks for a frame for each part and there are several, part by part.

    Each part starts from the picture with those before it done, and from the Request's seed, as if it were alone.
    Raises as ``generate`` does.
    """
    parts = _parts_of(request, bundle.native_size)
    if len(parts) < 2:
        return generate(bundle, request, hooks, embeddings, release, notes)

    def paint(one: Request, share: Hooks) -> Result:
        return generate(bundle, one, share, embeddings, release, notes)

    made: list[Result] = []
    for number in range(request.count):
        share = _Share(hooks, number * len(parts), request.count * len(parts))
        made.append(_paint_parts(paint, request.alone(number), parts, share))
        hooks.made(made[-1])
    return replace(made[0], more=tuple(made[1:]))


def _parts_of(request: Request, native: int) -> tuple[Rect, ...]:
    if request.frame is not FrameChoice.PARTS or not isinstance(request.task, Inpaint) or request.resume is not None:
        return ()
    return group_parts(mask_parts(request.task.mask), request.size, native)


def _paint_parts(
    paint: Callable[[Request, Hooks], Result], request: Request, parts: Sequence[Rect], share: _Share
) -> Result:
    task = request.task
    assert isinstance(task, Inpaint)
    image, results = task.image, []
    for number, part in enumerate(parts):
        mask = np.zeros_like(task.mask)
        mask[part.slices] = task.mask[part.slices]
        one = replace(request, frame=FrameChoice.AUTO, task=replace(task, image=image, mask=mask))
        results.append(paint(one, replace(share, done=share.done + number)))
        image = results[-1].image
    box = reduce(Rect.joined, (result.box for result in results))
    steps = sum(result.steps for result in results)
    return replace(
        results[-1],
        request=request,
        box=box,
        frame=reduce(Rect.joined, (result.frame for result in results)),
        parts=tuple(result.frame for result in results),
        steps=steps,
        seconds=sum(result.seconds for result in results),
        seconds_per_step=sum(result.seconds_per_step * result.steps for result in results) / max(1, steps),
        changed_outside=count_changed_outside(task.image, image, task.mask, box),
        ring=max(result.ring or 0 for result in results),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        trail=None,  # each part has its own; together they lead nowhere that could be gone on from
    )


@dataclass(frozen=True)
class _Share:
    """Hooks for one part of ``total``: its steps count on from those of the ``done`` parts."""

    hooks: Hooks
    done: int
    total: int

    def cancelled(self) -> bool:
        return self.hooks.cancelled()

    def entered(self, phase: Phase) -> None:
        self.hooks.entered(phase)

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self.hooks.stepped(self.done * total + step, self.total * total, preview)

    def made(self, candidate: Result) -> None:
        """A part is no candidate."""


def mask_parts(mask: Mask) -> list[Rect]:
    """The bounds of what hangs together, to a cell of the first grid on which there are not too many."""
    boxes: list[Rect] = []
    for grid in GRIDS:
        boxes = _parts_on(mask, max(1, -(-max(mask.shape) // grid)))
        if len(boxes) <= MOST_PARTS:
            break
    return boxes


def _parts_on(mask: Mask, side: int) -> list[Rect]:
    """Cells are ``side`` pixels wide and high."""
    height, width = mask.shape
    rows = np.maximum.reduceat(mask, np.arange(0, height, side), axis=0)
    cells = np.maximum.reduceat(rows, np.arange(0, width, side), axis=1) > 0
    boxes = []
    while cells.any():
        x, y, right, bottom = _take_part(cells)
        boxes.append(Rect(x * side, y * side, (right - x) * side, (bottom - y) * side).clamped(Size(width, height)))
    return boxes


def _take_part(cells: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Clear one part from the cells, corners joined too; its left, top, right and bottom."""
    first = tuple(int(at) for at in np.argwhere(cells)[0])
    cells[first] = False
    waiting, rows, columns = deque([first]), [], []
    while waiting:
        row, column = waiting.popleft()
        rows.append(row)
        columns.append(column)
        top, left = max(0, row - 1), max(0, column - 1)
        for y, x in np.argwhere(cells[top : row + 2, left : column + 2]):
            near = (top + int(y), left + int(x))
            cells[near] = False
            waiting.append(near)
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1

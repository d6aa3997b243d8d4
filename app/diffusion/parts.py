"""A mask of several far parts, painted one part after the other, each in a frame of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from app.core.geometry import Rect, group_parts
from app.core.job import Hooks, Phase, Preview, Result
from app.core.mask_parts import mask_parts
from app.core.request import FrameChoice, Inpaint, Mask, Request
from app.diffusion.bundle import ModelBundle
from app.diffusion.generate import Release, generate
from app.diffusion.join import count_changed_outside
from app.diffusion.texts import Embeddings


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
        blend=_blend(results, box),
        steps=steps,
        seconds=sum(result.seconds for result in results),
        seconds_per_step=sum(result.seconds_per_step * result.steps for result in results) / max(1, steps),
        changed_outside=count_changed_outside(task.image, image, task.mask, box),
        ring=max(result.ring or 0 for result in results),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        trail=None,  # each part has its own; together they lead nowhere that could be gone on from
    )


def _blend(results: Sequence[Result], box: Rect) -> Mask:
    """How much of any of the parts is mixed in, over the box that holds them all."""
    blend = np.zeros((box.height, box.width), np.uint8)
    for result in results:
        at = Rect(result.box.x - box.x, result.box.y - box.y, result.box.width, result.box.height)
        np.maximum(blend[at.slices], 255 if result.blend is None else result.blend, out=blend[at.slices])
    return blend


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

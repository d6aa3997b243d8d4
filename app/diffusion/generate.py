"""From a Request to a Result: the recipe, read from top to bottom."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

import torch

from app.core.errors import Cancelled, UnfinishedError, is_out_of_memory
from app.core.geometry import FramePlan
from app.core.job import Hooks, Mode, Phase, Preview, Result
from app.core.request import ImageToImage, Inpaint, Pixels, Request, TextToImage
from app.core.samplers import sampler
from app.core.seam import plan_reach
from app.core.trail import Branch, Look
from app.diffusion.again import Painted, painted_before, remember
from app.diffusion.bundle import ModelBundle
from app.diffusion.cancelling import stoppable
from app.diffusion.conditioning import Guidance, encode_prompts
from app.diffusion.decoding import DecodeMemoryError, NotFiniteError, decode_canvas, not_finite
from app.diffusion.denoise import Step, denoise
from app.diffusion.follow import Follower
from app.diffusion.frame import WorkingFrame, paste_back, plan_frame
from app.diffusion.graphs import recorded
from app.diffusion.join import Joined, join
from app.diffusion.latents import Generators
from app.diffusion.preview import preview_of, shown_through
from app.diffusion.schedule import Schedule
from app.diffusion.start import prepare_start
from app.diffusion.texts import Embeddings
from app.diffusion.threads import one_thread
from app.diffusion.thrift import Descent, applied
from app.diffusion.trails import TrailKeeper, check_fits, resume, retrace
from app.diffusion.unet_pass import DRAFT, SharedPass, is_plain
from app.diffusion.variation import generator_of

log = logging.getLogger(__name__)

Release = Callable[[], None]


@torch.inference_mode()
def generate(
    bundle: ModelBundle,
    request: Request,
    hooks: Hooks,
    embeddings: Embeddings | None = None,
    release: Release = lambda: None,
    notes: tuple[str, ...] = (),
) -> Result:
    """Do the Request, its candidates in groups. ``embeddings``: textual inversions by word. ``release`` gives memory
    back after it ran out. ``notes`` stand in every Result.

    Raises Cancelled between two steps or within one, UserError where the person can help, and what torch raises when
    the memory does not suffice in any way.
    """
    canvas = working_frame(bundle, request).canvas
    few = canvas.width * canvas.height <= bundle.alone  # of one: a candidate's threads are those it would have alone
    with stoppable(bundle, hooks.cancelled), one_thread(few):
        if isinstance(request.resume, Look):
            return look(bundle, request, request.resume, hooks, release, notes)
        made: list[Result] = []
        descent = Descent(bundle, canvas, request.count, request.guidance > 1.0)
        while len(made) < request.count:
            numbers = range(len(made), min(len(made) + descent.rung.at_once, request.count))
            group = [request.alone(number) for number in numbers]
            share = _Share(hooks, numbers, request.count)
            painted = _tried(bundle, group, share, embeddings, descent, release, notes)
            if not painted:  # outside the handler, so that the error's frames no longer hold the tensors
                release()
            made += painted
    return replace(made[0], more=tuple(made[1:]))


def _tried(
    bundle: ModelBundle,
    group: Sequence[Request],
    hooks: Hooks,
    embeddings: Embeddings | None,
    descent: Descent,
    release: Release,
    notes: tuple[str, ...],
) -> list[Result]:
    """The group's candidates; none where they have to be tried again another way, which the descent then stands at."""
    try:
        with applied(bundle, descent.rung) as working:
            guidance = encode_prompts(working, group[0], embeddings)
            return paint(working, group, guidance, hooks, release, (*notes, *descent.notes))
    except NotFiniteError:
        if not descent.refine():
            raise
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or not descent.down():
            raise
        log.info("out of memory", exc_info=True)
    return []


def paint(
    bundle: ModelBundle,
    requests: Sequence[Request],
    guidance: Guidance,
    hooks: Hooks,
    release: Release,
    notes: tuple[str, ...],
) -> list[Result]:
    """The recipe, for Requests of one candidate that differ in their seeds alone and are painted together."""
    began = time.perf_counter()
    request = requests[0]
    frame = working_frame(bundle, request)
    if len(requests) == 1 and (painted := painted_before(bundle, request)) is not None:
        return _told(hooks, [_pasted(bundle, request, frame, painted, began)])
    generators = [generator_of(one) for one in requests]
    schedule = make_schedule(bundle, request, generators)
    if len(schedule) == 0:
        return _told(hooks, [_untouched(bundle, one, frame, time.perf_counter() - began, notes) for one in requests])
    _enter(hooks, Phase.ENCODING)
    start = prepare_start(bundle, request, frame, schedule, generators)
    branch = request.resume if isinstance(request.resume, Branch) else None
    if branch is not None:
        check_fits(bundle, frame, branch.trail)
        start = resume(start, schedule, branch, generators)
    last = min(request.stop_at or len(schedule), len(schedule))
    kept = TrailKeeper(start, branch)
    _enter(hooks, Phase.DENOISING)
    loop_began = time.perf_counter()
    x = start.x
    alpha = shown_through(start.mask)
    steps_to_last = _until(last, denoise(_pass(bundle, request), schedule, start.x, guidance, start.region))
    for seen in Follower(bundle.preview, bundle.placement.device).seen(steps_to_last):
        step, x = seen.step, seen.step.x
        if step.number == request.stop_at:
            x = step.clean
        if not seen.finite or (x is step.clean and not bool(torch.isfinite(x).all())):
            raise not_finite(bundle)
        kept.add(seen)
        hooks.stepped(step.number, last, preview_of(seen.colours, alpha, bundle.factor, frame))
        _stop_if_asked(hooks)
    steps = last - (branch.step if branch else 0)
    per_step = (time.perf_counter() - loop_began) / max(1, steps)
    _enter(hooks, Phase.DECODING)
    candidates = []
    trails = kept.trails(requests, frame, request.strength)
    for one, trail, latents in zip(requests, trails, x.split(1), strict=True):
        try:
            canvas = decode_canvas(bundle, latents, release)
        except DecodeMemoryError as error:
            raise UnfinishedError(error.message, error.remedy, trail) from None
        _stop_if_asked(hooks)
        told = (*notes, *canvas.notes)
        remember(bundle, Painted(request=one, canvas=canvas, trail=trail, mode=start.mode, notes=told))
        joined = finish(one, frame, canvas.pixels)
        candidates.append(
            Result(
                image=joined.image,
                request=one,
                mode=start.mode,
                box=joined.box,
                frame=frame.plan.box,
                working=frame.plan.working,
                steps=steps,
                seconds=(time.perf_counter() - began) / len(requests),
                seconds_per_step=per_step,
                model_name=bundle.name,
                device=bundle.placement.label,
                changed_outside=joined.changed_outside,
                blend=joined.blend,
                notes=told,
                trail=trail,
                ring=_ring(frame),
            )
        )
    return _told(hooks, candidates)


def _until(last: int, steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if step.number == last:
            return


def _pass(bundle: ModelBundle, request: Request) -> Any:
    """How the UNet is called in one run."""
    if request.draft and is_plain(bundle.unet):
        return SharedPass(bundle.unet, every=DRAFT)
    if not bundle.shares:
        return bundle.unet
    return recorded(bundle.unet, bundle.placement.device) if bundle.records else SharedPass(bundle.unet)


def look(
    bundle: ModelBundle, request: Request, asked: Look, hooks: Hooks, release: Release, notes: tuple[str, ...]
) -> Result:
    """What the model took for the finished picture at a kept step, in the place of the result."""
    began = time.perf_counter()
    frame = working_frame(bundle, request)
    check_fits(bundle, frame, asked.trail)
    generators = [generator_of(request)]
    clean = retrace(make_schedule(bundle, request, generators), asked.trail, asked.step, generators)
    assert clean is not None  # a Look is at step 1 or later
    _enter(hooks, Phase.DECODING)
    canvas = decode_canvas(bundle, clean, release)
    _stop_if_asked(hooks)
    joined = finish(request, frame, canvas.pixels)
    result = Result(
        image=joined.image,
        request=request,
        mode=_mode(bundle, request),
        box=joined.box,
        frame=frame.plan.box,
        working=frame.plan.working,
        steps=0,
        seconds=time.perf_counter() - began,
        seconds_per_step=0.0,
        model_name=bundle.name,
        device=bundle.placement.label,
        changed_outside=joined.changed_outside,
        blend=joined.blend,
        ring=_ring(frame),
        notes=(*notes, *canvas.notes),
        trail=asked.trail,
    )
    return _told(hooks, [result])[0]


def _pasted(bundle: ModelBundle, request: Request, frame: WorkingFrame, painted: Painted, began: float) -> Result:
    joined = finish(request, frame, painted.canvas.pixels)
    return Result(
        image=joined.image,
        request=request,
        mode=painted.mode,
        box=joined.box,
        frame=frame.plan.box,
        working=frame.plan.working,
        steps=0,
        seconds=time.perf_counter() - began,
        seconds_per_step=0.0,
        model_name=bundle.name,
        device=bundle.placement.label,
        changed_outside=joined.changed_outside,
        blend=joined.blend,
        notes=painted.notes,
        trail=painted.trail,
        ring=_ring(frame),
    )


def _mode(bundle: ModelBundle, request: Request) -> Mode:
    match request.task:
        case TextToImage():
            return Mode.TEXT_TO_IMAGE
        case ImageToImage():
            return Mode.IMAGE_TO_IMAGE
        case Inpaint():
            return Mode.INPAINT_CONCAT if bundle.concat else Mode.INPAINT_BLEND
        case _:
            assert_never(request.task)


def _told(hooks: Hooks, candidates: list[Result]) -> list[Result]:
    for candidate in candidates:
        hooks.made(candidate)
    return candidates


@dataclass(frozen=True)
class _Share:
    """Hooks for a group of candidates, of all that are asked for: their steps count on from those before."""

    hooks: Hooks
    group: range
    count: int

    def cancelled(self) -> bool:
        return self.hooks.cancelled()

    def entered(self, phase: Phase) -> None:
        self.hooks.entered(phase)

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self.hooks.stepped(self.group.start * total + step * len(self.group), self.count * total, preview)

    def made(self, candidate: Result) -> None:
        self.hooks.made(candidate)


def working_frame(bundle: ModelBundle, request: Request) -> WorkingFrame:
    """Where the model works; the frame of a run that is resumed stays what it was."""
    kept, task = request.resume.trail if request.resume else None, request.task
    plan = FramePlan(kept.box, kept.working) if kept else plan_frame(request, bundle.native_size)
    reach = plan_reach(task.seam, task.strength, plan, bundle.factor) if isinstance(task, Inpaint) else None
    return WorkingFrame(plan, plan.working.padded(bundle.factor), reach)


def make_schedule(bundle: ModelBundle, request: Request, generators: Generators) -> Schedule:
    return Schedule(
        bundle.scheduler_config,
        sampler(request.sampler),
        request.steps,
        request.strength,
        generators,
        bundle.placement.device,
    )


def finish(request: Request, frame: WorkingFrame, canvas: Pixels) -> Joined:
    """The whole picture, and where it may differ from the source."""
    generated, box = frame.restore(canvas), frame.plan.box
    task = request.task
    match task:
        case TextToImage():
            return Joined(generated, box)
        case ImageToImage(image=image):
            return Joined(paste_back(image, generated, box, None), box)
        case Inpaint():
            return join(task, frame, canvas)
        case _:
            assert_never(task)


def _untouched(
    bundle: ModelBundle, request: Request, frame: WorkingFrame, seconds: float, notes: tuple[str, ...]
) -> Result:
    """Strength 0: the source comes back bit for bit."""
    task = request.task
    assert not isinstance(task, TextToImage)
    return Result(
        image=task.image,
        request=request,
        mode=_mode(bundle, request),
        box=frame.plan.box,
        frame=frame.plan.box,
        working=frame.plan.working,
        steps=0,
        seconds=seconds,
        seconds_per_step=0.0,
        model_name=bundle.name,
        device=bundle.placement.label,
        changed_outside=0 if isinstance(task, Inpaint) else None,
        ring=_ring(frame),
        notes=(*notes, "At strength 0 the picture stays as it is."),
    )


def _ring(frame: WorkingFrame) -> int | None:
    return None if frame.reach is None else frame.reach.ring


def _enter(hooks: Hooks, phase: Phase) -> None:
    _stop_if_asked(hooks)
    hooks.entered(phase)


def _stop_if_asked(hooks: Hooks) -> None:
    if hooks.cancelled():
        raise Cancelled

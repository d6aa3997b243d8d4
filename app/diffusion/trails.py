"""Keeping the steps of a run, and walking along them again without the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch

from app.core.errors import RequestError
from app.core.request import Request
from app.core.trail import Branch, Latents, Trail
from app.diffusion.bundle import ModelBundle
from app.diffusion.follow import Seen
from app.diffusion.frame import WorkingFrame
from app.diffusion.latents import Generators
from app.diffusion.schedule import Schedule
from app.diffusion.start import Start
from app.diffusion.transfers import sent


class TrailKeeper:
    """Collects the steps of candidates that are painted together; begins where the run begins, or where the run ends
    that this one goes on from."""

    def __init__(self, start: Start, branch: Branch | None = None) -> None:
        self._latents = [start.x.cpu()]  # each N x C x h x w
        self._noise: list[torch.Tensor] = []
        if branch is not None:
            self._latents = [_latents(branch.trail, step) for step in range(branch.step + 1)]
            self._noise = [_noise(branch.trail, step) for step in range(branch.step)]

    def add(self, seen: Seen) -> None:
        self._latents.append(seen.x)
        self._noise.append(seen.noise)

    def trails(self, requests: Sequence[Request], frame: WorkingFrame, strength: float) -> list[Trail]:
        """One for each candidate."""
        layouts = tuple(map(_channels_last, self._latents)), tuple(map(_channels_last, self._noise))
        return [
            Trail(
                latents=np.stack([one[number].numpy() for one in self._latents]),
                noise=np.stack([one[number].numpy() for one in self._noise]),
                channels_last=layouts,
                sampler=request.sampler,
                steps=request.steps,
                strength=strength,
                seed=request.seed,
                size=request.size,
                box=frame.plan.box,
                working=frame.plan.working,
                reseeded=_reseeded(request),
            )
            for number, request in enumerate(requests)
        ]


def resume(start: Start, schedule: Schedule, branch: Branch, generators: Generators) -> Start:
    """The Start at the branch's step in place of the run's first; schedule and generators come to stand there too."""
    retrace(schedule, branch.trail, branch.step, generators)
    if branch.seed is not None:
        _reseed(generators, branch.seed)
    return replace(start, x=sent(_latents(branch.trail, branch.step), start.x.device))


def retrace(schedule: Schedule, trail: Trail, steps: int, generators: Generators) -> torch.Tensor | None:
    """Walk the first steps of the trail again, so that the scheduler's history and the generators are as they were.

    Returns what the model took for the clean latents at the last of them, None for no steps.
    """
    clean = None
    reseeded = dict(trail.reseeded)
    for i, t in islice(schedule, steps):
        _reseed(generators, reseeded.get(i))
        x, noise = sent(_latents(trail, i), schedule.device), sent(_noise(trail, i), schedule.device)
        clean = schedule.clean(schedule.scaled(x, t), noise, t)
        schedule.step(noise, t, x)
    _reseed(generators, reseeded.get(steps))
    return clean


def check_fits(bundle: ModelBundle, frame: WorkingFrame, trail: Trail) -> None:
    """Raises RequestError where the trail is another model's."""
    canvas = frame.canvas
    shape = (bundle.channels, canvas.height // bundle.factor, canvas.width // bundle.factor)
    if trail.latents.shape[1:] != shape:
        raise RequestError(
            f"The kept steps do not fit the model “{bundle.name}”: their latents are "
            f"{' x '.join(map(str, trail.latents.shape[1:]))}, the model’s {' x '.join(map(str, shape))}.",
            "Choose the model that they were painted with.",
        )


def _reseed(generators: Generators, seed: int | None) -> None:
    if seed is not None:
        for generator in generators:
            generator.manual_seed(seed)


def _reseeded(request: Request) -> tuple[tuple[int, int], ...]:
    branch = request.resume
    if not isinstance(branch, Branch):
        return ()
    earlier = dict(pair for pair in branch.trail.reseeded if pair[0] <= branch.step)
    return tuple((earlier | ({} if branch.seed is None else {branch.step: branch.seed})).items())


def _latents(trail: Trail, step: int) -> torch.Tensor:
    return _tensor(trail.latents[step], trail.channels_last[0][step])


def _noise(trail: Trail, step: int) -> torch.Tensor:
    return _tensor(trail.noise[step], trail.channels_last[1][step])


def _tensor(latents: Latents, channels_last: bool) -> torch.Tensor:
    """C x h x w -> 1 x C x h x w, a copy that may be written to."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return torch.from_numpy(latents.copy())[None].contiguous(memory_format=layout)


def _channels_last(x: torch.Tensor) -> bool:
    return not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)

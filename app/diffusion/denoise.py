"""The loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from app.diffusion.conditioning import Guidance, predict_noise
from app.diffusion.regions import Region
from app.diffusion.schedule import Schedule


@dataclass(frozen=True)
class Step:
    """After ``number`` of ``total`` model evaluations: the latents, what the model predicted, and its estimate of the
    clean latents."""

    number: int
    total: int
    x: torch.Tensor  # N x 4 x h x w for N candidates
    noise: torch.Tensor
    clean: torch.Tensor


def denoise(unet: Any, schedule: Schedule, x: torch.Tensor, guidance: Guidance, region: Region) -> Iterator[Step]:
    """From where the schedule stands to a clean picture, a Step at a time. To cancel, do not ask for the next."""
    for i, t in schedule:
        scaled = schedule.scaled(x, t)
        noise = predict_noise(unet, region.model_input(scaled), t, guidance)
        clean = schedule.clean(scaled, noise, t)
        x = schedule.step(noise, t, x)
        x = region.after_step(x, i)  # adjacent to the step: re-noising reads the scheduler's own position
        yield Step(i + 1, len(schedule), x, noise, clean)

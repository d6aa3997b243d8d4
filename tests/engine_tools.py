"""What the engine's tests share: hooks that remember, requests, and the latents at the end of the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.core.geometry import Size
from app.core.job import Phase, Preview, Result
from app.core.request import Request
from app.diffusion.bundle import ModelBundle
from app.diffusion.conditioning import encode_prompts
from app.diffusion.denoise import denoise
from app.diffusion.generate import make_schedule, working_frame
from app.diffusion.start import prepare_start
from app.diffusion.variation import generator_of


@dataclass
class RecordingHooks:
    """Remembers what a Backend told; asks to stop after ``stop_after`` steps, if that is set."""

    stop_after: int | None = None
    phases: list[Phase] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    candidates: list[Result] = field(default_factory=list)

    def cancelled(self) -> bool:
        return self.stop_after is not None and len(self.steps) >= self.stop_after

    def entered(self, phase: Phase) -> None:
        self.phases.append(phase)

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self.steps.append((step, total))
        if preview is not None:
            self.previews.append(preview)

    def made(self, candidate: Result) -> None:
        self.candidates.append(candidate)


def request_for(model: Path, **changes: Any) -> Request:
    """A small Request that any tiny model does."""
    values: dict[str, Any] = {
        "prompt": "a red house on the hill",
        "negative": "snow",
        "model": str(model),
        "size": Size(64, 48),
        "seed": 7,
        "steps": 5,
        "guidance": 5.0,
    }
    return Request(**(values | changes))


def some_picture(size: Size, seed: int = 1) -> np.ndarray:
    """Smooth colours, so that an autoencoder is not asked to carry noise."""
    coarse = torch.rand((1, 3, 4, 4), generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, size=(size.height, size.width), mode="bilinear")
    return (smooth[0].permute(1, 2, 0) * 255).to(torch.uint8).numpy()


def aligned_mask(size: Size) -> np.ndarray:
    """Binary, its edges on multiples of 8."""
    mask = np.zeros((size.height, size.width), np.uint8)
    mask[16:40, 24:56] = 255
    return mask


@torch.inference_mode()
def final_latents(bundle: ModelBundle, request: Request) -> tuple[torch.Tensor, int]:
    """What the loop ends with, before decoding, and how many evaluations it ran."""
    frame = working_frame(bundle, request)
    guidance = encode_prompts(bundle, request)
    generators = [generator_of(request)]
    schedule = make_schedule(bundle, request, generators)
    start = prepare_start(bundle, request, frame, schedule, generators)
    steps = list(denoise(bundle.unet, schedule, start.x, guidance, start.region))
    return steps[-1].x, len(steps)

"""Where the loop begins and what holds it: noise, a noised picture, and the Region for the task and the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np
import torch
from diffusers import AutoencoderKL

from app.core.job import Mode
from app.core.request import ImageToImage, Inpaint, Request, TextToImage
from app.diffusion.bundle import ModelBundle
from app.diffusion.frame import WorkingFrame
from app.diffusion.latents import Generators, encode, gaussian, mask_to_latents, to_tensor
from app.diffusion.regions import BlendMask, ConcatMask, Everywhere, Region
from app.diffusion.schedule import Schedule


@dataclass(frozen=True)
class Start:
    """Where the loop begins, N x 4 x h x w for N candidates, and what holds it. ``mask``: 1 x 1 x h x w of what is
    being repainted, None for all."""

    x: torch.Tensor
    region: Region
    mode: Mode
    mask: torch.Tensor | None = None


def prepare_start(
    bundle: ModelBundle, request: Request, frame: WorkingFrame, schedule: Schedule, generators: Generators
) -> Start:
    """How x starts and which Region holds it. Random numbers are drawn in the order in which diffusers draws them:
    the source's posterior, the noise, the masked image's posterior."""
    task = request.task
    match task:
        case TextToImage():
            x = schedule.pure_noise(_noise(bundle, frame, generators))
            return Start(x, _everywhere(bundle, frame, generators), Mode.TEXT_TO_IMAGE)
        case ImageToImage(image=image):
            source = _encode(bundle, to_tensor(frame.cut(image)), generators)
            x = schedule.noised(source, _noise(bundle, frame, generators), 0)
            return Start(x, _everywhere(bundle, frame, generators), Mode.IMAGE_TO_IMAGE)
        case Inpaint():
            if bundle.concat:
                return _start_concat(bundle, task, frame, schedule, generators)
            return _start_blend(bundle, task, frame, schedule, generators)
        case _:
            assert_never(task)


def _start_concat(
    bundle: ModelBundle, task: Inpaint, frame: WorkingFrame, schedule: Schedule, generators: Generators
) -> Start:
    picture = to_tensor(frame.cut(task.image))
    pixel_mask = frame.cut_mask(task.mask)
    x = _noised_or_noise(bundle, task, picture, frame, schedule, generators)
    mask = mask_to_latents(pixel_mask, bundle.factor).to(x.device)
    # these models were trained on pictures greyed where the mask is over one half
    kept = torch.from_numpy((pixel_mask < 128).astype(np.float32))
    masked = _encode(bundle, picture * kept, generators)
    return Start(x, ConcatMask(mask, masked), Mode.INPAINT_CONCAT, mask)


def _noised_or_noise(
    bundle: ModelBundle,
    task: Inpaint,
    picture: torch.Tensor,
    frame: WorkingFrame,
    schedule: Schedule,
    generators: Generators,
) -> torch.Tensor:
    if task.strength >= 1.0:
        return schedule.pure_noise(_noise(bundle, frame, generators))
    source = _encode(bundle, picture, generators)
    return schedule.noised(source, _noise(bundle, frame, generators), 0)


def _start_blend(
    bundle: ModelBundle, task: Inpaint, frame: WorkingFrame, schedule: Schedule, generators: Generators
) -> Start:
    # the layout that diffusers' own blend happens to have here: in the other one convolutions round differently
    source = _encode(bundle, to_tensor(frame.cut(task.image)), generators).contiguous()
    noise = _noise(bundle, frame, generators)
    _skip_posterior(bundle, frame, generators)
    x = schedule.pure_noise(noise) if task.strength >= 1.0 else schedule.noised(source, noise, 0)
    mask = mask_to_latents(frame.cut_mask(task.mask), bundle.factor).to(x.device)
    return Start(x, BlendMask(mask, source, noise, schedule), Mode.INPAINT_BLEND, mask)


def _skip_posterior(bundle: ModelBundle, frame: WorkingFrame, generators: Generators) -> None:
    """diffusers encodes the masked image even where it is not used; drawing as many numbers without computing it
    gives samplers that add noise the same numbers from there on."""
    if isinstance(bundle.vae, AutoencoderKL):
        _noise(bundle, frame, generators)


def _everywhere(bundle: ModelBundle, frame: WorkingFrame, generators: Generators) -> Region:
    """Nothing held; a 9-channel model is told that all of a grey picture is to be repainted."""
    if not bundle.concat:
        return Everywhere()
    grey = torch.zeros((1, 3, frame.canvas.height, frame.canvas.width))
    masked = _encode(bundle, grey, generators)
    return ConcatMask(torch.ones_like(masked[:, :1]), masked)


def _encode(bundle: ModelBundle, picture: torch.Tensor, generators: Generators) -> torch.Tensor:
    return encode(bundle.vae, picture.to(bundle.placement.device, bundle.vae.dtype), generators).float()


def _noise(bundle: ModelBundle, frame: WorkingFrame, generators: Generators) -> torch.Tensor:
    canvas = frame.canvas
    shape = (bundle.channels, canvas.height // bundle.factor, canvas.width // bundle.factor)
    return gaussian(shape, generators).to(bundle.placement.device)

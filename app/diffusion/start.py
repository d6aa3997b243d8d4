"""Where the loop begins and what holds it: noise, a noised picture, and the Region for the task and the model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
import torch
from diffusers import AutoencoderKL

from app.core.job import Mode
from app.core.request import ImageToImage, Inpaint, Mask, Pixels, Request, TextToImage
from app.core.seam import Fill
from app.diffusion.bundle import ModelBundle
from app.diffusion.fill import filled
from app.diffusion.frame import WorkingFrame
from app.diffusion.kept import fingerprint
from app.diffusion.latents import Generators, drawn, gaussian, is_finite, mask_to_latents, to_tensor
from app.diffusion.regions import BlendMask, ConcatMask, Everywhere, Region, Together
from app.diffusion.schedule import Schedule
from app.diffusion.transfers import sent

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """Where the loop begins, N x 4 x h x w for N candidates, and what holds it. ``mask``: 1 x 1 x h x w of what was
    painted over, None for all."""

    x: torch.Tensor
    region: Region
    mode: Mode
    mask: torch.Tensor | None = None


def prepare_start(
    bundle: ModelBundle, request: Request, frame: WorkingFrame, schedule: Schedule, generators: Generators
) -> Start:
    """How x starts and which Region holds it. Random numbers are drawn in the order in which diffusers draws them:
    the source's posterior, the noise, the masked image's posterior; what diffusers does not draw comes after."""
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
            painting = _painting(bundle, task, frame, generators)
            painted = mask_to_latents(frame.cut_mask(task.mask), bundle.factor)
            if bundle.concat:
                return _start_concat(painting, schedule, painted)
            return _start_blend(painting, schedule, painted)
        case _:
            assert_never(task)


@dataclass(frozen=True, kw_only=True)
class _Painting:
    """An inpainting on the model's canvas: the picture, and what the model repaints in pixels and in latents."""

    bundle: ModelBundle
    task: Inpaint
    frame: WorkingFrame
    generators: Generators
    picture: Pixels
    pixel_mask: Mask
    mask: torch.Tensor

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        return _encode(self.bundle, picture, self.generators)

    def noise(self) -> torch.Tensor:
        return _noise(self.bundle, self.frame, self.generators)

    @property
    def soft(self) -> bool:
        return bool(((self.mask > 0) & (self.mask < 1)).any())

    @property
    def from_noise(self) -> bool:
        """Nothing of the picture is in the start: at full strength, where nothing is filled in."""
        return self.task.strength >= 1.0 and self.task.seam.fill in (Fill.ORIGINAL, Fill.NOISE)

    def beginning(self, source: torch.Tensor) -> torch.Tensor:
        """The latents that are noised for the start: the source's, with the filling under the mask."""
        match self.task.seam.fill:
            case Fill.ORIGINAL:
                return source
            case Fill.NOISE:
                return source + (self.noise() - source) * self.mask
            case Fill.BLURRED | Fill.EDGES | Fill.TELEA | Fill.COLOUR:
                return self.encode(to_tensor(filled(self.picture, self.pixel_mask, self.task.seam)))
            case _:
                assert_never(self.task.seam.fill)


def _painting(bundle: ModelBundle, task: Inpaint, frame: WorkingFrame, generators: Generators) -> _Painting:
    pixel_mask = frame.cut_denoise_mask(task.mask)
    return _Painting(
        bundle=bundle,
        task=task,
        frame=frame,
        generators=generators,
        picture=frame.cut(task.image),
        pixel_mask=pixel_mask,
        mask=sent(mask_to_latents(pixel_mask, bundle.factor), bundle.placement.device),
    )


def _start_concat(painting: _Painting, schedule: Schedule, painted: torch.Tensor) -> Start:
    picture = to_tensor(painting.picture)
    source = None if painting.task.strength >= 1.0 else painting.encode(picture)
    noise = painting.noise()
    # these models were trained on pictures greyed where the mask is over one half
    kept = torch.from_numpy((painting.pixel_mask < 128).astype(np.float32))
    masked = painting.encode(picture * kept)
    region: Region = ConcatMask(painting.mask, masked)
    if source is None and (painting.soft or not painting.from_noise):
        source = painting.encode(picture)
    if source is None:
        return Start(schedule.pure_noise(noise), region, Mode.INPAINT_CONCAT, painted)
    if painting.soft:
        # the mask's channel tells the UNet where to paint; how much, per latent, is kept to by the steps
        region = Together(region, BlendMask(painting.mask, source, noise, schedule))
    return Start(_first(painting, schedule, source, noise), region, Mode.INPAINT_CONCAT, painted)


def _start_blend(painting: _Painting, schedule: Schedule, painted: torch.Tensor) -> Start:
    # the layout that diffusers' own blend happens to have here: in the other one convolutions round differently
    source = painting.encode(to_tensor(painting.picture)).contiguous()
    noise = painting.noise()
    _skip_posterior(painting)
    x = _first(painting, schedule, source, noise)
    return Start(x, BlendMask(painting.mask, source, noise, schedule), Mode.INPAINT_BLEND, painted)


def _first(painting: _Painting, schedule: Schedule, source: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    if painting.from_noise:
        return schedule.pure_noise(noise)
    return schedule.noised(painting.beginning(source), noise, 0)


def _skip_posterior(painting: _Painting) -> None:
    """diffusers encodes the masked image even where it is not used; drawing as many numbers without computing it
    gives samplers that add noise the same numbers from there on."""
    if isinstance(painting.bundle.vae, AutoencoderKL):
        painting.noise()


def _everywhere(bundle: ModelBundle, frame: WorkingFrame, generators: Generators) -> Region:
    """Nothing held; a 9-channel model is told that all of a grey picture is to be repainted."""
    if not bundle.concat:
        return Everywhere()
    grey = torch.zeros((1, 3, frame.canvas.height, frame.canvas.width))
    masked = _encode(bundle, grey, generators)
    return ConcatMask(torch.ones_like(masked[:, :1]), masked)


def _encode(bundle: ModelBundle, picture: torch.Tensor, generators: Generators) -> torch.Tensor:
    vae = bundle.vae
    # tiles see less than the whole
    key = ("source", fingerprint(picture), bundle.worn, vae.dtype, vae.device, vae.use_tiling)
    output = bundle.kept.get(key, lambda: _read(vae, sent(picture, bundle.placement.device)))
    return drawn(vae, output, generators).float()


def _read(vae: Any, picture: torch.Tensor) -> Any:
    """What the VAE says of the picture; in full precision where half of it does not hold its values."""
    dtype = vae.dtype
    output = vae.encode(picture.to(dtype))
    if dtype == torch.float32 or is_finite(output):
        return output
    log.info("the picture is read in full precision: in half of it, values ran over")
    try:
        return vae.to(torch.float32).encode(picture)
    finally:
        vae.to(dtype)


def _noise(bundle: ModelBundle, frame: WorkingFrame, generators: Generators) -> torch.Tensor:
    canvas = frame.canvas
    shape = (bundle.channels, canvas.height // bundle.factor, canvas.width // bundle.factor)
    return sent(gaussian(shape, generators), bundle.placement.device)

"""Between pixels and latents, and the noise that both start from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from app.core.request import Mask, Pixels
from app.diffusion.transfers import brought, sent
from app.diffusion.variation import MixedGenerator

Generators = list[torch.Generator]
"""One for each candidate that is painted at once: each draws what it would draw alone."""


def to_tensor(pixels: Pixels) -> torch.Tensor:
    """H x W x 3 of 0..255 -> 1 x 3 x H x W of -1..1, float32 on the CPU, channels last as diffusers makes them
    (convolutions round differently in the other layout)."""
    unit = (
        pixels[None].astype(np.float32, order="C") / 255.0
    )  # the batch axis first: added later, its stride hides the layout
    return 2.0 * torch.from_numpy(unit.transpose(0, 3, 1, 2)) - 1.0


def to_pixels(tensor: torch.Tensor) -> Pixels:
    """1 x 3 x H x W of -1..1 -> H x W x 3 of 0..255; values beyond are clipped."""
    unit = (tensor[0].float() / 2 + 0.5).clamp(0, 1)
    return brought((unit * 255.0).round().to(torch.uint8).permute(1, 2, 0).contiguous()).numpy()


def mask_to_latents(mask: Mask, factor: int) -> torch.Tensor:
    """H x W of 0..255 -> 1 x 1 x H/factor x W/factor of 0..1 by area: the mask stays soft. Sides divide by factor."""
    unit = torch.from_numpy(mask.astype(np.float32) / 255.0)[None, None]
    return F.avg_pool2d(unit, factor)


def encode(vae: Any, picture: torch.Tensor, generators: Generators) -> torch.Tensor:
    """1 x 3 x H x W of -1..1 -> N x 4 x h x w, scaled latents for each of N generators."""
    return drawn(vae, vae.encode(picture), generators)


def drawn(vae: Any, output: Any, generators: Generators) -> torch.Tensor:
    """What a VAE says of a picture -> scaled latents. A KL autoencoder's are drawn from its posterior; another's are
    all the same."""
    if hasattr(output, "latent_dist"):
        posterior = _in_full(output.latent_dist)
        latents = torch.cat([_drawn(posterior, one) for one in generators])
    else:
        latents = torch.cat([output.latents.float()] * len(generators))
    return vae.config.scaling_factor * latents


def is_finite(output: Any) -> bool:
    """Whether all that a VAE says of a picture are numbers."""
    said = output.latent_dist.parameters if hasattr(output, "latent_dist") else output.latents
    return bool(torch.isfinite(said).all())


def _in_full(posterior: Any) -> Any:
    """In float32, so that a seed draws the same numbers whatever the VAE worked in."""
    if posterior.parameters.dtype == torch.float32:
        return posterior
    return DiagonalGaussianDistribution(posterior.parameters.float())


def _drawn(posterior: Any, generator: torch.Generator) -> torch.Tensor:
    if isinstance(generator, MixedGenerator):
        noise = generator.gaussian(tuple(posterior.mean.shape), posterior.mean.dtype)
        return posterior.mean + posterior.std * sent(noise, posterior.mean.device)
    return posterior.sample(generator)


def decode(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Scaled latents -> 1 x 3 x H x W, about -1..1."""
    return vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]


def gaussian(shape: tuple[int, int, int], generators: Generators) -> torch.Tensor:
    """N x shape: noise from N CPU generators in float32, so that a seed means the same picture on every device."""
    return torch.cat([_noise((1, *shape), one) for one in generators])


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    if isinstance(generator, MixedGenerator):
        return generator.gaussian(shape)
    return torch.randn(shape, generator=generator, dtype=torch.float32)

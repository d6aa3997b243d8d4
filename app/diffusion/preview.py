"""A quick look at latents: one linear map from a latent to the colour of its 8 x 8 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from PIL import Image

from app.core.job import Preview
from app.core.request import Mask, Pixels
from app.diffusion.frame import WorkingFrame
from app.diffusion.latents import encode
from app.diffusion.transfers import sent

# The least-squares map of Stable Diffusion v1's own VAE: rows are latent channels, columns R, G, B in -1..1.
SD1_MATRIX = (
    (0.337366, 0.216344, 0.257386),
    (0.165636, 0.386828, 0.046994),
    (-0.267803, 0.237036, 0.223517),
    (-0.178022, -0.200862, -0.678514),
)
SD1_BIAS = (-0.017478, -0.055834, -0.105825)
SD1_SCALING = 0.18215


@dataclass(frozen=True)
class PreviewMap:
    """``matrix``: C x 3, ``bias``: 3; for latents as the UNet sees them (scaled), on one device with them."""

    matrix: torch.Tensor
    bias: torch.Tensor

    def on(self, device: torch.device) -> PreviewMap:
        return PreviewMap(sent(self.matrix, device), sent(self.bias, device))

    def colours(self, latents: torch.Tensor) -> torch.Tensor:
        """N x C x h x w -> h x w x 3 of 0..255, the first one's, where the latents are."""
        flat = latents[0].detach().float().permute(1, 2, 0)  # h x w x C
        colours = flat @ self.matrix + self.bias
        return ((colours.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def preview_map_for(vae: Any, stored: object) -> PreviewMap:
    """The map stored beside the model, else SD v1's where the VAE has its shape, else one fitted now."""
    given = _parse(stored, int(vae.config.latent_channels))
    if given is not None:
        return given
    if vae.config.latent_channels == len(SD1_MATRIX) and abs(vae.config.scaling_factor - SD1_SCALING) < 1e-6:
        return PreviewMap(torch.tensor(SD1_MATRIX), torch.tensor(SD1_BIAS))
    return fit_preview_map(vae)


def _parse(stored: object, channels: int) -> PreviewMap | None:
    if not isinstance(stored, dict):
        return None
    try:
        matrix = torch.tensor(stored["matrix"], dtype=torch.float32)
        bias = torch.tensor(stored["bias"], dtype=torch.float32)
    except (KeyError, TypeError, ValueError):
        return None
    fits = matrix.shape == (channels, 3) and bias.shape == (3,)
    return PreviewMap(matrix, bias) if fits and matrix.isfinite().all() and bias.isfinite().all() else None


@torch.inference_mode()
def fit_preview_map(vae: Any, side: int = 128, count: int = 6) -> PreviewMap:
    """Least squares from latents to block colours over smooth random pictures; about a second for a full-size VAE."""
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    generator = torch.Generator().manual_seed(0)
    rows, colours = [], []
    for _ in range(count):
        coarse = torch.rand((1, 3, 6, 6), generator=generator) * 2 - 1
        picture = F.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=False)
        latents = encode(vae, picture.to(vae.device, vae.dtype), [generator])
        rows.append(latents[0].float().cpu().flatten(1).T.numpy())  # hw x C
        colours.append(F.avg_pool2d(picture, factor)[0].flatten(1).T.numpy())  # hw x 3
    known = np.concatenate(rows)
    known = np.concatenate([known, np.ones((len(known), 1), np.float32)], axis=1)
    solution = np.linalg.lstsq(known, np.concatenate(colours), rcond=None)[0].astype(np.float32)
    return PreviewMap(torch.from_numpy(solution[:-1].copy()), torch.from_numpy(solution[-1].copy()))


def shown_through(mask: torch.Tensor | None) -> Mask | None:
    """How much of a preview is shown, from the mask in latents (1 x 1 x h x w of 0..1); None for all of it."""
    if mask is None:
        return None
    return (mask[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def preview_of(colours: Pixels, alpha: Mask | None, factor: int, frame: WorkingFrame) -> Preview:
    """The clean estimate's colours (h x w x 3) at about a pixel a latent, exactly over the frame's box; see-through
    where the mask keeps."""
    if alpha is None:
        alpha = np.full(colours.shape[:2], 255, np.uint8)
    canvas = Image.fromarray(np.dstack([colours, alpha]))
    # the canvas is padded to whole latents: take what lies on the picture, to a fraction of a latent
    working = frame.plan.working
    covered = (0.0, 0.0, working.width / factor, working.height / factor)
    pixels = canvas.resize(canvas.size, Image.Resampling.BILINEAR, covered)
    return Preview(np.array(pixels), frame.plan.box)

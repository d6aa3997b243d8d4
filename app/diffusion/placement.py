"""Where a model computes and in which precision: the one policy."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Placement:
    """``dtype`` is the precision of UNet and text encoder. The VAE is loaded in float32, and is brought to it only on a
    graphics card (``quick``): in float16 some VAEs give NaN, which would be a black picture."""

    device: torch.device
    dtype: torch.dtype

    @property
    def label(self) -> str:
        precision = {torch.float16: "fp16", torch.float32: "fp32"}.get(self.dtype, str(self.dtype))
        return f"{self.device.type} {precision}"


def choose_placement() -> Placement:
    """CUDA in fp16, else Apple's MPS in fp32, else the CPU in fp32 (half precision is far slower on most CPUs)."""
    if torch.cuda.is_available():
        return Placement(torch.device("cuda"), torch.float16)
    if torch.backends.mps.is_available():
        return Placement(torch.device("mps"), torch.float32)
    return Placement(torch.device("cpu"), torch.float32)

"""What holds the picture while it is denoised: nothing, a mask in the UNet's input, or a mask that puts things back."""

from __future__ import annotations

from typing import Protocol

import torch

from app.diffusion.schedule import Schedule


class Region(Protocol):
    """A constraint in the loop. ``model_input`` may widen what the UNet sees; ``after_step`` may put things back."""

    def model_input(self, x: torch.Tensor) -> torch.Tensor: ...

    def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor: ...


class Everywhere:
    """The whole picture is free."""

    def model_input(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor:
        return x


class ConcatMask:
    """For UNets fine-tuned for inpainting: mask and masked image are appended to the latents as channels."""

    def __init__(self, mask: torch.Tensor, masked: torch.Tensor) -> None:
        """``mask``: 1 x 1 x h x w, ``masked``: N x 4 x h x w latents of the picture with the masked part greyed."""
        self._channels = torch.cat([mask.expand(len(masked), -1, -1, -1), masked], dim=1)

    def model_input(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self._channels], dim=1)

    def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor:
        return x


class BlendMask:
    """Training-free: after each step what is not (yet) to change is put back, noised to the level of the next step.

    A latent of mask value v joins once the part of the steps that is left is under v (Differential Diffusion,
    arXiv 2306.00950); with a mask of 0 and 1 this is the plain blend of RePaint and of diffusers.
    """

    def __init__(self, mask: torch.Tensor, clean: torch.Tensor, noise: torch.Tensor, schedule: Schedule) -> None:
        self._mask, self._clean, self._noise, self._schedule = mask, clean, noise, schedule

    def model_input(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor:
        left = len(self._schedule) - 1 - index
        known = self._schedule.noised(self._clean, self._noise, index + 1) if left else self._clean
        free = (self._mask > left / len(self._schedule)).to(x.dtype)
        return (1 - free) * known + free * x


class Together:
    """One region for what the UNet sees, another for what is put back: a 9-channel model under a soft mask."""

    def __init__(self, seen: Region, held: Region) -> None:
        self._seen, self._held = seen, held

    def model_input(self, x: torch.Tensor) -> torch.Tensor:
        return self._seen.model_input(x)

    def after_step(self, x: torch.Tensor, index: int) -> torch.Tensor:
        return self._held.after_step(x, index)

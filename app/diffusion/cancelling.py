"""Stopping inside a network: a step of a full-size model takes seconds on a CPU, a block of it a moment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention

from app.core.errors import Cancelled
from app.diffusion.bundle import ModelBundle

_BLOCKS = (torch.nn.Conv2d, BasicTransformerBlock, Attention)
"""What takes long in UNet and VAE: asking before each of them costs some microseconds."""


@contextlib.contextmanager
def stoppable(bundle: ModelBundle, cancelled: Callable[[], bool]) -> Iterator[None]:
    """While open, UNet and VAE raise Cancelled before their next block once ``cancelled`` says so.

    Nothing of the networks is changed by it: what they compute afterwards is the same bit for bit.
    """

    def ask(module: Any, inputs: Any) -> None:
        if cancelled():
            raise Cancelled

    modules = (*bundle.unet.modules(), *bundle.vae.modules())
    handles = [module.register_forward_pre_hook(ask) for module in modules if isinstance(module, _BLOCKS)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

"""Prompts into what steers the UNet, and the steered prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from app.core.request import Request
from app.diffusion.bundle import ModelBundle
from app.diffusion.graphs import RecordedPass
from app.diffusion.kept import fingerprint
from app.diffusion.texts import Embeddings, embed
from app.diffusion.transfers import sent
from app.diffusion.unet_pass import SharedPass


@dataclass(frozen=True)
class Guidance:
    """``texts``: negative then prompt, 2 x tokens x width; or the prompt alone, 1 x tokens x width, when CFG is off.

    ``least`` and ``most``: the timesteps between which CFG works (arXiv 2404.07724); elsewhere the prompt speaks alone.
    """

    texts: torch.Tensor
    scale: float
    least: float = 0.0
    most: float = float("inf")

    def at(self, t: torch.Tensor) -> torch.Tensor:
        """The texts that count at this timestep, which lies on the processor."""
        return self.texts if self.least <= float(t) <= self.most else self.texts[-1:]


def encode_prompts(bundle: ModelBundle, request: Request, embeddings: Embeddings | None = None) -> Guidance:
    """What the Request's prompts say to the UNet. ``embeddings``: textual inversions by name, n x width each.

    Raises UserError where the model cannot do what the Request asks of its text encoder.
    """
    prompts = [request.prompt] if request.guidance <= 1.0 else [request.negative, request.prompt]
    given = tuple((word, fingerprint(vectors)) for word, vectors in (embeddings or {}).items())
    key = ("texts", *prompts, request.clip_skip, bundle.worn, given, bundle.unet.dtype, bundle.placement.device)
    texts = bundle.kept.get(key, lambda: embed(bundle, prompts, request.clip_skip, embeddings or {}))
    levels = int(bundle.scheduler_config.get("num_train_timesteps", 1000))
    first, last = request.guidance_interval
    return Guidance(texts, request.guidance, least=(1 - last) * levels, most=(1 - first) * levels)


def predict_noise(unet: Any, model_input: torch.Tensor, t: torch.Tensor, guidance: Guidance) -> torch.Tensor:
    """Classifier-free guidance (arXiv 2207.12598) in one batch: e(negative) + scale (e(prompt) - e(negative)).

    ``t`` lies on the processor, as a Schedule gives it."""
    texts = guidance.at(t)
    if model_input.device.type != "cpu":
        # the UNet reads it as float32 anyway, and MPS knows nothing longer
        t = sent(t, model_input.device, torch.float32 if t.dtype == torch.float64 else None)
    copies, candidates = len(texts), len(model_input)
    if isinstance(unet, SharedPass | RecordedPass):
        texts = texts if candidates == 1 else texts.repeat(candidates, 1, 1)  # the same tensor again is known again
        predicted = unet.predict(model_input.to(unet.dtype), t, texts)
        return _guided(predicted.to(model_input.dtype), copies, guidance.scale)
    # negative and prompt of a candidate side by side, as they would be if it were painted alone; cat, because it keeps
    # the layout, on which depends how convolutions round
    batch = torch.cat([one for one in model_input.split(1) for _ in range(copies)])
    # latents stay in float32 whatever the UNet computes in: the sum of many small steps loses too much otherwise
    predicted = unet(batch.to(unet.dtype), t, encoder_hidden_states=texts.repeat(candidates, 1, 1), return_dict=False)[
        0
    ]
    return _guided(predicted.to(model_input.dtype), copies, guidance.scale)


def _guided(predicted: torch.Tensor, copies: int, scale: float) -> torch.Tensor:
    if copies == 1:
        return predicted
    without, with_prompt = predicted[0::2], predicted[1::2]
    return without + scale * (with_prompt - without)

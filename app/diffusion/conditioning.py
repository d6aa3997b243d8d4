"""Prompts into what steers the UNet, and the steered prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from app.diffusion.bundle import ModelBundle


@dataclass(frozen=True)
class Guidance:
    """``texts``: negative then prompt, 2 x tokens x width; or the prompt alone, 1 x tokens x width, when CFG is off."""

    texts: torch.Tensor
    scale: float


def encode_prompts(bundle: ModelBundle, prompt: str, negative: str, scale: float) -> tuple[Guidance, tuple[str, ...]]:
    """The Guidance, and notes on what of the prompts was left out because the text encoder cannot take it."""
    texts = [prompt] if scale <= 1.0 else [negative, prompt]
    names = ["prompt"] if scale <= 1.0 else ["negative prompt", "prompt"]
    embedded = torch.cat([_embed(bundle, text) for text in texts])
    notes = tuple(note for name, text in zip(names, texts, strict=True) if (note := _cut_note(bundle, name, text)))
    return Guidance(embedded, scale), notes


def predict_noise(unet: Any, model_input: torch.Tensor, t: torch.Tensor, guidance: Guidance) -> torch.Tensor:
    """Classifier-free guidance (arXiv 2207.12598) in one batch: e(negative) + scale (e(prompt) - e(negative))."""
    copies = guidance.texts.shape[0]
    batch = torch.cat([model_input] * copies) if copies > 1 else model_input
    # latents stay in float32 whatever the UNet computes in: the sum of many small steps loses too much otherwise
    predicted = unet(batch.to(unet.dtype), t, encoder_hidden_states=guidance.texts, return_dict=False)[0]
    predicted = predicted.to(model_input.dtype)
    if copies == 1:
        return predicted
    without, with_prompt = predicted.chunk(2)
    return without + guidance.scale * (with_prompt - without)


def _embed(bundle: ModelBundle, text: str) -> torch.Tensor:
    """1 x tokens x width."""
    tokens = bundle.tokenizer(
        text,
        padding="max_length",
        max_length=bundle.window,
        truncation=True,
        return_tensors="pt",
    )
    attention = None
    if getattr(bundle.text_encoder.config, "use_attention_mask", False):
        attention = tokens.attention_mask.to(bundle.placement.device)
    ids = tokens.input_ids.to(bundle.placement.device)
    return bundle.text_encoder(ids, attention_mask=attention)[0].to(bundle.unet.dtype)


def _cut_note(bundle: ModelBundle, name: str, text: str) -> str | None:
    """Words beyond the text encoder's window are dropped: say which, never silently."""
    most = bundle.window
    ids = bundle.tokenizer(text, truncation=False, verbose=False).input_ids
    if len(ids) <= most:
        return None
    dropped = bundle.tokenizer.decode(ids[most - 1 : -1]).strip()
    shown = dropped if len(dropped) <= 80 else dropped[:77] + "…"
    return f"The {name} is longer than the model reads ({len(ids) - 2} of {most - 2} tokens): “{shown}” was left out."

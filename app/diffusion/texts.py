"""Prompts of any length, weighted, as the text encoder's hidden states."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from app.core.errors import ModelError, RequestError
from app.core.prompt import Piece, PromptPlan, Token, plan
from app.diffusion.bundle import ModelBundle
from app.diffusion.transfers import sent

Embeddings = Mapping[str, torch.Tensor]
"""Textual inversions (arXiv 2208.01618) by the name that a prompt calls them by: n x width each."""

_WORD_END = "</w>"


def embed(bundle: ModelBundle, prompts: Sequence[str], clip_skip: int, embeddings: Embeddings) -> torch.Tensor:
    """prompts x (windows * window) x width. A prompt of fewer windows than the longest gets empty ones.

    Raises RequestError where the text encoder has not as many layers as are to be skipped, ModelError where an
    embedding is made for another one.
    """
    _check_layers(bundle, clip_skip)
    _check_embeddings(bundle, embeddings)
    plans = [read_prompt(bundle, prompt, embeddings) for prompt in prompts]
    most = max(len(plan.windows) for plan in plans)
    rows = []
    for read in plans:
        windows = [*read.windows, *[()] * (most - len(read.windows))]
        rows.append(torch.cat([_embed_window(bundle, window, clip_skip, embeddings) for window in windows], dim=1))
    return torch.cat(rows)


def read_prompt(bundle: ModelBundle, prompt: str, embeddings: Embeddings) -> PromptPlan:
    """How this model reads the prompt."""
    sizes = {name: len(vectors) for name, vectors in embeddings.items()}
    return plan(prompt, partial(_pieces, bundle.tokenizer), bundle.window - 2, sizes)


def _pieces(tokenizer: Any, text: str) -> list[Piece]:
    found = tokenizer(
        text, add_special_tokens=False, truncation=False, verbose=False, return_offsets_mapping=tokenizer.is_fast
    )
    names = tokenizer.convert_ids_to_tokens(found.input_ids)
    # the slow kind, of older transformers, knows no places; only the prompt field asks for them
    places = found.offset_mapping if tokenizer.is_fast else [(0, 0)] * len(names)
    special = tokenizer.all_special_tokens
    return [
        Piece(id, start, end, name.endswith(_WORD_END) or name in special)
        for id, (start, end), name in zip(found.input_ids, places, names, strict=True)
    ]


def _embed_window(bundle: ModelBundle, window: Sequence[Token], clip_skip: int, embeddings: Embeddings) -> torch.Tensor:
    """1 x window x width: start, the tokens, end, and padding up to what the text encoder takes."""
    tokenizer, device = bundle.tokenizer, bundle.placement.device
    used = [tokenizer.bos_token_id, *(token.id for token in window), tokenizer.eos_token_id]
    padding = bundle.window - len(used)
    ids = sent(torch.tensor([used + [tokenizer.pad_token_id] * padding]), device)
    attention = None
    if getattr(bundle.text_encoder.config, "use_attention_mask", False):
        attention = sent(torch.tensor([[1] * len(used) + [0] * padding]), device)
    with _inverted(bundle.text_encoder, window, embeddings):
        states = _states(bundle.text_encoder, ids, attention, clip_skip)
    weights = [1.0, *(token.weight for token in window)]
    return _weighted(states, weights).to(bundle.unet.dtype)


def _states(encoder: Any, ids: torch.Tensor, attention: torch.Tensor | None, clip_skip: int) -> torch.Tensor:
    if clip_skip == 1:
        return encoder(ids, attention_mask=attention)[0]
    output = encoder(ids, attention_mask=attention, output_hidden_states=True)
    # what a layer other than the last says has not been through the last norm, which the UNet was trained on
    return getattr(encoder, "text_model", encoder).final_layer_norm(output.hidden_states[-clip_skip])


def _weighted(states: torch.Tensor, weights: Sequence[float]) -> torch.Tensor:
    """Each token's states times its weight, then all brought back to the mean they had, so that stressing one word
    does not raise the rest; not touched at all where nothing is weighted."""
    if all(weight == 1.0 for weight in weights):
        return states
    factors = torch.ones(states.shape[1], dtype=torch.float32, device=states.device)
    factors[: len(weights)] = torch.tensor(weights, device=states.device)
    before = states.float()
    after = before * factors[None, :, None]
    # random encoders' states have a mean of nothing but rounding errors: dividing by it would be noise
    if before.mean().abs() > 1e-4 * before.std() and after.mean().abs() > 1e-4 * before.std():
        after = after * (before.mean() / after.mean())
    return after.to(states.dtype)


@contextlib.contextmanager
def _inverted(encoder: Any, window: Sequence[Token], embeddings: Embeddings) -> Iterator[None]:
    """While open, the encoder reads the learned vectors in the places of their tokens; the model stays as it is."""
    places = {place: token for place, token in enumerate(window, 1) if token.embedding}
    if not places:
        yield
        return

    def put_in(layer: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        for place, token in places.items():
            output[0, place] = embeddings[token.embedding][token.row].to(output)
        return output

    handle = encoder.get_input_embeddings().register_forward_hook(put_in)
    try:
        yield
    finally:
        handle.remove()


def _check_layers(bundle: ModelBundle, clip_skip: int) -> None:
    layers = int(bundle.text_encoder.config.num_hidden_layers)
    if clip_skip > layers:
        raise RequestError(
            f"The clip skip {clip_skip} is too large: the text encoder of this model has {layers} layers.",
            f"Choose a clip skip from 1 to {layers}.",
        )


def _check_embeddings(bundle: ModelBundle, embeddings: Embeddings) -> None:
    width = int(bundle.text_encoder.config.hidden_size)
    for name, vectors in embeddings.items():
        if vectors.ndim != 2 or vectors.shape[1] != width or not len(vectors):
            raise ModelError(
                f"The embedding “{name}” was made for another kind of model: its vectors have the shape "
                f"{tuple(vectors.shape)}, this model's texts a width of {width}.",
                "Choose an embedding made for Stable Diffusion v1.",
            )

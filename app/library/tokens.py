"""Counting a prompt's tokens as the model will, from the files beside it and without loading the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from app.core.checkpoints import read_checkpoint
from app.core.errors import ModelError
from app.core.prompt import Piece, PromptPlan, plan

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"
_CLIP_WINDOW = 77
# How CLIP (arXiv 2103.00020) cuts a text before pairs of bytes are merged.
_CLIP_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True)
class TokenCounter:
    """Reads prompts as one model does. ``room``: tokens a window takes, start and end not counted."""

    tokenizer: Tokenizer
    room: int

    def plan(self, prompt: str, embeddings: Mapping[str, int] | None = None) -> PromptPlan:
        """``embeddings``: by the words that call them, how many tokens each takes."""
        return plan(prompt, self._pieces, self.room, embeddings)

    def _pieces(self, text: str) -> Sequence[Piece]:
        found = self.tokenizer.encode(text, add_special_tokens=False)
        return [
            Piece(id, start, end, token.endswith(_WORD_END) or token in (_START, _END))
            for id, (start, end), token in zip(found.ids, found.offsets, found.tokens, strict=True)
        ]


def load_token_counter(model: Path) -> TokenCounter:
    """The counter for a model, a folder in diffusers layout or a single file. Raises ModelError when its tokenizer
    cannot be read."""
    folder, text_encoder = model / "tokenizer", model / "text_encoder"
    if model.is_file():
        checkpoint = read_checkpoint(model)
        folder, text_encoder = checkpoint.tokenizer, checkpoint.config / "text_encoder"
    try:
        whole = folder / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(whole)) if whole.is_file() else _clip(folder)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return TokenCounter(tokenizer, _window(folder, text_encoder) - 2)
    except Exception as error:  # the library raises bare Exceptions
        raise ModelError(
            f"The tokenizer of the model “{model.name}” cannot be read.", "Copy or download the model again."
        ) from error


def _clip(folder: Path) -> Tokenizer:
    bpe = models.BPE.from_file(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        continuing_subword_prefix="",
        end_of_word_suffix=_WORD_END,
        unk_token=_END,
    )
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(_START, special=True), AddedToken(_END, special=True)])
    return tokenizer


def _window(tokenizer: Path, text_encoder: Path) -> int:
    """What the tokenizer and the text encoder both allow, as the engine reads it."""
    told = _number(tokenizer / "tokenizer_config.json", "model_max_length")
    positions = _number(text_encoder / "config.json", "max_position_embeddings")
    return max(3, min(told, positions))


def _number(path: Path, key: str) -> int:
    """Raises ValueError where the file holds no object."""
    if not path.is_file():
        return _CLIP_WINDOW
    content: Any = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no object")
    value = content.get(key, _CLIP_WINDOW)
    return int(value)

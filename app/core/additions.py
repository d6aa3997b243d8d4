"""What a Request adds to its model: LoRA files with weights, embeddings with the words that call them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import RequestError

MOST_LORAS = 16
MOST_EMBEDDINGS = 64
MOST_WEIGHT = 10.0
MOST_WORD = 100


@dataclass(frozen=True, kw_only=True)
class LoraUse:
    """A LoRA file and how strongly it counts: 0 not at all, 1 as it was trained, below 0 the other way.

    Raises RequestError.
    """

    file: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check_file(self.file, "LoRA")
        if not (math.isfinite(self.weight) and abs(self.weight) <= MOST_WEIGHT):
            raise RequestError(
                f"The weight of the LoRA “{self.name}” is {self.weight}, outside {-MOST_WEIGHT:g} to {MOST_WEIGHT:g}.",
                "Choose a weight between 0 and 1; few bear more.",
            )

    @property
    def name(self) -> str:
        return Path(self.file).stem


@dataclass(frozen=True, kw_only=True)
class EmbeddingUse:
    """An embedding (textual inversion) and the word by which a prompt calls it; the file's own name if none is given.

    Raises RequestError.
    """

    file: str
    word: str = ""

    def __post_init__(self) -> None:
        _check_file(self.file, "embedding")
        object.__setattr__(self, "word", self.word.strip() or Path(self.file).stem)
        if len(self.word) > MOST_WORD or "\n" in self.word:
            raise RequestError("The word of an embedding is too long.", f"Use at most {MOST_WORD} characters.")


def check_additions(loras: Sequence[LoraUse], embeddings: Sequence[EmbeddingUse], vae: str) -> None:
    """Raises RequestError for too many of them, or two that cannot be told apart."""
    for uses, most, name in ((loras, MOST_LORAS, "LoRAs"), (embeddings, MOST_EMBEDDINGS, "embeddings")):
        if len(uses) > most:
            raise RequestError(f"{len(uses)} {name} are too many.", f"Choose at most {most}.")
    twice = _repeated([use.file for use in loras])
    if twice:
        raise RequestError(
            f"The LoRA “{Path(twice).stem}” is named twice.", "Name it once, with the sum of the weights."
        )
    word = _repeated([use.word.casefold() for use in embeddings])
    if word:
        raise RequestError(f"Two embeddings are called “{word}”.", "Give one of them another word.")
    if vae:
        _check_file(vae, "VAE")


def _repeated(items: Sequence[str]) -> str | None:
    return next((item for number, item in enumerate(items) if item in items[:number]), None)


def _check_file(file: str, kind: str) -> None:
    if not file.strip() or "\0" in file:
        raise RequestError(f"A {kind} has no file.", "Name the file.")

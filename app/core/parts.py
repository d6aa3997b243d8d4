"""The libraries that compute pictures, and what to say when one of them is not there."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from app.core.errors import UserError

COMPUTING = frozenset({"torch", "diffusers", "transformers", "tokenizers", "safetensors", "accelerate", "peft"})


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Around an import of the engine: raises UserError in the place of the error that one of them is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in COMPUTING:
            raise
        raise UserError(f"The part of Limner that computes pictures is missing: {name}.", _remedy()) from error


def _remedy() -> str:
    again = "Install Limner again" if getattr(sys, "frozen", False) else "Run “make setup”"
    return f"{again} and start it anew; until then pictures and masks can be opened, edited and saved."

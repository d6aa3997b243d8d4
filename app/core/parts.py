"""The libraries that compute pictures, and what to say when one of them is not there or cannot be loaded."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

from app.core.errors import UserError

log = logging.getLogger(__name__)

COMPUTING = frozenset({"torch", "diffusers", "transformers", "tokenizers", "safetensors", "accelerate", "peft"})


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Around an import of the engine: raises UserError where one of the libraries is not installed or is damaged."""
    try:
        yield
    except (ImportError, OSError) as error:  # a library of C that does not load is an OSError
        name = (getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, ModuleNotFoundError):
            if name not in COMPUTING:
                raise
            raise UserError(f"The part of Limner that computes pictures is missing: {name}.", _remedy()) from error
        log.info("the engine cannot be loaded", exc_info=True)
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"The part of Limner that computes pictures cannot be loaded ({reason}).", _remedy()) from error


def _remedy() -> str:
    again = "Install Limner again" if getattr(sys, "frozen", False) else "Run “make setup”"
    return f"{again} and start it anew; until then pictures and masks can be opened, edited and saved."

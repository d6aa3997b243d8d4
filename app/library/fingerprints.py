"""Files known again under any name, by what is in them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

DIGITS = 10
"""Of SHA-256, in hexadecimal: what other programs call AutoV2."""


def fingerprint(path: Path) -> str | None:
    """The first digits of the file's SHA-256; None where it cannot be read. Reads all of it, once for as long as it
    stays what it is: a LoRA takes a fraction of a second."""
    try:
        facts = path.stat()
        return _hashed(path, facts.st_size, facts.st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=4096)
def _hashed(path: Path, _size: int, _changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]

"""Files that add to a model, looked into without loading anything: LoRAs, VAEs, embeddings."""

from __future__ import annotations

import os
from pathlib import Path

from app.core.errors import ModelError
from app.core.kinds import V1, Kind, contents_of
from app.core.weights import read_header


def check_addition(path: Path, kind: Kind) -> None:
    """Raises ModelError where the file is not of this kind, or was made for another model than Stable Diffusion v1.

    A folder is taken for a VAE as diffusers writes it.
    """
    if os.path.isdir(path) and kind is Kind.VAE:
        return
    if not os.path.isfile(path):  # False also for a name that no file can have
        raise ModelError(f"There is no file “{path}”.", "Check its name, or whether it was moved.")
    contents = contents_of(read_header(path).shapes)
    holds_a_vae = kind is Kind.VAE and contents.kind is Kind.MODEL
    if (contents.kind is not kind and not holds_a_vae) or contents.family not in (V1, ""):
        raise ModelError(f"“{path.name}” is {contents.what}, not {kind.value} for {V1}.", "Choose another file.")

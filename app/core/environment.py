"""The environment that must stand before any heavy import: offline, no telemetry, no token sent by itself."""

from __future__ import annotations

import os

_BLOCK = {
    "HF_HUB_OFFLINE": "1",  # from_single_file asks the network even with local_files_only
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # a stored token would go to whatever endpoint is set
    "HF_HUB_DISABLE_XET": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
}

GRAPHS = "LIMNER_GRAPHS"
"""Set to 1, the engine plays recorded passes on a graphics card; in the environment, so that it reaches an engine in a
process of its own."""
GRAPHS_HELP = "record the steps on a CUDA card and play them: tested without a card only, and off unless asked for"


def ask_for_graphs() -> None:
    os.environ[GRAPHS] = "1"


def prepare_environment() -> None:
    """Set the block. Call before torch, diffusers, transformers or huggingface_hub are imported."""
    os.environ.update(_BLOCK)

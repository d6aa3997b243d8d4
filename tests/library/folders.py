"""Model folders with the right files and no weights to speak of, made without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

UNET = "unet/diffusion_pytorch_model.safetensors"
VAE = "vae/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"


def safetensors(entries: dict[str, list[int]]) -> bytes:
    """A file with tensors of these shapes, in fp16, all zero."""
    header, at = {}, 0
    for name, shape in entries.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header | {"__metadata__": {"format": "pt"}}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def unet_weights(channels: int) -> bytes:
    return safetensors({"conv_in.weight": [8, channels, 3, 3], "conv_in.bias": [8]})


def make_model(folder: Path, *, channels: int = 4, **told: Any) -> Path:
    """A folder that read_model takes for a model; ``told`` becomes its limner.json."""
    files: dict[str, Any] = {
        "model_index.json": {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]},
        "tokenizer/vocab.json": {"a": 0},
        "text_encoder/config.json": {"hidden_size": 32},
        TEXT: safetensors({"embeddings": [4, 32]}),
        "unet/config.json": {"in_channels": channels, "cross_attention_dim": 32, "sample_size": 24},
        UNET: unet_weights(channels),
        "vae/config.json": {"latent_channels": 4, "block_out_channels": [8, 8, 8, 8], "sample_size": 100},
        VAE: safetensors({"decoder": [3]}),
        "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler"},
    }
    if told:
        files["limner.json"] = told
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder

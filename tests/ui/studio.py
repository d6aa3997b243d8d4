"""A studio for the window's tests: model folders that are read and never loaded, and pictures to open."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from app.core.layout import text_layout, unet_layout, vae_layout

_INDEX = {"_class_name": "StableDiffusionPipeline"}
_CONFIGS = {
    "tokenizer": {"tokenizer.json": {}},
    "text_encoder": {"config.json": {"hidden_size": 32}},
    "vae": {"config.json": {"latent_channels": 4, "block_out_channels": [4, 4, 4, 4], "sample_size": 128}},
    "scheduler": {"scheduler_config.json": {}},
}
_WEIGHTS = {"text_encoder": "model", "unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}


def make_model(
    folder: Path,
    *,
    channels: int = 4,
    name: str = "",
    examples: Sequence[str] = (),
    vocabulary: Sequence[str] = (),
) -> Path:
    """A model folder with configs and the headers of its weights: enough to be listed, nothing to be loaded."""
    unet = {"in_channels": channels, "cross_attention_dim": 32, "sample_size": 16}
    for part, files in (_CONFIGS | {"unet": {"config.json": unet}}).items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / part / file).write_text(json.dumps(content), "utf-8")
    for part, stem in _WEIGHTS.items():
        (folder / part / f"{stem}.safetensors").write_bytes(_weights(channels))
    (folder / "model_index.json").write_text(json.dumps(_INDEX), "utf-8")
    told = {"name": name or folder.name, "example_prompts": list(examples), "vocabulary": list(vocabulary)}
    (folder / "limner.json").write_text(json.dumps(told), "utf-8")
    return folder


def make_picture(path: Path, width: int = 96, height: int = 64) -> np.ndarray:
    """A PNG with colours that differ from place to place; returns its pixels."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([columns * 255 // width, rows * 255 // height, (rows + columns) % 256], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def _weights(channels: int) -> bytes:
    shape = [4, channels, 1, 1]
    size = 4 * channels * 4
    header = json.dumps({"conv_in.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


_UNET = {
    "in_channels": 4,
    "out_channels": 4,
    "cross_attention_dim": 32,
    "sample_size": 16,
    "layers_per_block": 1,
    "block_out_channels": [8, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
}
_VAE = {"latent_channels": 4, "layers_per_block": 1, "block_out_channels": [4, 4, 4, 4]}
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "vocab_size": 100,
    "max_position_embeddings": 24,
    "num_hidden_layers": 1,
}


def make_single(file: Path) -> Path:
    """A model in one file, all zero, with the configs beside it that say how small it is."""
    for name, content in (
        ("unet/config.json", _UNET),
        ("vae/config.json", _VAE),
        ("text_encoder/config.json", _TEXT),
        ("scheduler/scheduler_config.json", {}),
        ("tokenizer/tokenizer.json", {}),
    ):
        (file.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (file.parent / name).write_text(json.dumps(content), "utf-8")
    header, at = {}, 0
    for name, shape in (unet_layout(_UNET) | vae_layout(_VAE) | text_layout(_TEXT)).items():
        end = at + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))
    return file

"""A factory for tiny random SD v1 models in diffusers layout: the right classes and shapes, no meaning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

LATENTS = 4
WORDS = ("a", "red", "house", "on", "the", "hill", "lake", "night", "balloon", "snow")


@dataclass(frozen=True, kw_only=True)
class TinyShape:
    """What a test may want otherwise; the defaults are as small as keeps every kind of block."""

    channels_in: int = LATENTS
    text_width: int = 32
    unet_text_width: int | None = None
    tokens: int = 24
    sample_size: int = 8
    vae: str = "AutoencoderKL"
    vae_levels: int = 4
    prediction: str = "epsilon"
    seed: int = 0


def make_tiny_model(folder: Path, shape: TinyShape | None = None) -> Path:
    """Write a model of random weights to ``folder`` and return it."""
    shape = shape or TinyShape()
    torch.manual_seed(shape.seed)
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder / "tokenizer", shape.tokens)
    _unet(shape).save_pretrained(folder / "unet")
    _vae(shape).save_pretrained(folder / "vae")
    _text_encoder(shape).save_pretrained(folder / "text_encoder")
    _scheduler(shape).save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": diffusers.__version__,
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", shape.vae],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _unet(shape: TinyShape) -> Any:
    return diffusers.UNet2DConditionModel(
        sample_size=shape.sample_size,
        in_channels=shape.channels_in,
        out_channels=LATENTS,
        layers_per_block=1,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=shape.unet_text_width or shape.text_width,
        attention_head_dim=4,
        norm_num_groups=8,
    )


def _vae(shape: TinyShape) -> Any:
    if shape.vae == "AutoencoderTiny":
        levels = shape.vae_levels
        return diffusers.AutoencoderTiny(
            encoder_block_out_channels=(8,) * levels,
            decoder_block_out_channels=(8,) * levels,
            num_encoder_blocks=(1,) * levels,
            num_decoder_blocks=(1,) * levels,
            scaling_factor=1.0,
        )
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * shape.vae_levels,
        up_block_types=("UpDecoderBlock2D",) * shape.vae_levels,
        block_out_channels=(8, 8, 16, 16)[: shape.vae_levels],
        layers_per_block=1,
        latent_channels=LATENTS,
        norm_num_groups=4,
        sample_size=64,
    )


def _text_encoder(shape: TinyShape) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=600,
        hidden_size=shape.text_width,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=shape.tokens,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
    )
    return transformers.CLIPTextModel(config)


def _scheduler(shape: TinyShape) -> Any:
    """As Stable Diffusion v1 ships it."""
    return diffusers.PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        set_alpha_to_one=False,
        skip_prk_steps=True,
        prediction_type=shape.prediction,
    )


def _write_tokenizer(folder: Path, tokens: int) -> None:
    """CLIP's byte-pair format: 256 bytes, the same ending a word, then start and end of text; a few merges after."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = _byte_letters()
    vocabulary = {letter: i for i, letter in enumerate([*letters, *(letter + "</w>" for letter in letters)])}
    vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"] = 512, 513
    merges = []
    for word in WORDS:
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            pair = (pieces[0], pieces[1])
            if f"{pair[0]} {pair[1]}" not in merges:
                merges.append(f"{pair[0]} {pair[1]}")
                vocabulary.setdefault("".join(pair), len(vocabulary))
            pieces = ["".join(pair), *pieces[2:]]
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    special = {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    }
    config = special | {"model_max_length": tokens, "do_lower_case": True, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "special_tokens_map.json").write_text(json.dumps(special))


def _byte_letters() -> list[str]:
    """GPT-2's printable letter for every byte, in CLIP's order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]

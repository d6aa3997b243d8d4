"""A model in one file, in the layout that Stable Diffusion v1 was published in, loaded through diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from safetensors import safe_open

from app.core.checkpoints import Checkpoint, leaves_out, read_checkpoint, standard_name
from app.core.kinds import EMA, TEXT, UNET, VAE
from app.diffusion.loading import Parts, checked, checked_schedule, part, told_beside
from app.diffusion.placement import Placement
from app.diffusion.reading import Settle, as_it_is, check_finite, leave

Weights = dict[str, torch.Tensor]


def load_single_file(file: Path, placement: Placement, settle: Settle = leave) -> Parts:
    """Every part of the model in ``file``, from the disk only. Raises ModelError."""
    checkpoint = read_checkpoint(file)
    name = file.stem
    config = str(checkpoint.config)
    dtype = placement.dtype
    unet = part(
        name,
        "unet",
        lambda: _network(diffusers.UNet2DConditionModel, _weights(file, UNET), config, "unet", dtype, settle),
    )
    # the VAE stays in float32: see Placement
    vae = part(
        name,
        "vae",
        lambda: _network(diffusers.AutoencoderKL, _weights(file, VAE), config, "vae", torch.float32, settle),
    )
    text_encoder = part(name, "text_encoder", lambda: _text_encoder(_weights(file, TEXT), config, dtype, settle))
    tokenizer = part(name, "tokenizer", lambda: _tokenizer(checkpoint))
    schedule = part(name, "scheduler", lambda: checked_schedule(dict(checkpoint.schedule)))
    told = {"name": name, "native_size": checkpoint.native_size} | told_beside(file.with_suffix(".json"))
    return Parts(unet=unet, vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, schedule=schedule, told=told)


def load_vae_file(file: Path, beginning: str, config: Path) -> Any:
    """An AutoencoderKL from the tensors whose names begin so, in the original layout or diffusers'.

    Raises ValueError and whatever diffusers does.
    """
    weights = {name.removeprefix(beginning): value for name, value in read_weights(file, beginning).items()}
    weights = {name: value for name, value in weights.items() if not name.startswith(("loss.", EMA))}
    return _network(diffusers.AutoencoderKL, weights, str(config), "vae", torch.float32)


def read_weights(file: Path, beginning: str = "") -> Weights:
    """The tensors whose names begin so, read and not mapped: what becomes of the file afterwards does not matter.

    Raises ValueError where one is no number.
    """
    with safe_open(file, framework="pt", backend="pread") as opened:
        weights = {name: opened.get_tensor(name) for name in opened.keys() if name.startswith(beginning)}  # noqa: SIM118
    for name, value in weights.items():
        check_finite(name, value)
    return weights


def _weights(file: Path, beginning: str) -> Weights:
    weights = read_weights(file, beginning)
    return {standard_name(name): value for name, value in weights.items() if not leaves_out(name)}


def _network(
    kind: Any, weights: Weights, config: str, subfolder: str, dtype: torch.dtype, settle: Settle = leave
) -> Any:
    # config: without one diffusers asks the network for it, even when told to stay on the disk
    network = kind.from_single_file(
        weights, config=config, subfolder=subfolder, torch_dtype=dtype, local_files_only=True
    )
    weights.clear()  # what settling lets go of is not to be held here
    settle(subfolder, checked(network), as_it_is)
    return network


def _text_encoder(weights: Weights, config: str, dtype: torch.dtype, settle: Settle) -> Any:
    encoder = create_diffusers_clip_model_from_ldm(
        transformers.CLIPTextModel,
        weights,
        subfolder="text_encoder",
        config=config,
        torch_dtype=dtype,
        local_files_only=True,
    )
    weights.clear()
    settle("text_encoder", checked(encoder), as_it_is)
    return encoder


def _tokenizer(checkpoint: Checkpoint) -> Any:
    return transformers.CLIPTokenizer.from_pretrained(checkpoint.tokenizer, local_files_only=True)

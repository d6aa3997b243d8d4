"""A model in diffusers layout: one folder for each part, loaded from the disk only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from app.core.checkpoints import read_config
from app.core.errors import ModelError
from app.core.weights import weight_files
from app.diffusion.loading import Parts, checked_schedule, missing, part, settled, short, told_beside
from app.diffusion.placement import Placement
from app.diffusion.reading import Settle, leave

VAE_CLASSES = {"AutoencoderKL": diffusers.AutoencoderKL, "AutoencoderTiny": diffusers.AutoencoderTiny}
TOKENIZER_CLASSES = {
    name: getattr(transformers, name) for name in ("CLIPTokenizer", "CLIPTokenizerFast") if hasattr(transformers, name)
}
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")


def load_folder(folder: Path, placement: Placement, settle: Settle = leave) -> Parts:
    """Every part of the model in ``folder``. Raises ModelError."""
    index = _read_index(folder)
    name, dtype = folder.name, placement.dtype

    def load(name_of_part: str, read: Any) -> Any:
        return part(name, name_of_part, lambda: read(folder / name_of_part))

    return Parts(
        unet=load("unet", lambda path: load_network(diffusers.UNet2DConditionModel, path, dtype, settle)),
        # the VAE stays in float32: see Placement
        vae=load("vae", lambda path: load_network(_vae_class(index), path, torch.float32, settle)),
        text_encoder=load("text_encoder", lambda path: _text_encoder(path, dtype, settle)),
        tokenizer=load("tokenizer", lambda path: _tokenizer(index, path)),
        schedule=load("scheduler", lambda path: checked_schedule(read_config(path / "scheduler_config.json"))),
        told=told_beside(folder / "limner.json"),
    )


def load_network(kind: Any, path: Path, dtype: torch.dtype, settle: Settle = leave) -> Any:
    """A network of diffusers from its own folder, which is called after its part; raises whatever the libraries do."""
    read_config(path / "config.json")  # what the libraries say of a broken one speaks of the network
    _need_weights(path, "diffusion_pytorch_model")
    # use_safetensors: without it a pickle beside the folder is loaded silently
    network = kind.from_pretrained(
        path, torch_dtype=dtype, use_safetensors=True, local_files_only=True, variant=_variant(path)
    )
    return settled(path.name, network, _files(path, "diffusion_pytorch_model"), settle)


def _read_index(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelError(f"There is no model folder at {folder}.", "Choose another model, or put the folder back.")
    if not (folder / "model_index.json").is_file():
        raise ModelError(
            f"“{folder.name}” is not a model in diffusers layout: model_index.json is missing.",
            "Choose the folder that holds unet, vae, text_encoder, tokenizer and scheduler.",
        )
    for name in PARTS:
        if not (folder / name).is_dir():
            raise missing(folder.name, name)
    try:
        return read_config(folder / "model_index.json")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The model_index.json of “{folder.name}” cannot be read ({short(error)}).",
            "Download or copy the model again.",
        ) from error


def _text_encoder(path: Path, dtype: torch.dtype, settle: Settle) -> Any:
    read_config(path / "config.json")
    _need_weights(path, "model")
    encoder = transformers.CLIPTextModel.from_pretrained(
        path, dtype=dtype, use_safetensors=True, local_files_only=True, variant=_variant(path)
    )
    return settled(path.name, encoder, _files(path, "model"), settle)


def _need_weights(path: Path, stem: str) -> None:
    if not any(path.glob(f"{stem}*.safetensors")):
        if not any(path.glob("*.bin")):
            raise FileNotFoundError(stem)
        weight_files(path, stem, path.parent.name)  # says what to do about a pickle


def _files(path: Path, stem: str) -> list[Path]:
    """The files that the libraries have mapped; none where there are several that it could be."""
    variant = _variant(path)
    whole = path / (f"{stem}.{variant}.safetensors" if variant else f"{stem}.safetensors")
    if whole.is_file():
        return [] if any(path.glob("*.index*.json")) else [whole]
    return weight_files(path, stem, path.parent.name)


def _variant(path: Path) -> str | None:
    """``fp16`` when that is the only form in which the weights are there."""
    plain = [file for file in path.glob("*.safetensors") if ".fp16" not in file.name]
    return "fp16" if not plain and any(path.glob("*.fp16*.safetensors")) else None


def _vae_class(index: Mapping[str, Any]) -> Any:
    return VAE_CLASSES[_class_name(index, "vae", VAE_CLASSES)]


def _tokenizer(index: Mapping[str, Any], path: Path) -> Any:
    if not any(path.iterdir()):
        raise FileNotFoundError(path)
    kind = TOKENIZER_CLASSES[_class_name(index, "tokenizer", TOKENIZER_CLASSES)]
    return kind.from_pretrained(path, local_files_only=True)


def _class_name(index: Mapping[str, Any], name_of_part: str, known: Mapping[str, Any]) -> str:
    entry = index.get(name_of_part)
    name = entry[1] if isinstance(entry, list) and len(entry) == 2 else next(iter(known))
    if name not in known:
        raise ModelError(
            f"The model’s {name_of_part} is a {name}, which Limner does not know.",
            f"Choose a Stable Diffusion v1 model; its {name_of_part} is one of: {', '.join(known)}.",
        )
    return str(name)

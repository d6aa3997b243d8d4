"""Writing a model folder in diffusers' layout, half precision, with the card that Limner reads."""

import json
import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from autoencoder import as_tensor
from captions import known_words
from dataset import Dataset
from diffusers import AutoencoderTiny, StableDiffusionPipeline, UNet2DConditionModel
from painter import ddim
from transformers import CLIPTextModel, CLIPTokenizer

LICENSE = "Apache-2.0"
EXAMPLES = (
    "a red house on the left, snowy mountains at sunset",
    "night, a lake, a yellow hot-air balloon, stars",
    "a white sailing boat on a calm lake, green hills, noon",
    "desert dunes at dawn with a purple balloon on the right",
    "pine trees and a blue cottage, snowy mountains, snow, overcast",
    "a green meadow with round trees, rolling hills, midday, clouds",
)


@torch.no_grad()
def fit_preview(vae: AutoencoderTiny, data: Dataset) -> dict[str, list[list[float]] | list[float]]:
    """The least-squares linear map from scaled latents to RGB in -1..1."""
    pictures = as_tensor(data.pictures[:128])
    z = vae.encode(pictures).latents * vae.config.scaling_factor
    small = torch.nn.functional.avg_pool2d(pictures, 8)
    known = z.permute(0, 2, 3, 1).reshape(-1, 4).cpu().numpy()
    wanted = small.permute(0, 2, 3, 1).reshape(-1, 3).cpu().numpy()
    design = np.concatenate([known, np.ones((len(known), 1))], 1)
    solution = np.linalg.lstsq(design, wanted, rcond=None)[0].round(6)
    return {"matrix": solution[:4].tolist(), "bias": solution[4].tolist()}


@torch.no_grad()
def measure_scale(vae: AutoencoderTiny, data: Dataset) -> float:
    """What brings latents to unit standard deviation."""
    return round(float(1 / vae.encode(as_tensor(data.pictures[:256])).latents.std()), 5)


def export(
    out: Path,
    *,
    vae: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
    unet: UNet2DConditionModel,
    data: Dataset,
    readme: str,
) -> None:
    """Writes beside the target and swaps, so that out always holds a whole model."""
    card = {
        "name": "Limner starter",
        "description": "A small painter of illustrated landscapes that runs anywhere, offline, in seconds.",
        "native_size": unet.config.sample_size * 8,
        "preview": fit_preview(vae, data),
        "vocabulary": known_words(),
        "example_prompts": list(EXAMPLES),
        "guidance": 4.5,
        "license": LICENSE,
    }
    beside, old = out.with_name(out.name + ".part"), out.with_name(out.name + ".old")
    for leftover in (beside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    parts = [deepcopy(part).to("cpu", torch.float16) for part in (vae, encoder, unet)]
    StableDiffusionPipeline(
        vae=parts[0],
        text_encoder=parts[1],
        tokenizer=tokenizer,
        unet=parts[2],
        scheduler=ddim(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(beside, safe_serialization=True)
    # The tokenizer in CLIP's own two files, which every version of transformers reads.
    tokenizer_folder = beside / "tokenizer"
    shutil.rmtree(tokenizer_folder)
    shutil.copytree(tokenizer.name_or_path, tokenizer_folder)
    (beside / "limner.json").write_text(json.dumps(card, indent=2) + "\n")
    (beside / "README.md").write_text(readme)
    for file in beside.rglob("*.safetensors"):
        file.chmod(0o644)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        out.rename(old)
    beside.rename(out)
    shutil.rmtree(old, ignore_errors=True)

"""Writing a model folder in diffusers' layout, half precision, with the card that Limner reads."""

import json
import shutil
from copy import deepcopy
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What tells one exported model from the other."""

    name: str
    description: str
    card: str
    examples: tuple[str, ...]


EXAMPLES = (
    "a red house on the left, snowy mountains at sunset",
    "night, a lake, a yellow hot-air balloon, stars",
    "a white lighthouse by the sea cliffs, noon, clouds",
    "a watercolour of a blue sailing boat on a calm lake, hills at dawn",
    "two orange tents by a river, pine trees, mountains, midday",
    "desert dunes at sunset with a purple balloon on the right and a flock of birds",
)
PAINTING = Kind(
    name="Limner starter",
    description="A small painter of illustrated landscapes that runs anywhere, offline, in seconds.",
    card="model-card.md",
    examples=EXAMPLES,
)
INPAINTING = Kind(
    name="Limner starter inpainting",
    description="The small landscape painter, trained on to fill a mask so that it fits what is around it.",
    card="model-card-inpaint.md",
    examples=("a red balloon", "a white house", "a green boat on a lake", "pine trees", *EXAMPLES[:2]),
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
    kind: Kind,
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
        "name": kind.name,
        "description": kind.description,
        "native_size": unet.config.sample_size * 8,
        "preview": fit_preview(vae, data),
        "vocabulary": known_words(),
        "example_prompts": list(kind.examples),
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

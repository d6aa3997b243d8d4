"""A model of Stable Diffusion v1's exact shape with random weights: nothing to look at, all of the work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

CONFIGS = Path(__file__).resolve().parents[2] / "resources" / "configs" / "sd1"
STARTER = Path(__file__).resolve().parents[2] / "resources" / "models" / "starter"


def make_full_size(folder: Path) -> Path:
    """Write it in diffusers layout (4.3 GB), unless it is there already."""
    import diffusers
    import transformers

    if (folder / "done").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(CONFIGS / "scheduler", folder / "scheduler", dirs_exist_ok=True)
    shutil.copytree(STARTER / "tokenizer", folder / "tokenizer", dirs_exist_ok=True)
    index = json.loads((CONFIGS / "model_index.json").read_text())
    index["safety_checker"] = index["feature_extractor"] = [None, None]
    (folder / "model_index.json").write_text(json.dumps(index))
    for name, kind in (("unet", diffusers.UNet2DConditionModel), ("vae", diffusers.AutoencoderKL)):
        config = json.loads((CONFIGS / name / "config.json").read_text())
        with torch.device("meta"):
            network = kind.from_config(config)
        _fill(network).save_pretrained(folder / name)
    text = transformers.CLIPTextConfig(**json.loads((CONFIGS / "text_encoder" / "config.json").read_text()))
    with torch.device("meta"):
        encoder = transformers.CLIPTextModel(text)
    _fill(encoder).save_pretrained(folder / "text_encoder")
    (folder / "done").touch()
    return folder


@torch.no_grad()
def _fill(network: Any) -> Any:
    """Weights that keep numbers about as large from layer to layer."""
    network.to_empty(device="cpu")
    some = torch.randn(1 << 22, generator=torch.Generator().manual_seed(0))
    for name, weight in network.named_parameters():
        if weight.ndim == 1:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
            continue
        flat = weight.view(-1)
        for first in range(0, flat.numel(), some.numel()):
            part = flat[first : first + some.numel()]
            part.copy_(some[: part.numel()])
        weight.mul_(weight[0].numel() ** -0.5)
    for name, values in network.named_buffers():
        if name.endswith("position_ids"):
            values.copy_(torch.arange(values.shape[-1]).expand(values.shape))
    return network

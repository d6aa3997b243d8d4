"""Writes random LoRA files for a model, in the forms that trainers write."""

from __future__ import annotations

from pathlib import Path

import diffusers
import torch
import transformers
from safetensors.torch import save_file

Weights = dict[str, torch.Tensor]
Pairs = dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor]]


def random_pairs(model: Path, rank: int = 4, seed: int = 0, strength: float = 0.3) -> Pairs:
    """By network and layer, for every attention and one of the convolutions."""
    generator = torch.Generator().manual_seed(seed)
    unet = diffusers.UNet2DConditionModel.from_pretrained(model / "unet", local_files_only=True)
    text = transformers.CLIPTextModel.from_pretrained(model / "text_encoder", local_files_only=True)
    pairs: Pairs = {}
    for part, network, ends in (
        ("unet", unet, ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.0.proj", "resnets.0.conv1")),
        ("text_encoder", text, ("q_proj", "k_proj", "v_proj", "out_proj", "fc1")),
    ):
        for path, layer in network.named_modules():
            if path.endswith(ends):
                made, given, *sides = layer.weight.shape
                up_sides = [1] * len(sides)
                down = torch.randn((rank, given, *sides), generator=generator) * strength
                up = torch.randn((made, rank, *up_sides), generator=generator) * strength
                pairs[part, path.removeprefix("text_model.")] = (down, up)
    return pairs


def kohya(pairs: Pairs, alpha: float | None = 2.0) -> Weights:
    weights = {}
    for (part, path), (down, up) in pairs.items():
        name = f"lora_unet_{path}" if part == "unet" else f"lora_te_text_model_{path}"
        name = name.replace(".", "_")
        weights |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        if alpha is not None:
            weights[f"{name}.alpha"] = torch.tensor(alpha)
    return weights


def in_peft_form(pairs: Pairs) -> Weights:
    weights = {}
    for (part, path), (down, up) in pairs.items():
        name = f"unet.{path}" if part == "unet" else f"text_encoder.text_model.{path}"
        weights |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return weights


def in_old_form(pairs: Pairs) -> Weights:
    """As diffusers' scripts of 2023 wrote it: the attentions alone."""
    weights = {}
    old = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out", "to_out.0": "to_out"}
    for (part, path), (down, up) in pairs.items():
        layer = next((layer for layer in ("to_q", "to_k", "to_v", *old) if path.endswith(f".{layer}")), None)
        if layer is None:
            continue
        attention = path.removesuffix(f".{layer}")
        name = f"unet.{attention}.processor" if part == "unet" else f"text_encoder.text_model.{attention}"
        name = f"{name}.{old.get(layer, layer)}_lora"
        weights |= {f"{name}.down.weight": down, f"{name}.up.weight": up}
    return weights


def write(file: Path, weights: Weights) -> Path:
    save_file({name: value.contiguous() for name, value in weights.items()}, file)
    return file

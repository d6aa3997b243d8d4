"""Writes a model folder as one file in the layout that Stable Diffusion v1 was published in.

The names are mapped here by hand, the other way round than diffusers maps them, so that loading can be compared.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

Weights = dict[str, torch.Tensor]

CONFIGS = (
    "model_index.json",
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
)


def write_single(model: Path, file: Path, *, ema: bool = False, dtype: torch.dtype = torch.float32) -> Path:
    """``model`` as one safetensors file; its configs and tokenizer are put beside it, as in a repository of both."""
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(original_weights(model, ema=ema, dtype=dtype), file)
    copy_configs(model, file.parent)
    return file


def copy_configs(model: Path, folder: Path) -> None:
    for name in CONFIGS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model / name, folder / name)
    shutil.copytree(model / "tokenizer", folder / "tokenizer", dirs_exist_ok=True)


def original_weights(model: Path, *, ema: bool = False, dtype: torch.dtype = torch.float32) -> Weights:
    weights: Weights = {}
    unet = load_file(model / "unet" / "diffusion_pytorch_model.safetensors")
    for name, value in unet.items():
        weights[f"model.diffusion_model.{unet_name(name)}"] = value
    for name, value in load_file(model / "vae" / "diffusion_pytorch_model.safetensors").items():
        mapped, value = vae_entry(name, value)
        weights[f"first_stage_model.{mapped}"] = value
    for name, value in load_file(model / "text_encoder" / "model.safetensors").items():
        name = name.removeprefix("text_model.")
        weights[f"cond_stage_model.transformer.text_model.{name}"] = value
    weights = {name: value.to(dtype).contiguous() for name, value in weights.items()}
    positions = weights["cond_stage_model.transformer.text_model.embeddings.position_embedding.weight"].shape[0]
    weights["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(positions)[None]
    weights["alphas_cumprod"] = torch.linspace(0.99, 0.01, 1000)
    if ema:
        for name in list(weights):
            if name.startswith("model.diffusion_model."):
                flat = name.removeprefix("model.").replace(".", "")
                weights[f"model_ema.{flat}"] = torch.full_like(weights[name], 7.0)
        weights["model_ema.decay"] = torch.tensor(0.9999)
    return weights


_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def unet_name(name: str) -> str:
    """A UNet with one layer a block, as the tiny models have: two numbers a level on the way down and on the way up."""
    for beginning, original in _ENDS.items():
        if name.startswith(f"{beginning}."):
            return f"{original}.{name.removeprefix(f'{beginning}.')}"
    if match := re.fullmatch(r"down_blocks\.(\d+)\.(resnets|attentions)\.0\.(.+)", name):
        block = f"input_blocks.{1 + 2 * int(match[1])}"
        return f"{block}.0.{_resnet(match[3])}" if match[2] == "resnets" else f"{block}.1.{match[3]}"
    if match := re.fullmatch(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.+)", name):
        return f"input_blocks.{2 + 2 * int(match[1])}.0.op.{match[2]}"
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name):
        if match[1] == "attentions":
            return f"middle_block.1.{match[3]}"
        return f"middle_block.{2 * int(match[2])}.{_resnet(match[3])}"
    if match := re.fullmatch(r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", name):
        block = f"output_blocks.{2 * int(match[1]) + int(match[3])}"
        return f"{block}.0.{_resnet(match[4])}" if match[2] == "resnets" else f"{block}.1.{match[4]}"
    if match := re.fullmatch(r"up_blocks\.0\.upsamplers\.0\.conv\.(.+)", name):
        return f"output_blocks.1.1.conv.{match[1]}"  # the first level up of the tiny models has no attention
    raise AssertionError(name)


def _resnet(rest: str) -> str:
    layer, end = rest.rsplit(".", 1)
    return f"{_RESNET[layer]}.{end}"


def vae_entry(name: str, value: torch.Tensor) -> tuple[str, torch.Tensor]:
    """A VAE of four levels; its attention was made of 1 x 1 convolutions."""
    if match := re.fullmatch(r"(encoder|decoder)\.mid_block\.attentions\.0\.(.+)\.(weight|bias)", name):
        layers = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
        if match[2] != "group_norm" and match[3] == "weight":
            value = value[:, :, None, None]
        return f"{match[1]}.mid.attn_1.{layers[match[2]]}.{match[3]}", value
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda match: f"mid.block_{int(match[1]) + 1}", name)
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda match: f"up.{3 - int(match[1])}.block.{match[2]}", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda match: f"up.{3 - int(match[1])}.upsample", name)
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    return name, value

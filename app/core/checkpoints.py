"""Single-file models: which config fits the file, where its tokenizer is, and whether all of its tensors are there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.errors import ModelError
from app.core.kinds import EMA, TEXT, UNET, V1, VAE, Contents, Kind, contents_of
from app.core.layout import Config, same_shape, text_layout, unet_layout, vae_layout
from app.core.settings import resources
from app.core.weights import Header, Shape, read_header

NATIVE_SIZE = 512
"""Pixels a side that Stable Diffusion v1 was trained on."""

_WANTED = "Choose a Stable Diffusion v1 model."
_USE_AS = {
    Kind.LORA: "Choose a Stable Diffusion v1 model, and add this file to it as a LoRA.",
    Kind.VAE: "Choose a Stable Diffusion v1 model, and add this file to it as its VAE.",
    Kind.EMBEDDING: "Choose a Stable Diffusion v1 model, and add this file to it as an embedding.",
}
_PARTS = {UNET: "UNet", VAE: "VAE", TEXT: "text encoder"}
_CONFIGS = ("unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A single file that can be loaded. ``config``: a folder of diffusers configs that fit it. ``schedule``: the noise
    levels and what the UNet predicts. ``tokenizer``: a folder of CLIP's vocabulary. ``native_size``: pixels a side."""

    file: Path
    header: Header
    config: Path
    schedule: Mapping[str, Any]
    tokenizer: Path
    channels: int
    native_size: int


def read_checkpoint(file: Path) -> Checkpoint:
    """What a safetensors file in the original layout of Stable Diffusion v1 needs to be loaded, read in milliseconds.

    Raises ModelError where it is damaged, is something else, lacks tensors, or has no vocabulary.
    """
    header = read_header(file)
    contents = contents_of(header.shapes)
    _check_kind(contents, file)
    config = _config_for(file, header.shapes, contents.channels)
    _check_tensors(header.shapes, config, file)
    told = _told_beside(file)
    return Checkpoint(
        file=file,
        header=header,
        config=config,
        schedule=_schedule(file, header, config, told),
        tokenizer=_tokenizer_for(file),
        channels=contents.channels,
        native_size=_native_size(header, config, told),
    )


def usual_config(channels: int = 4) -> Path:
    """Limner's own configs of Stable Diffusion v1, for a UNet of 4 or 9 input channels."""
    return resources() / "configs" / ("sd1-inpainting" if channels == 9 else "sd1")


def usual_tokenizer() -> Path:
    """Where CLIP's vocabulary lies that ``make setup`` fetches; the folder may be missing."""
    return resources() / "configs" / "tokenizer"


def read_config(file: Path) -> dict[str, Any]:
    """A JSON object. Raises OSError, ValueError."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except RecursionError as error:
        raise ValueError(f"{file.name} is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} holds no object")
    return content


def standard_name(name: str) -> str:
    """Some merging programs leave out one word of the text encoder's names: put it back."""
    if name.startswith(TEXT) and not name.startswith(f"{TEXT}text_model."):
        return f"{TEXT}text_model.{name.removeprefix(TEXT)}"
    return name


def _check_kind(contents: Contents, file: Path) -> None:
    if contents.kind is Kind.MODEL and contents.family == V1:
        return
    if contents.kind in _USE_AS:
        raise ModelError(f"“{file.name}” is {contents.what}, not a model.", _USE_AS[contents.kind])
    raise ModelError(f"“{file.name}” is {contents.what}, not {V1}.", _WANTED)


# The config that fits


def _config_for(file: Path, shapes: Mapping[str, Shape], channels: int) -> Path:
    """Configs beside the file, as in a repository that holds both, where they fit it; else the usual ones."""
    if all((file.parent / name).is_file() for name in _CONFIGS) and not _faults(shapes, file.parent):
        return file.parent
    return usual_config(channels)


def _faults(shapes: Mapping[str, Shape], config: Path) -> bool:
    try:
        wanted = _wanted(config)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True
    there = {standard_name(name): shape for name, shape in shapes.items()}
    return any(name in there and not same_shape(there[name], shape) for name, shape in wanted.items())


def _wanted(config: Path) -> dict[str, Shape]:
    """Every tensor that the configs in this folder ask for."""
    unet, vae, text = (read_config(config / part / "config.json") for part in ("unet", "vae", "text_encoder"))
    return unet_layout(unet) | vae_layout(vae) | text_layout(text)


def _check_tensors(shapes: Mapping[str, Shape], config: Path, file: Path) -> None:
    there = {standard_name(name): shape for name, shape in shapes.items()}
    _check_parts(there, file)
    wanted = _wanted(config)
    odd = next((name for name, shape in wanted.items() if name in there and not same_shape(there[name], shape)), None)
    if odd is not None:
        raise ModelError(
            f"“{file.name}” is built otherwise than {V1}: {odd} is {_by(there[odd])}, not {_by(wanted[odd])}.", _WANTED
        )
    lacking = [name for name in wanted if name not in there]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise ModelError(f"“{file.name}” is incomplete: it lacks {lacking[0]}{more}.", "Download it again.")


def _check_parts(there: Mapping[str, Shape], file: Path) -> None:
    lacking = [part for beginning, part in _PARTS.items() if not any(name.startswith(beginning) for name in there)]
    if lacking:
        raise ModelError(
            f"“{file.name}” is only a part of a model: it lacks the {' and the '.join(lacking)}.",
            "Get the whole model as one file.",
        )


def _by(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "a single number"


# The schedule


def _schedule(file: Path, header: Header, config: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """The config's schedule, with what the file itself and the notes beside it say about v-prediction (arXiv
    2202.00512) and zero terminal SNR (arXiv 2305.08891). The nearest word counts: notes, then file, then config."""
    name = config / "scheduler" / "scheduler_config.json"
    try:
        schedule = read_config(name)
    except (OSError, ValueError) as error:
        raise ModelError(f"{name.name} beside “{file.name}” is damaged.", "Get it again, or move it away.") from error
    for predicts, zero_snr in (_marks(header), _yaml(file), (told.get("prediction_type"), _yes(told))):
        if predicts is not None:
            schedule["prediction_type"] = _PREDICTIONS.get(str(predicts).lower(), predicts)
        if zero_snr is not None:
            schedule["rescale_betas_zero_snr"] = zero_snr
    if schedule.get("rescale_betas_zero_snr") and not told.get("timestep_spacing"):
        schedule["timestep_spacing"] = "trailing"  # the paper's: only so does a run begin at the level without signal
    return schedule


_PREDICTIONS = {"v": "v_prediction", "vpred": "v_prediction", "eps": "epsilon", "x0": "sample"}


def _marks(header: Header) -> tuple[str | None, bool | None]:
    """Empty tensors by which trainers mark a file, or the metadata of the ModelSpec standard."""
    told = header.metadata.get("modelspec.prediction_type")
    predicts = "v" if "v_pred" in header.shapes else told
    return predicts or None, True if "ztsnr" in header.shapes else None


def _yaml(file: Path) -> tuple[str | None, bool | None]:
    """The original training config under the file's name: two lines of it count, so no YAML reader is needed."""
    text = _text_beside(file, ".yaml")
    predicts = re.search(r"^\s*parameterization:\s*[\"']?(\w+)", text, re.MULTILINE)
    zero_snr = re.search(r"^\s*(?:zero_terminal_snr|rescale_betas_zero_snr|ztsnr):\s*[\"']?(\w+)", text, re.MULTILINE)
    return predicts[1] if predicts else None, zero_snr[1].lower() in ("true", "yes") if zero_snr else None


def _yes(told: Mapping[str, Any]) -> bool | None:
    value = told.get("rescale_betas_zero_snr")
    return value if isinstance(value, bool) else None


def _told_beside(file: Path) -> dict[str, Any]:
    """The JSON file of the same name; one that cannot be read is passed over, for most are somebody's notes."""
    try:
        content = json.loads(_text_beside(file, ".json") or "{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _text_beside(file: Path, ending: str) -> str:
    try:
        return file.with_suffix(ending).read_text("utf-8", "replace")[:1_000_000]
    except OSError:
        return ""


# The rest


def _tokenizer_for(file: Path) -> Path:
    """A vocabulary in the file's own folder, else Limner's copy of CLIP's."""
    for folder in (file.parent / "tokenizer", usual_tokenizer()):
        if _is_vocabulary(folder):
            return folder
    raise ModelError(
        f"“{file.name}” is a good model, but the vocabulary that turns words into numbers is not installed.",
        f"Run “make vocabulary” with a network once, or put CLIP's vocab.json and merges.txt into {usual_tokenizer()}.",
    )


def _is_vocabulary(folder: Path) -> bool:
    pair = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    return pair or (folder / "tokenizer.json").is_file()


def _native_size(header: Header, config: Path, told: Mapping[str, Any]) -> int:
    size = told.get("native_size")
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    sides = re.findall(r"\d+", header.metadata.get("modelspec.resolution", ""))
    if sides and 64 <= max(map(int, sides)) <= 2048:
        return max(map(int, sides))
    if config in (usual_config(4), usual_config(9)):
        return NATIVE_SIZE
    sample = _number(config / "unet" / "config.json", lambda unet: unet["sample_size"])
    factor = _number(config / "vae" / "config.json", lambda vae: 2 ** (len(vae["block_out_channels"]) - 1))
    return sample * factor if sample and factor else NATIVE_SIZE


def _number(file: Path, pick: Callable[[Config], Any]) -> int:
    try:
        value = pick(read_config(file))
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return value if isinstance(value, int) and value > 0 else 0


def leaves_out(name: str) -> bool:
    """Tensors that loading has no use for: running means kept for training, and constants of the schedule."""
    return not name.startswith(tuple(_PARTS)) or name.startswith(EMA) or name.endswith("position_ids")

"""A loaded model: tokenizer, text encoder, UNet, VAE and schedule config from a diffusers-layout folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from app.core.errors import ModelError
from app.diffusion.placement import Placement
from app.diffusion.preview import PreviewMap, preview_map_for

log = logging.getLogger(__name__)

diffusers.utils.logging.disable_progress_bar()
transformers.utils.logging.disable_progress_bar()

VAE_CLASSES = {"AutoencoderKL": diffusers.AutoencoderKL, "AutoencoderTiny": diffusers.AutoencoderTiny}
TOKENIZER_CLASSES = {
    name: getattr(transformers, name) for name in ("CLIPTokenizer", "CLIPTokenizerFast") if hasattr(transformers, name)
}
PREDICTIONS = ("epsilon", "v_prediction", "sample")
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")


@dataclass(frozen=True, kw_only=True)
class ModelBundle:
    """Everything that a Request needs of a model; its parts fit together, which loading has checked.

    ``factor``: picture pixels per latent. ``channels``: of a latent. ``native_size``: pixels a side that the UNet was
    trained on. ``window``: tokens of a prompt, its start and end included. ``concat``: the UNet takes mask and masked
    image beside the latents (the fine-tuned inpainting kind).
    """

    name: str
    tokenizer: Any
    text_encoder: Any
    unet: Any
    vae: Any
    scheduler_config: Mapping[str, Any]
    preview: PreviewMap
    placement: Placement
    factor: int
    channels: int
    native_size: int
    window: int
    concat: bool


def load_bundle(folder: Path, placement: Placement) -> ModelBundle:
    """Load an SD v1 folder in diffusers layout, from the disk only.

    Raises ModelError when a part is missing, cannot be read, or does not fit the others.
    """
    index = _read_index(folder)
    unet = _part(folder, "unet", lambda path: _network(diffusers.UNet2DConditionModel, path, placement.dtype))
    vae = _part(folder, "vae", lambda path: _network(_vae_class(index), path, torch.float32))
    text_encoder = _part(folder, "text_encoder", lambda path: _text_encoder(path, placement.dtype))
    tokenizer = _part(folder, "tokenizer", lambda path: _tokenizer(index, path))
    scheduler_config = _part(folder, "scheduler", _scheduler_config)
    channels = int(vae.config.latent_channels)
    concat = _takes_mask(folder, unet, channels)
    _check_widths(folder, unet, text_encoder)
    for network in (unet, vae, text_encoder):
        network.to(placement.device).eval().requires_grad_(False)
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    extra = _read_extra(folder)
    return ModelBundle(
        name=str(extra.get("name") or folder.name),
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        unet=unet,
        vae=vae,
        scheduler_config=scheduler_config,
        preview=preview_map_for(vae, extra.get("preview")),
        placement=placement,
        factor=factor,
        channels=channels,
        native_size=_native_size(unet, factor, extra.get("native_size")),
        window=_window(tokenizer, text_encoder),
        concat=concat,
    )


def _read_index(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ModelError(f"There is no model folder at {folder}.", "Choose another model, or put the folder back.")
    if not (folder / "model_index.json").is_file():
        raise ModelError(
            f"“{folder.name}” is not a model in diffusers layout: model_index.json is missing.",
            "Choose the folder that holds unet, vae, text_encoder, tokenizer and scheduler.",
        )
    for part in PARTS:
        if not (folder / part).is_dir():
            raise _missing(folder, part)
    try:
        return _read_json(folder / "model_index.json")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The model_index.json of “{folder.name}” cannot be read ({_short(error)}).",
            "Download or copy the model again.",
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text("utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no object")
    return content


def _read_extra(folder: Path) -> dict[str, Any]:
    """What Limner keeps beside a model (name, preview matrix); a model without it, or with a broken one, works too."""
    try:
        return _read_json(folder / "limner.json")
    except (OSError, ValueError, RecursionError) as error:
        log.debug("no limner.json in %s: %s", folder.name, error)
        return {}


def _missing(folder: Path, part: str) -> ModelError:
    return ModelError(
        f"The model “{folder.name}” is incomplete: its {part.replace('_', ' ')} is missing.",
        f"Download or copy the model again so that it has a folder “{part}”.",
    )


def _part(folder: Path, part: str, load: Callable[[Path], Any]) -> Any:
    """Load one part; what the libraries raise becomes one sentence naming the part, with the cause chained."""
    try:
        return load(folder / part)
    except ModelError:
        raise
    except FileNotFoundError as error:
        raise _missing(folder, part) from error
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        log.info("loading %s of %s failed", part, folder, exc_info=True)
        raise ModelError(
            f"The {part.replace('_', ' ')} of the model “{folder.name}” cannot be read ({_short(error)}).",
            "The file is damaged or of another kind; download or copy the model again.",
        ) from error


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    first = lines[0].rstrip(".: ") if lines else type(error).__name__
    return first if len(first) <= 160 else first[:157] + "…"


def _network(kind: Any, path: Path, dtype: torch.dtype) -> Any:
    _read_json(path / "config.json")  # what the libraries say of a broken one speaks of the network
    _need_weights(path, "diffusion_pytorch_model")
    # use_safetensors: without it a pickle beside the folder is loaded silently
    network = kind.from_pretrained(
        path, torch_dtype=dtype, use_safetensors=True, local_files_only=True, variant=_variant(path)
    )
    return _checked(network)


def _text_encoder(path: Path, dtype: torch.dtype) -> Any:
    _read_json(path / "config.json")
    _need_weights(path, "model")
    encoder = transformers.CLIPTextModel.from_pretrained(
        path, dtype=dtype, use_safetensors=True, local_files_only=True, variant=_variant(path)
    )
    return _checked(encoder)


def _checked(network: Any) -> Any:
    """A weight that the file lacks stays on the meta device, and copying it later fails without naming it."""
    lacking = [name for name, value in network.named_parameters() if value.is_meta]
    if lacking:
        raise ValueError(f"{len(lacking)} weights are missing, {lacking[0]} the first")
    return network


def _need_weights(path: Path, stem: str) -> None:
    if any(path.glob(f"{stem}*.safetensors")):
        return
    if any(path.glob("*.bin")):
        raise ModelError(
            f"The {path.name.replace('_', ' ')} of “{path.parent.name}” is stored as a pickle (.bin), "
            "which can hide programs.",
            "Use a copy of the model in safetensors format.",
        )
    raise FileNotFoundError(stem)


def _variant(path: Path) -> str | None:
    """``fp16`` when that is the only form in which the weights are there."""
    plain = [file for file in path.glob("*.safetensors") if ".fp16." not in file.name]
    return "fp16" if not plain and any(path.glob("*.fp16*.safetensors")) else None


def _vae_class(index: Mapping[str, Any]) -> Any:
    return VAE_CLASSES[_class_name(index, "vae", VAE_CLASSES)]


def _tokenizer(index: Mapping[str, Any], path: Path) -> Any:
    if not any(path.iterdir()):
        raise FileNotFoundError(path)
    kind = TOKENIZER_CLASSES[_class_name(index, "tokenizer", TOKENIZER_CLASSES)]
    return kind.from_pretrained(path, local_files_only=True)


def _scheduler_config(path: Path) -> dict[str, Any]:
    """The noise levels and what the UNet predicts, tried on one scheduler so that nonsense is found here."""
    config = _read_json(path / "scheduler_config.json")
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise ValueError(f"it predicts “{prediction}”, which Limner does not know")
    diffusers.DDIMScheduler.from_config(config, clip_sample=False).set_timesteps(1)
    return config


def _window(tokenizer: Any, text_encoder: Any) -> int:
    """Tokens that fit: what the text encoder has positions for, or fewer where the tokenizer says so (one without a
    limit of its own answers with a number beyond all bounds)."""
    return min(int(tokenizer.model_max_length), int(text_encoder.config.max_position_embeddings))


def _class_name(index: Mapping[str, Any], part: str, known: Mapping[str, Any]) -> str:
    entry = index.get(part)
    name = entry[1] if isinstance(entry, list) and len(entry) == 2 else next(iter(known))
    if name not in known:
        raise ModelError(
            f"The model’s {part} is a {name}, which Limner does not know.",
            f"Choose a Stable Diffusion v1 model; its {part} is one of: {', '.join(known)}.",
        )
    return str(name)


def _takes_mask(folder: Path, unet: Any, channels: int) -> bool:
    """True for the 9-channel kind: latents, mask and the masked image's latents."""
    taken, given = int(unet.config.in_channels), int(unet.config.out_channels)
    if given == channels and taken == channels:
        return False
    if given == channels and taken == 2 * channels + 1:
        return True
    raise ModelError(
        f"The parts of “{folder.name}” do not fit: its UNet takes {taken} channels and gives {given}, "
        f"its VAE has {channels}.",
        f"Limner paints with UNets of {channels} channels, or {2 * channels + 1} for inpainting, beside this VAE.",
    )


def _check_widths(folder: Path, unet: Any, text_encoder: Any) -> None:
    wanted, given = unet.config.cross_attention_dim, int(text_encoder.config.hidden_size)
    widths = set(wanted) if isinstance(wanted, list | tuple) else {wanted}
    if widths != {given}:
        raise ModelError(
            f"The parts of “{folder.name}” do not fit: its UNet listens to texts of width "
            f"{', '.join(map(str, sorted(widths)))}, its text encoder writes {given}.",
            "Choose a model whose parts belong together (Stable Diffusion v1 uses 768).",
        )


def _native_size(unet: Any, factor: int, told: object) -> int:
    """Pixels a side, as told beside the model, else the UNet's; the longer of two, 512 where none is named."""
    if isinstance(told, int) and told > 0:
        return told
    sample = unet.config.sample_size
    side = max(sample) if isinstance(sample, list | tuple) else sample
    return int(side) * factor if side else 512

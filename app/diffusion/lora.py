"""LoRA files (arXiv 2106.09685) put on a loaded model with peft, and taken off without a trace."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import peft
import torch
from peft.tuners.lora import LoraLayer
from peft.utils import set_peft_model_state_dict

from app.core.additions import LoraUse
from app.core.errors import ModelError
from app.core.kinds import V1, Kind, contents_of
from app.core.weights import read_header
from app.diffusion.bundle import ModelBundle
from app.diffusion.loading import short
from app.diffusion.single_file import Weights, read_weights

_WANTED = f"Choose a LoRA made for {V1}."
_PREFIXES = {"lora_unet_": "unet", "lora_te_": "text_encoder", "lora_te1_": "text_encoder"}
_ENDS = re.compile(
    r"(?P<path>.+?)(?:\.|_)(?:"
    r"lora_down\.weight|lora_A\.(?:\w+\.)?weight|lora\.down\.weight|lora_linear_layer\.down\.weight"
    r"|(?P<up>lora_up\.weight|lora_B\.(?:\w+\.)?weight|lora\.up\.weight|lora_linear_layer\.up\.weight)"
    r"|(?P<alpha>alpha))"
)
"""How trainers end the names of the two matrices and of the number that scales them: kohya's, peft's, diffusers'."""
_OLD_LAYERS = {"to_out": "to_out.0"}
_OLD_TEXT_LAYERS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}


@dataclass
class _Pair:
    """The two matrices of one layer: ``down`` r x in, ``up`` out x r; for a convolution with its sides after them."""

    down: torch.Tensor | None = None
    up: torch.Tensor | None = None
    alpha: float | None = None

    @property
    def rank(self) -> int:
        assert self.down is not None
        return int(self.down.shape[0])


@dataclass
class Lora:
    """A file that was read: per network (``unet``, ``text_encoder``) the pairs by the path of the layer that they
    belong to. ``left_out``: parts that fit nothing in the model, of ``count`` in all."""

    name: str
    pairs: dict[str, dict[str, _Pair]] = field(default_factory=dict)
    left_out: int = 0
    count: int = 0

    @property
    def note(self) -> str | None:
        if not self.left_out:
            return None
        parts = f"{self.left_out} of {self.count} parts of the LoRA “{self.name}”"
        return f"{parts} fit nothing in this model and were left out."


def read_lora(file: Path, bundle: ModelBundle) -> Lora:
    """The file's parts, sorted by the layers of this model; nothing is touched yet.

    Raises ModelError where it is no LoRA, is one for another kind of model, or has a part of another shape.
    """
    contents = contents_of(read_header(file).shapes)
    if contents.kind is not Kind.LORA:
        raise ModelError(f"“{file.name}” is {contents.what}, not a LoRA.", _WANTED)
    width = int(bundle.text_encoder.config.hidden_size)
    if contents.family != V1 or (contents.width and contents.width != width):
        raise ModelError(f"“{file.name}” is {contents.what}; it does not fit this model.", _WANTED)
    try:
        weights = read_weights(file)
    except ValueError as error:
        raise ModelError(f"The LoRA “{file.stem}” is damaged: {short(error)}.", "Download it again.") from error
    lora = _sorted(weights, _layers_of(bundle), file.stem)
    if not lora.pairs:
        raise ModelError(f"Nothing of the LoRA “{file.stem}” fits this model.", _WANTED)
    return lora


def put_on(bundle: ModelBundle, loras: Sequence[tuple[Lora, LoraUse]]) -> None:
    """Let these LoRAs, and no others, act on the bundle's networks. On an error none of them does."""
    take_off(bundle)
    try:
        for number, (lora, use) in enumerate(loras):
            for part, pairs in lora.pairs.items():
                _inject(getattr(bundle, part), pairs, f"lora{number}", use.weight)
    except BaseException:
        take_off(bundle)
        raise


def take_off(bundle: ModelBundle) -> None:
    """Put the networks' own layers back in their places: the very same objects, so the model is as it was."""
    for network in (bundle.unet, bundle.text_encoder):
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, LoraLayer):
                    setattr(parent, name, child.get_base_layer())
        if hasattr(network, "peft_config"):
            del network.peft_config


def _inject(network: Any, pairs: Mapping[str, _Pair], adapter: str, weight: float) -> None:
    patterns = {path: f"^{re.escape(path)}" for path in pairs}
    first = next(iter(pairs.values()))
    config = peft.LoraConfig(
        r=first.rank,
        lora_alpha=first.rank,
        target_modules=list(pairs),
        rank_pattern={patterns[path]: pair.rank for path, pair in pairs.items()},
        alpha_pattern={patterns[path]: pair.alpha or pair.rank for path, pair in pairs.items()},
    )
    # low_cpu_mem_usage: the matrices are not made of random numbers first
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several at once are meant
        peft.inject_adapter_in_model(config, network, adapter_name=adapter, low_cpu_mem_usage=True)
    state = {}
    for path, pair in pairs.items():
        for end, value in (("lora_A", pair.down), ("lora_B", pair.up)):
            assert value is not None
            state[f"{path}.{end}.weight"] = value.to(network.device, network.dtype)
    set_peft_model_state_dict(network, state, adapter_name=adapter, low_cpu_mem_usage=True)
    for module in network.modules():
        if isinstance(module, LoraLayer):
            module.set_adapter(list(module.lora_A))
            if adapter in module.lora_A:
                module.set_scale(adapter, weight)
    network.eval().requires_grad_(False)


# Names


def _layers_of(bundle: ModelBundle) -> dict[str, dict[str, Any]]:
    """Per network its layers by path."""
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    return {
        part: {
            path: layer.get_base_layer() if isinstance(layer, LoraLayer) else layer
            for path, layer in getattr(bundle, part).named_modules()
            if isinstance(layer, (*kinds, LoraLayer)) and "lora_" not in path and ".base_layer" not in path
        }
        for part in ("unet", "text_encoder")
    }


def _sorted(weights: Weights, layers: Mapping[str, Mapping[str, Any]], name: str) -> Lora:
    lora = Lora(name)
    found: dict[tuple[str, str], _Pair] = {}
    strangers: set[str] = set()
    flat = {
        prefix + path.replace(".", "_"): (part, path) for prefix, part in _PREFIXES.items() for path in layers[part]
    }
    flat |= {_with_text_model(key): place for key, place in flat.items() if place[0] == "text_encoder"}
    for key, value in weights.items():
        match = _ENDS.fullmatch(key)
        place = _place(match["path"], layers, flat) if match else None
        if match is None or place is None:
            strangers.add(match["path"] if match else key)
            continue
        pair = found.setdefault(place, _Pair())
        if match["alpha"]:
            pair.alpha = float(value)
        elif match["up"]:
            pair.up = value
        else:
            pair.down = value
    for (part, path), pair in found.items():
        if pair.down is None or pair.up is None:
            strangers.add(f"{part}.{path}")
            continue
        _check_shape(pair, layers[part][path], f"{part}.{path}", name)
        lora.pairs.setdefault(part, {})[path] = pair
    lora.left_out = len(strangers)
    lora.count = len(strangers) + sum(map(len, lora.pairs.values()))
    return lora


def _with_text_model(key: str) -> str:
    """Newer text encoders have one level less than the names in files."""
    prefix = next(prefix for prefix in _PREFIXES if key.startswith(prefix))
    rest = key.removeprefix(prefix)
    return key if rest.startswith("text_model_") else f"{prefix}text_model_{rest}"


def _place(
    name: str, layers: Mapping[str, Mapping[str, Any]], flat: Mapping[str, tuple[str, str]]
) -> tuple[str, str] | None:
    """The network and path of the layer that a file calls ``name``; None where the model has no such layer."""
    if name in flat:
        return flat[name]
    name = name.removeprefix("base_model.model.")
    part = "text_encoder" if name.startswith("text_encoder.") else "unet"
    path = name.removeprefix(f"{part}.").replace(".processor.", ".")
    ways = [path, path.removeprefix("text_model."), f"text_model.{path}"]
    beginning, _, last = path.rpartition(".")
    last = (_OLD_LAYERS if part == "unet" else _OLD_TEXT_LAYERS).get(last, last)
    ways += [f"{beginning}.{last}", f"{beginning}.{last}".removeprefix("text_model.")]
    return next(((part, way) for way in ways if way in layers[part]), None)


def _check_shape(pair: _Pair, layer: Any, path: str, name: str) -> None:
    """The matrices as the layer takes them (a 1 x 1 convolution may be stored as a matrix, and the other way round)."""
    assert pair.down is not None
    assert pair.up is not None
    if isinstance(layer, torch.nn.Conv2d):
        wanted = (layer.in_channels, layer.out_channels)
        if pair.down.ndim == 2:
            pair.down = pair.down[:, :, None, None]
        if pair.up.ndim == 2:
            pair.up = pair.up[:, :, None, None]
        fits = tuple(pair.down.shape[2:]) == tuple(layer.kernel_size) and tuple(pair.up.shape[2:]) == (1, 1)
    else:
        wanted = (layer.in_features, layer.out_features)
        pair.down, pair.up = pair.down.flatten(1), pair.up.flatten(1)
        fits = True
    given = (int(pair.down.shape[1]), int(pair.up.shape[0]))
    if given != wanted or not fits or pair.up.shape[1] != pair.rank:
        raise ModelError(
            f"The LoRA “{name}” does not fit this model: its part {path} is for {given[0]} x {given[1]} numbers, "
            f"the model's layer has {wanted[0]} x {wanted[1]}.",
            _WANTED,
        )

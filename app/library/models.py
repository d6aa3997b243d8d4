"""Finding models on disk and reading what they are from their configs and file headers, without loading them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.core.checkpoints import read_checkpoint
from app.core.errors import ModelError
from app.core.kinds import WIDTHS, XL
from app.core.request import MOST_GUIDANCE
from app.core.settings import Folders, resources
from app.core.weights import PICKLED, Header, check_weights, is_pickle
from app.library.importing import converted

log = logging.getLogger(__name__)

MODEL_PARTS = ("tokenizer", "text_encoder", "unet", "vae", "scheduler")
"""The sub-folders that a diffusers folder of Stable Diffusion v1 must have."""
DESCRIPTION = "limner.json"
"""An optional file in a model folder, or NAME.json beside a single file: name, description, native_size, guidance,
preview map, vocabulary, examples."""
USUAL_GUIDANCE = 7.0

_CONFIGS = {
    "tokenizer": ("tokenizer.json", "vocab.json"),
    "text_encoder": ("config.json",),
    "unet": ("config.json",),
    "vae": ("config.json",),
    "scheduler": ("scheduler_config.json", "config.json"),
}
"""Per part the files of which one must be there."""
_WEIGHTS = {"text_encoder": "model", "unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
"""Per part the name that its weights start with."""
_CHANNELS = (4, 9)

_OTHER_KINDS = (
    ("StableDiffusionXL", "Stable Diffusion XL"),
    ("StableDiffusion3", "Stable Diffusion 3"),
    ("Flux", "Flux"),
    ("Kandinsky", "Kandinsky"),
    ("PixArt", "PixArt"),
    ("StableCascade", "Stable Cascade"),
    ("Wuerstchen", "Würstchen"),
    ("StableVideo", "Stable Video Diffusion"),
    ("StableDiffusionUpscale", "an upscaler"),
    ("StableDiffusionLatentUpscale", "an upscaler"),
    ("StableDiffusionDepth", "a depth model"),
    ("StableDiffusionInstructPix2Pix", "InstructPix2Pix"),
    ("StableDiffusionControlNet", "a ControlNet pipeline"),
)
"""Beginnings of pipeline class names that are not Stable Diffusion v1. The first that fits counts."""
_V1_KINDS = ("StableDiffusion", "LatentConsistencyModel")
_WANTED = "Choose a Stable Diffusion v1 model."
_AGAIN = "Copy or download the model again."


@dataclass(frozen=True)
class Problem:
    """Something among the models that cannot be used, and why."""

    path: Path
    error: ModelError


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that can be used, as far as its files tell: a folder, or a single file.

    ``id`` is ``str(path)`` and what a Request names. ``channels``: inputs of the UNet, 4, or 9 for a model made for
    inpainting. ``native_size``: side in pixels of the squares it was trained on. ``vocabulary``: the words a small
    model knows, empty for one that knows the language.
    """

    id: str
    name: str
    path: Path
    channels: int
    native_size: int
    starter: bool = False
    description: str = ""
    example_prompts: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    guidance: float = USUAL_GUIDANCE
    """The CFG scale that suits it best."""


def find_models(folders: Folders, extra: Sequence[Path] = ()) -> list[Model]:
    """Every usable model, starters first, then by name: in the resources, the models folder and ``extra`` paths."""
    models, problems = survey(folders, extra)
    for problem in problems:
        log.info("%s is passed over: %s", problem.path, problem.error)
    return models


def survey(folders: Folders, extra: Sequence[Path] = ()) -> tuple[list[Model], list[Problem]]:
    """The usable models as ``find_models`` orders them, and what lies beside them that looks like a model and is
    none that can be used."""
    models: dict[str, Model] = {}
    problems = []
    for path in (*_candidates(folders), *extra):
        try:
            model = read_model(path)
        except ModelError as error:
            if not path.is_relative_to(folders.imported):  # embeddings and the like are kept there too
                problems.append(Problem(path, error))
            continue
        models.setdefault(model.id, model)
    return sorted(models.values(), key=lambda model: (not model.starter, model.name.casefold(), model.id)), problems


def resolve_model(name_or_path: str, folders: Folders) -> Model:
    """The model of this name, this file or folder name, or at this path. Raises ModelError listing what there is."""
    return read_model(locate_model(name_or_path, folders))


def locate_model(name_or_path: str, folders: Folders) -> Path:
    """Where the model of this name, or at this path, is; not yet looked into. Raises ModelError as above."""
    wanted = name_or_path.strip()
    given = Path(os.path.expanduser(wanted))  # not Path.expanduser: it raises for a user that there is not
    # A name with a separator is a path, and so is whatever looks like a model.
    if wanted and (given.name != wanted or os.path.isfile(given / "model_index.json") or _is_weights(given)):
        return given
    for path in _candidates(folders):
        if wanted in (path.name, path.stem):
            return path
    models = find_models(folders)
    for model in models:
        if wanted.casefold() in (model.name.casefold(), model.path.name.casefold(), model.path.stem.casefold()):
            return model.path
    raise ModelError(f"There is no model called “{wanted}”.", _what_there_is(models, folders))


def default_model(folders: Folders) -> Model:
    """The model to use when none is named: the first one found. Raises ModelError when there is none."""
    models = find_models(folders)
    if not models:
        raise ModelError("No model was found.", _what_there_is(models, folders))
    return models[0]


def read_model(path: Path) -> Model:
    """What the file or folder holds, after every check that needs no loading. Raises ModelError with what is wrong."""
    path = Path(os.path.expanduser(path)).absolute()
    return _read_file(path) if _is_file(path) else _read_folder(path)


def _read_folder(path: Path) -> Model:
    _check_folder(path)
    index = _json(path / "model_index.json", path)
    _check_kind(index, path)
    for part in MODEL_PARTS:
        _check_part(path, part)
    unet = _json(path / "unet" / "config.json", path)
    vae = _json(path / "vae" / "config.json", path)
    channels = _check_unet(unet, path)
    _check_text_encoder(_json(path / "text_encoder" / "config.json", path), unet, path)
    _check_vae(vae, path)
    for part, stem in _WEIGHTS.items():
        header = check_weights(path / part, stem, path.name)
        if part == "unet":
            _check_first_layer(header, channels, path)
    return _described(path, path.name, path / DESCRIPTION, channels, _native_size(unet, vae))


def _read_file(path: Path) -> Model:
    if is_pickle(path):
        raise ModelError(
            f"“{path.name}” is a pickle file, which can run programs.",
            "Add it in the model list, or name it with --model: it is converted to safetensors first.",
        )
    beside = (path, path.with_suffix(".yaml"), path.with_suffix(".json"), path.parent / "unet" / "config.json")
    channels, native_size = _facts(path, tuple(map(_stamp, beside)))
    return _described(path, path.stem, path.with_suffix(".json"), channels, native_size)


@lru_cache(maxsize=512)
def _facts(path: Path, _: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Channels and native size. A full model's header takes 30 ms, and a list of models asks for all of them each time
    it is opened; ``_`` is what changes when the file or its notes do."""
    checkpoint = read_checkpoint(path)
    return checkpoint.channels, checkpoint.native_size


def _stamp(file: Path) -> tuple[int, int]:
    try:
        facts = file.stat()
        return facts.st_size, facts.st_mtime_ns
    except OSError:
        return -1, -1


def _candidates(folders: Folders) -> Iterator[Path]:
    """The files and folders that may be models: those in the resources first, then in the models folder, one level
    deep, then what was converted. Hidden ones are half-done downloads and litter."""
    yield from (path for path in _entries(resources() / "models") if path.is_dir())
    for root in (folders.models, folders.imported):
        for path in _entries(root):
            if path.is_dir():
                inside = [] if _has_parts(path) else [file for file in _entries(path) if _is_weights(file)]
                found = inside or ([path] if _looks_like_a_model(path) else [])
            else:
                found = [path] if _is_weights(path) else []
            yield from (entry for entry in found if not _is_converted(entry, folders))


def _is_converted(path: Path, folders: Folders) -> bool:
    """A pickle whose weights are among the imported ones already."""
    return path.suffix.lower() in PICKLED and converted(path, folders).is_file()


def _entries(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name[0] not in "._")
    except OSError:
        return []
    return [folder / name for name in names]


def _looks_like_a_model(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("model_index.json", "unet"))


def _has_parts(folder: Path) -> bool:
    """A diffusers folder, and not one of configs around single files."""
    weights = (*(folder / "unet").glob("*.safetensors"), *(folder / "unet").glob("*.bin"))
    return (folder / "model_index.json").is_file() and bool(weights)


def _is_weights(path: Path) -> bool:
    return path.suffix.lower() in (".safetensors", *PICKLED) and _is_file(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _what_there_is(models: Sequence[Model], folders: Folders) -> str:
    if not models:
        return f"Put a model into {folders.models}."
    names = ", ".join(f"“{model.name}”" for model in models)
    return f"Choose one of {names}, or give the path of a model."


# Checks


def _check_folder(path: Path) -> None:
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        exists, is_folder = False, False
    if not exists:
        raise ModelError(f"There is no model “{path}”.", "Check its name, or whether it was moved.")
    if not is_folder:
        raise ModelError(f"“{path.name}” is neither a file nor a folder.", "Choose a model file or a model folder.")
    if not (path / "model_index.json").is_file():
        raise ModelError(
            f"“{path.name}” is not a model folder: it has no model_index.json.",
            "Choose the folder that holds model_index.json, unet, vae and text_encoder.",
        )


def _json(file: Path, path: Path) -> dict[str, Any]:
    inside = file.relative_to(path).as_posix()
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{inside} of the model “{path.name}” cannot be read ({error.strerror}).", _AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{inside} of the model “{path.name}” is damaged.", _AGAIN) from error
    if not isinstance(content, dict):
        raise ModelError(f"{inside} of the model “{path.name}” is damaged.", _AGAIN)
    return content


def _check_kind(index: dict[str, Any], path: Path) -> None:
    kind = index.get("_class_name")
    if not isinstance(kind, str):
        raise ModelError(f"The model “{path.name}” does not say what it is.", _WANTED)
    for beginning, label in _OTHER_KINDS:
        if kind.startswith(beginning):
            raise _other(path, label)
    if not kind.startswith(_V1_KINDS):
        raise _other(path, kind)


def _other(path: Path, what: str) -> ModelError:
    return ModelError(f"The model “{path.name}” is {what}, not Stable Diffusion v1.", _WANTED)


def _check_part(path: Path, part: str) -> None:
    if not (path / part).is_dir():
        raise ModelError(f"The model “{path.name}” lacks its part “{part}”.", _AGAIN)
    names = _CONFIGS[part]
    if not any((path / part / name).is_file() for name in names):
        raise ModelError(f"The part “{part}” of the model “{path.name}” lacks {' or '.join(names)}.", _AGAIN)


def _check_unet(unet: dict[str, Any], path: Path) -> int:
    """The number of input channels."""
    kind = unet.get("_class_name", "UNet2DConditionModel")
    if kind != "UNet2DConditionModel":
        raise _other(path, f"built on {kind}")
    if unet.get("addition_embed_type") == "text_time":
        raise _other(path, XL)
    for width in _text_widths(unet):
        if width in WIDTHS:
            raise _other(path, WIDTHS[width])
    channels = unet.get("in_channels", 4)
    if channels not in _CHANNELS:
        raise ModelError(
            f"The model “{path.name}” takes {channels} channels; Limner works with 4, or 9 for inpainting.", _WANTED
        )
    return int(channels)


def _check_text_encoder(encoder: dict[str, Any], unet: dict[str, Any], path: Path) -> None:
    hidden = encoder.get("hidden_size", 512)
    if any(width != hidden for width in _text_widths(unet)):
        raise ModelError(
            f"The parts of “{path.name}” do not belong together: its text encoder gives {hidden} numbers a word, "
            f"its UNet takes {_text_widths(unet)[0]}.",
            _AGAIN,
        )


def _text_widths(unet: dict[str, Any]) -> list[int]:
    """What the UNet listens to: one width, or one for each level."""
    width = unet.get("cross_attention_dim", 1280)  # the default of diffusers
    return [entry for entry in (width if isinstance(width, list) else [width]) if isinstance(entry, int)]


def _check_vae(vae: dict[str, Any], path: Path) -> None:
    channels = vae.get("latent_channels", 4)
    if channels != 4:
        raise ModelError(f"The VAE of “{path.name}” has {channels} channels; Stable Diffusion v1 has 4.", _WANTED)


def _check_first_layer(header: Header, channels: int, path: Path) -> None:
    """The config against the weights themselves: a config copied from another model is a common accident."""
    shape = header.shapes.get("conv_in.weight", ())
    if len(shape) == 4 and shape[1] != channels:
        raise ModelError(
            f"The UNet of “{path.name}” has {shape[1]} input channels, but its config says {channels}.",
            "Get the config.json that belongs to these weights.",
        )


# What it is


def _native_size(unet: dict[str, Any], vae: dict[str, Any]) -> int:
    """Side in pixels: the UNet's own sample size times the VAE's factor, else the VAE's sample size, else 512."""
    # AutoencoderTiny keeps one list for each direction.
    blocks = next((vae[key] for key in ("block_out_channels", "decoder_block_out_channels") if key in vae), (0,) * 4)
    factor = 2 ** (len(blocks) - 1) if isinstance(blocks, list | tuple) and blocks else 8
    return _side(unet.get("sample_size"), factor) or _side(vae.get("sample_size"), 1) or 512


def _side(sample_size: object, factor: int) -> int | None:
    """A config's sample_size, one number or height and width, as the longer side in pixels."""
    match sample_size:
        case (int(height), int(width)) if height > 0 and width > 0:
            return max(height, width) * factor
        case int(side) if side > 0:
            return side * factor
        case _:
            return None


def _described(path: Path, name: str, notes: Path, channels: int, native_size: int) -> Model:
    """The model with what the notes beside it add; damaged ones are passed over, for they are only decoration."""
    try:
        told = _json(notes, notes.parent) if notes.is_file() else {}
    except ModelError as error:
        log.info("%s", error)
        told = {}
    size = told.get("native_size")
    return Model(
        id=str(path),
        name=_text(told.get("name")) or name,
        path=path,
        channels=channels,
        native_size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else native_size,
        starter=path.parent == (resources() / "models").absolute(),
        description=_text(told.get("description")),
        example_prompts=_texts(told.get("example_prompts")),
        vocabulary=_texts(told.get("vocabulary")),
        guidance=_guidance(told.get("guidance")),
    )


def _guidance(value: object) -> float:
    if isinstance(value, int | float) and 1.0 <= value <= MOST_GUIDANCE:
        return float(value)
    return USUAL_GUIDANCE


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(text for text in map(_text, items) if text)

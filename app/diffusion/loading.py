"""What loading from folders and from single files share: errors in words, weights that are whole, finite and ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import transformers

from app.core.checkpoints import read_config
from app.core.errors import ModelError, is_out_of_memory
from app.diffusion.reading import Settle, Source, check_finite

log = logging.getLogger(__name__)

diffusers.utils.logging.disable_progress_bar()
transformers.utils.logging.disable_progress_bar()

PREDICTIONS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a model is made of, before anybody has looked whether the parts fit together. ``told``: what Limner keeps
    beside a model (name, preview map, native size); may be empty."""

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    schedule: dict[str, Any]
    told: dict[str, Any]


def part(model: str, name: str, load: Callable[[], Any]) -> Any:
    """Load one part of ``model``; what the libraries raise becomes one sentence naming it, with the cause chained."""
    try:
        return load()
    except ModelError:
        raise
    except FileNotFoundError as error:
        raise missing(model, name) from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        log.info("loading %s of %s failed", name, model, exc_info=True)
        raise ModelError(
            f"The {name.replace('_', ' ')} of the model “{model}” cannot be read ({short(error)}).",
            "The file is damaged or of another kind; download or copy the model again.",
        ) from error


def missing(model: str, name: str) -> ModelError:
    return ModelError(
        f"The model “{model}” is incomplete: its {name.replace('_', ' ')} is missing.",
        f"Download or copy the model again so that it has a folder “{name}”.",
    )


def short(error: Exception) -> str:
    """The first line of what a library says."""
    lines = str(error).strip().splitlines()
    first = lines[0].rstrip(".: ") if lines else type(error).__name__
    return first if len(first) <= 160 else first[:157] + "…"


def complete(network: Any) -> Any:
    """The network itself. Raises ValueError where a weight is lacking: it stays on the meta device then, and copying it
    later fails without naming it."""
    lacking = [name for name, value in network.named_parameters() if value.is_meta]
    if lacking:
        raise ValueError(f"{len(lacking)} weights are missing, {lacking[0]} the first")
    return network


def checked(network: Any) -> Any:
    """The network itself. Raises ValueError where a weight is lacking or no number; one that is NaN makes pictures
    black without a word."""
    for name, value in complete(network).named_parameters():
        check_finite(name, value)
    return network


def settled(part: str, network: Any, files: Sequence[Path], settle: Settle) -> Any:
    """The network itself, its weights out of ``files`` and in memory. Raises ValueError where one is lacking or no
    number, and whatever reading does."""
    with Source(files) as source:
        settle(part, complete(network), source.read)
        source.read_rest(network)
    return network


def checked_schedule(config: dict[str, Any]) -> dict[str, Any]:
    """The noise levels and what the UNet predicts, tried on one scheduler so that nonsense is found here."""
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise ValueError(f"it predicts “{prediction}”, which Limner does not know")
    if prediction == "epsilon" and config.get("rescale_betas_zero_snr"):
        # at a level without signal the noise is the input itself: nothing can be learned there, or painted from it
        config = config | {"rescale_betas_zero_snr": False}
    diffusers.DDIMScheduler.from_config(config, clip_sample=False).set_timesteps(1)
    return config


def told_beside(file: Path) -> dict[str, Any]:
    """What Limner keeps beside a model; a model without it, or with a broken one, works too."""
    try:
        return read_config(file)
    except (OSError, ValueError) as error:
        log.debug("%s tells nothing: %s", file, error)
        return {}

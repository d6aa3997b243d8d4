"""What loading from folders and from single files share: errors in words, weights that are whole, finite and ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from app.core.checkpoints import read_config
from app.core.errors import ModelError, is_out_of_memory

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


def checked(network: Any) -> Any:
    """The network itself. Raises ValueError where a weight is lacking or no number.

    A weight that the file lacks stays on the meta device, and copying it later fails without naming it; one that is
    NaN makes pictures black without a word.
    """
    lacking = [name for name, value in network.named_parameters() if value.is_meta]
    if lacking:
        raise ValueError(f"{len(lacking)} weights are missing, {lacking[0]} the first")
    for name, value in network.named_parameters():
        check_finite(name, value)
    return network


def check_finite(name: str, value: torch.Tensor) -> None:
    """Raises ValueError. A sum carries every NaN and is quicker than a look at each number."""
    if not value.is_floating_point():
        return
    if value.element_size() == 1:
        value = value.float()  # eight bits can be stored and not summed
    if not bool(torch.isfinite(value.sum(dtype=torch.float32))) and not bool(torch.isfinite(value.float()).all()):
        raise ValueError(f"the weights {name} hold values that are no numbers")


def owned(network: Any) -> Any:
    """The network itself, its weights copied out of the file that they are mapped from.

    A mapped weight dies with its file: the process is killed without a word (SIGBUS) when the file is cut short or
    overwritten, or its disk unplugged, and Windows lets nobody replace or delete it meanwhile. The copy was measured to
    cost 0.6 s of one core a GB, once, and no memory in the end: every step reads all weights, so the mapped pages
    would be kept as well. That is little enough to do it on every disk, and not to guess which one may go away.
    """
    with torch.no_grad():
        for value in (*network.parameters(), *network.buffers()):
            value.data = value.data.clone()
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

"""The sampler table: what the person chooses, and which diffusers scheduler with which options does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.core.errors import RequestError

Option = str | bool | int | float


def _options(**options: Option) -> Mapping[str, Option]:
    return MappingProxyType(options)


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """One row: ``scheduler`` names a class of diffusers, ``options`` override the model's own scheduler config,
    ``step_options`` go into every step."""

    id: str
    label: str
    scheduler: str
    options: Mapping[str, Option] = field(default_factory=_options)
    step_options: Mapping[str, Option] = field(default_factory=_options)
    most_steps: int = 1000

    def __reduce__(self) -> tuple[object, ...]:
        return sampler, (self.id,)


_ROWS = (
    Sampler(id="dpmpp_2m", label="DPM++ 2M", scheduler="DPMSolverMultistepScheduler"),
    Sampler(
        id="dpmpp_2m_karras",
        label="DPM++ 2M Karras",
        scheduler="DPMSolverMultistepScheduler",
        options=_options(use_karras_sigmas=True),
    ),
    Sampler(
        id="dpmpp_2m_sde",
        label="DPM++ 2M SDE",
        scheduler="DPMSolverMultistepScheduler",
        options=_options(algorithm_type="sde-dpmsolver++"),
    ),
    Sampler(
        id="dpmpp_2m_sde_karras",
        label="DPM++ 2M SDE Karras",
        scheduler="DPMSolverMultistepScheduler",
        options=_options(algorithm_type="sde-dpmsolver++", use_karras_sigmas=True),
    ),
    Sampler(id="euler", label="Euler", scheduler="EulerDiscreteScheduler"),
    Sampler(id="euler_a", label="Euler a", scheduler="EulerAncestralDiscreteScheduler"),
    Sampler(id="heun", label="Heun", scheduler="HeunDiscreteScheduler"),
    Sampler(id="dpm2", label="DPM2", scheduler="KDPM2DiscreteScheduler"),
    Sampler(id="ddim", label="DDIM", scheduler="DDIMScheduler", options=_options(clip_sample=False)),
    Sampler(id="pndm", label="PNDM (PLMS)", scheduler="PNDMScheduler", options=_options(skip_prk_steps=True)),
    Sampler(id="unipc", label="UniPC", scheduler="UniPCMultistepScheduler"),
    # LCM walks a table of 50 steps distilled from 1000: it cannot take more (arXiv 2310.04378).
    Sampler(id="lcm", label="LCM", scheduler="LCMScheduler", most_steps=50),
    # TCD walks the same table; eta is the paper's gamma, how much of each step is drawn anew (arXiv 2402.19159).
    Sampler(id="tcd", label="TCD", scheduler="TCDScheduler", step_options=_options(eta=0.3), most_steps=50),
)
SAMPLERS: Mapping[str, Sampler] = MappingProxyType({row.id: row for row in _ROWS})
DEFAULT_SAMPLER = "dpmpp_2m"


def sampler(id: str) -> Sampler:
    """The row with this id. Raises RequestError naming the known ids."""
    try:
        return SAMPLERS[id]
    except KeyError:
        known = ", ".join(SAMPLERS)
        raise RequestError(f"There is no sampler called “{id}”.", f"Choose one of: {known}.") from None

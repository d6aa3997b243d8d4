"""Params: what the person has set in the panels, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from app.core.additions import EmbeddingUse, LoraUse
from app.core.beginning import Beginning
from app.core.geometry import Size
from app.core.request import FrameChoice
from app.core.samplers import DEFAULT_SAMPLER
from app.core.seam import Seam
from app.core.variation import Variation


class Intent(Enum):
    """What the person wants done; the value is the word on the button."""

    GENERATE = "Generate"
    REFINE = "Refine"
    INPAINT = "Inpaint"


@dataclass(frozen=True, kw_only=True)
class Params:
    """Everything in the panels that goes into a Request. ``size`` counts for Generate only; a picture has its own.

    ``seam`` and ``frame`` count for Inpaint only. What is added to the model and how it is guided is as in a Request.
    ``model`` is the path of a model folder, empty while none is known. ``count``: pictures at once, to choose from.
    ``seed_locked``: keep the seed from job to job. ``variation``, ``beginnings`` and ``stop_at`` are as in a Request.
    """

    prompt: str = ""
    negative: str = ""
    intent: Intent = Intent.GENERATE
    strength: float = 0.65
    inpaint_strength: float = 1.0
    guidance: float = 5.0
    steps: int = 20
    sampler: str = DEFAULT_SAMPLER
    seed: int = 0
    variation: Variation = field(default_factory=Variation)
    count: int = 1
    seed_locked: bool = False
    size: Size = field(default_factory=lambda: Size(512, 512))
    model: str = ""
    seam: Seam = field(default_factory=Seam)
    frame: FrameChoice = FrameChoice.AUTO
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    clip_skip: int = 1
    draft: bool = False
    loras: tuple[LoraUse, ...] = ()
    embeddings: tuple[EmbeddingUse, ...] = ()
    vae: str = ""
    beginnings: tuple[Beginning, ...] = ()
    stop_at: int = 0

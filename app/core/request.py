"""The Request: everything that decides a picture, as a frozen value that is checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.additions import EmbeddingUse, LoraUse, check_additions
from app.core.beginning import SAID, Beginning, check_beginnings
from app.core.errors import RequestError
from app.core.geometry import Rect, Size
from app.core.prompt import MOST_WEIGHT, heaviest
from app.core.samplers import DEFAULT_SAMPLER, sampler
from app.core.seam import Seam
from app.core.trail import Branch, Resume
from app.core.variation import MOST_SEED as _MOST_SEED
from app.core.variation import Variation

Pixels = NDArray[np.uint8]
"""H x W x 3, sRGB."""
Mask = NDArray[np.uint8]
"""H x W: 0 keeps the pixel, 255 repaints it fully, between them it joins later."""

MOST_SEED = _MOST_SEED
MOST_STEPS = 1000
MOST_SIDE = 16384
MOST_GUIDANCE = 100.0
MOST_PROMPT = 100_000
MOST_COUNT = 64


class FrameChoice(Enum):
    """Which part of the picture the model is given. ``AUTO`` plans it from the mask and the model's native size,
    ``PARTS`` too, one for each part of the mask that is far from the others."""

    WHOLE = "whole"
    AUTO = "auto"
    PARTS = "parts"


Frame = FrameChoice | Rect


@dataclass(frozen=True)
class TextToImage:
    """Paint from the prompt alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageToImage:
    """Start from ``image``; ``strength`` 0..1 is how far the result may leave it (denoising strength)."""

    image: Pixels
    strength: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", _read_only(self.image))
        _check_pixels(self.image)
        _check_strength(self.strength)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ImageToImage)
            and self.strength == other.strength
            and np.array_equal(self.image, other.image)
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        _restore(self, state)

    __hash__ = None  # type: ignore[assignment]  # holds an array


@dataclass(frozen=True, kw_only=True, eq=False)
class Inpaint:
    """Repaint ``image`` where ``mask`` says so; the model's channel count decides how, ``seam`` how it joins."""

    image: Pixels
    mask: Mask
    strength: float = 1.0
    seam: Seam = field(default_factory=Seam)

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", _read_only(self.image))
        object.__setattr__(self, "mask", _read_only(self.mask))
        _check_pixels(self.image)
        _check_strength(self.strength)
        _check_mask(self.mask, self.image)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Inpaint)
            and self.strength == other.strength
            and self.seam == other.seam
            and np.array_equal(self.image, other.image)
            and np.array_equal(self.mask, other.mask)
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        _restore(self, state)

    __hash__ = None  # type: ignore[assignment]  # holds arrays


Task = TextToImage | ImageToImage | Inpaint


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything that decides the picture: the same Request and model file give the same picture.

    ``model``: path of a model folder or file. ``size`` is what comes out, for a task with an image the image's own.
    ``count`` candidates are painted, with the seeds ``seed``, ``seed + 1`` and so on, each as a Request of its own
    would paint it; where a ``variation`` is mixed in, it is its seed that counts on. ``guidance`` is the CFG scale: 1
    turns CFG off. ``clip_skip`` counts the text encoder's layers from its end: 1 listens to the last, 2 to the one
    before it. ``guidance_interval``: the part of the way from noise (0) to picture (1) on which CFG works; elsewhere a
    step costs half. ``draft``: most of the model is computed at every third step only, which is quicker and another
    picture. ``vae``: path of one in place of the model's own, empty for that. ``beginnings``: the first steps where
    they are painted with other words. ``stop_at``: how many model evaluations are done, after which the picture is what
    the model takes for the finished one; 0: all. ``resume``: a kept step of an earlier run to go on from or to look at,
    so that what leads there need not be painted again; its frame is then the frame. Raises RequestError when a value
    cannot be worked with.
    """

    prompt: str
    model: str
    size: Size
    negative: str = ""
    seed: int = 0
    variation: Variation = field(default_factory=Variation)
    count: int = 1
    steps: int = 20
    guidance: float = 7.0
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    sampler: str = DEFAULT_SAMPLER
    clip_skip: int = 1
    draft: bool = False
    loras: tuple[LoraUse, ...] = ()
    embeddings: tuple[EmbeddingUse, ...] = ()
    vae: str = ""
    task: Task = field(default_factory=TextToImage)
    frame: Frame = FrameChoice.WHOLE
    beginnings: tuple[Beginning, ...] = ()
    stop_at: int = 0
    resume: Resume | None = None

    def alone(self, number: int) -> Request:
        """The Request that paints candidate ``number``, counted from 0, and nothing else."""
        if self.count == 1:
            return self
        if self.variation.amount > 0:
            return replace(self, variation=replace(self.variation, seed=self.variation.seed + number), count=1)
        return replace(self, seed=self.seed + number, count=1)

    def begun(self, number: int) -> Request:
        """The Request as which the steps up to the end of beginning ``number`` are painted."""
        beginning, task = self.beginnings[number], self.task
        if isinstance(task, Inpaint):
            mask = task.mask if beginning.mask is None else beginning.mask
            task = replace(task, mask=mask, seam=beginning.seam or task.seam)
        words: dict[str, Any] = {name: getattr(beginning, name) for name in SAID}
        beginnings = self.beginnings[:number]
        return replace(self, **words, task=task, beginnings=beginnings, stop_at=beginning.until, resume=None)

    def beginnings_to(self, step: int) -> tuple[Beginning, ...]:
        """How this Request's first ``step`` steps are painted, for another one that goes on from there."""
        before = tuple(beginning for beginning in self.beginnings if beginning.until < step)
        if step < 1:
            return ()
        for beginning in self.beginnings[len(before) :]:
            return (*before, replace(beginning, until=step))
        words: dict[str, Any] = {name: getattr(self, name) for name in SAID}
        of: dict[str, Any] = {"mask": self.task.mask, "seam": self.task.seam} if isinstance(self.task, Inpaint) else {}
        return (*before, Beginning(until=step, **words, **of))

    @property
    def own_seed(self) -> int:
        """The seed that tells it from the other candidates."""
        return self.variation.seed if self.variation.amount > 0 else self.seed

    def __post_init__(self) -> None:
        for field_name, name in (("prompt", "prompt"), ("negative", "negative prompt")):
            text = _clean_text(getattr(self, field_name), name)
            _check_weights(text, name)
            object.__setattr__(self, field_name, text)
        _check_size(self.size)
        _check_numbers(self)
        _check_frame(self)
        _check_resume(self)
        check_beginnings(self.beginnings, self.task.mask.shape if isinstance(self.task, Inpaint) else None)
        check_additions(self.loras, self.embeddings, self.vae)

    @property
    def strength(self) -> float:
        """How far the result may leave the task's picture; 1 where there is none."""
        return 1.0 if isinstance(self.task, TextToImage) else self.task.strength


def _read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The array itself when nobody can write to it, else a copy: a Request must not change under the worker."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise RequestError("A picture must be given as 8-bit pixels.", "Convert it to 8 bits a channel first.")
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _restore(task: ImageToImage | Inpaint, state: dict[str, Any]) -> None:
    """Unpickled arrays can be written to again: make them read-only as they were."""
    for value in state.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    vars(task).update(state)


def _check_pixels(image: Pixels) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise RequestError(
            f"The picture has the shape {image.shape}, not height x width x 3.", "Give a picture in RGB."
        )


def _check_strength(strength: float) -> None:
    if not (math.isfinite(strength) and 0.0 <= strength <= 1.0):
        raise RequestError(
            f"The strength is {strength}, outside 0 to 1.",
            "Choose a strength between 0 (keep the picture) and 1 (repaint it).",
        )


def _check_mask(mask: Mask, image: Pixels) -> None:
    if mask.shape != image.shape[:2]:
        shape = " x ".join(str(side) for side in reversed(mask.shape))
        raise RequestError(
            f"The mask is {shape} pixels, the picture {image.shape[1]} x {image.shape[0]}.",
            "Give a mask of exactly the picture's size.",
        )
    if not mask.any():
        raise RequestError(
            "The mask is empty: nothing is marked to be repainted.",
            "Paint over the part that should change, or refine the whole picture instead.",
        )


def _check_size(size: Size) -> None:
    for side in (size.width, size.height):
        if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= MOST_SIDE:
            raise RequestError(
                f"The size {size} cannot be painted.",
                f"Choose a width and a height between 1 and {MOST_SIDE} pixels.",
            )


def _check_numbers(request: Request) -> None:
    row = sampler(request.sampler)
    most = min(MOST_STEPS, row.most_steps)
    if not _is_int(request.steps) or not 1 <= request.steps <= most:
        raise RequestError(
            f"{request.steps} steps cannot be run with {row.label}.", f"Choose between 1 and {most} steps."
        )
    if not (math.isfinite(request.guidance) and 1.0 <= request.guidance <= MOST_GUIDANCE):
        raise RequestError(
            f"The guidance is {request.guidance}, outside 1 to {MOST_GUIDANCE:g}.",
            "Choose a guidance (CFG scale) of at least 1; 4 to 9 suits most pictures.",
        )
    first, last = request.guidance_interval
    if not (math.isfinite(first) and math.isfinite(last) and 0.0 <= first < last <= 1.0):
        raise RequestError(
            f"The guidance interval from {first} to {last} is none.",
            "Choose two numbers from 0 (noise) to 1 (picture), the smaller one first.",
        )
    if not _is_int(request.seed) or not 0 <= request.seed <= MOST_SEED:
        raise RequestError(f"The seed {request.seed} cannot be used.", f"Choose a whole number from 0 to {MOST_SEED}.")
    if not _is_int(request.count) or not 1 <= request.count <= MOST_COUNT:
        raise RequestError(
            f"{request.count} candidates cannot be painted at once.", f"Choose a count from 1 to {MOST_COUNT}."
        )
    if not _is_int(request.stop_at) or not 0 <= request.stop_at <= 2 * MOST_STEPS:
        raise RequestError(
            f"A picture cannot stop at step {request.stop_at}.", "Choose one of its steps, or 0 for all."
        )
    if request.own_seed + request.count - 1 > MOST_SEED:
        raise RequestError(
            "The seeds run past the largest one.", f"Choose a seed of at most {MOST_SEED - request.count + 1}."
        )
    if not _is_int(request.clip_skip) or request.clip_skip < 1:
        raise RequestError(
            f"The clip skip {request.clip_skip} cannot be used.",
            "Choose 1 to listen to the text encoder's last layer, 2 to the one before it.",
        )


def _check_frame(request: Request) -> None:
    task = request.task
    if isinstance(task, TextToImage):
        return
    height, width = task.image.shape[:2]
    if (width, height) != (request.size.width, request.size.height):
        raise RequestError(
            f"The picture is {width} x {height} but {request.size} was asked for.",
            "Ask for the picture's own size, or resize the picture first.",
        )
    frame = request.frame
    if isinstance(frame, Rect):
        if frame.width < 1 or frame.height < 1 or not frame.inside(request.size):
            raise RequestError(
                f"The frame {frame} does not lie on the picture of {request.size}.",
                "Move the frame inside the picture.",
            )
        if isinstance(task, Inpaint) and not task.mask[frame.slices].any():
            raise RequestError(
                "The frame holds nothing of the mask.", "Move the frame over the painted mask, or clear it."
            )


def _check_resume(request: Request) -> None:
    if request.resume is None:
        return
    trail = request.resume.trail
    if request.count != 1:
        raise RequestError("A kept step belongs to one candidate.", "Ask for one at a time.")
    for name in ("sampler", "steps", "strength", "seed", "size"):
        asked, kept = getattr(request, name), getattr(trail, name)
        if asked != kept:
            raise RequestError(
                f"The kept steps are of a run with the {name} {kept}, not {asked}.",
                f"Ask for {kept}; prompt, guidance and mask may change.",
            )
    task = request.task
    if isinstance(task, Inpaint) and isinstance(request.resume, Branch) and not task.mask[trail.box.slices].any():
        raise RequestError(
            "The mask lies outside the frame of the kept steps.", f"Paint it within {trail.box}, or start anew."
        )


def _check_weights(text: str, name: str) -> None:
    weight = heaviest(text)
    if not abs(weight) <= MOST_WEIGHT:  # also what is no number
        raise RequestError(
            f"A part of the {name} has the weight {weight:.3g}, beyond {MOST_WEIGHT:g}.",
            "Weigh it less, or put a backslash before brackets that are meant as such.",
        )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _clean_text(text: str, name: str) -> str:
    """Text that every tokenizer takes: no NUL, and lone surrogates replaced (they cannot be encoded)."""
    if len(text) > MOST_PROMPT:
        raise RequestError(
            f"The {name} has {len(text)} characters.", f"Shorten it to {MOST_PROMPT} characters at most."
        )
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")

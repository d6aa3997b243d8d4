"""A Job, what happens to it, and the Backend that does it: plain picklable values and two protocols."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.geometry import Rect, Size
from app.core.request import Mask, Pixels, Request
from app.core.trail import Trail


class JobState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (JobState.FINISHED, JobState.CANCELLED, JobState.FAILED)


class Phase(Enum):
    """What a Backend is busy with, in the order in which it happens."""

    LOADING = "Loading the model"
    ENCODING = "Reading the picture"
    DENOISING = "Painting"
    DECODING = "Finishing"


class Purpose(Enum):
    """What a Job is for: who asked for it takes its pictures, everybody else leaves them alone."""

    PICTURE = "picture"
    CELL = "cell of a grid"
    LOOK = "look at a kept step"
    LIVE = "live"
    BATCH = "one of a folder"

    @property
    def passing(self) -> bool:
        """It only shows something for the moment: never held back, never kept in the history by itself."""
        return self in (Purpose.LOOK, Purpose.LIVE)


class Place(Enum):
    """Where in the queue a new Job comes."""

    LAST = "last"
    FIRST = "first"


class Mode(Enum):
    """The way in which a Request was done."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    INPAINT_CONCAT = "inpaint-9-channel"
    INPAINT_BLEND = "inpaint-blend"


@dataclass(frozen=True, eq=False)
class Preview:
    """The clean estimate at one step, small: H x W x 4 (RGBA, alpha = how much is being repainted) and the box of
    the picture that it covers, in picture pixels."""

    pixels: NDArray[np.uint8]
    box: Rect


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What came out. ``image`` is the whole picture; only pixels inside ``box`` may differ from the source.

    ``frame``: the part of the picture that the model was given. ``working``: the size at which it computed that.
    ``steps``: model evaluations that were run. ``notes``: sentences that the person should read (that a slower way of
    working was needed, say). ``more``: the other candidates of a Request with a count; each carries the Request that
    paints it alone. ``trail``: the kept steps, to look at and to go on from. ``changed_outside``: pixels outside the
    mask that differ from the source; 0 by construction and counted all the same. ``ring``: the width in pixels, inside
    the mask's edge, over which result and source are mixed. Both are None where there is no mask. ``parts``: the
    frames, where there were several one after the other; ``frame`` then holds them all. ``blend``: how much of the
    result is mixed in, per pixel of ``box`` (H x W, 255 = wholly); None: wholly, all over the box.
    """

    image: Pixels
    request: Request
    mode: Mode
    box: Rect
    frame: Rect
    working: Size
    steps: int
    seconds: float
    seconds_per_step: float
    model_name: str
    device: str
    changed_outside: int | None = None
    ring: int | None = None
    parts: tuple[Rect, ...] = ()
    blend: Mask | None = None
    notes: tuple[str, ...] = ()
    more: tuple[Result, ...] = ()
    trail: Trail | None = None

    @property
    def candidates(self) -> tuple[Result, ...]:
        """This one and the others, by seed."""
        return replace(self, more=()), *self.more


class Hooks(Protocol):
    """What a Backend tells and asks while it works; called on the Backend's thread."""

    def cancelled(self) -> bool: ...

    def entered(self, phase: Phase) -> None: ...

    def stepped(self, step: int, total: int, preview: Preview | None) -> None: ...

    def made(self, candidate: Result) -> None:
        """A candidate is finished, while others may follow; called for each, in the order of the Result's."""


class Backend(Protocol):
    """Does Requests, one at a time. ``run`` blocks; it raises Cancelled or UserError, EngineLostError among
    them, anything else is a bug."""

    def run(self, request: Request, hooks: Hooks) -> Result: ...


@dataclass(frozen=True)
class Started:
    job_id: int


@dataclass(frozen=True)
class Entered:
    job_id: int
    phase: Phase


@dataclass(frozen=True, eq=False)
class Stepped:
    job_id: int
    step: int
    total: int
    preview: Preview | None


@dataclass(frozen=True, eq=False)
class Made:
    """A candidate of the job is finished, while others may follow."""

    job_id: int
    candidate: Result


@dataclass(frozen=True, eq=False)
class Finished:
    job_id: int
    result: Result


@dataclass(frozen=True)
class Stopped:
    """The job was cancelled and nothing of it is left."""

    job_id: int


@dataclass(frozen=True)
class Failed:
    """``message`` and ``remedy`` are for the person; ``details`` is the trace, empty for a UserError. ``trail``: all
    the steps of a run that lacks nothing but the picture. ``lost``: the engine went away, through no fault of the
    Request."""

    job_id: int
    message: str
    remedy: str
    details: str = ""
    trail: Trail | None = None
    lost: bool = False


Event = Started | Entered | Stepped | Made | Finished | Stopped | Failed


@dataclass
class Job:
    """A Request with a state. Owned by the JobQueue, which alone changes it. Jobs of one ``group`` (0: none) were
    asked for together; ``title`` is what they are called then."""

    id: int
    request: Request
    purpose: Purpose = Purpose.PICTURE
    group: int = 0
    title: str = ""
    state: JobState = JobState.QUEUED
    phase: Phase | None = None
    step: int = 0
    total: int = 0
    made: int = 0  # candidates that are finished
    step_times: list[float] = field(default_factory=list)
    cancel_asked: bool = False

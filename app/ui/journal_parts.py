"""What stands beside the document in the journal: settings, candidates and waiting jobs, as plain values and back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import UserError
from app.core.job import Result
from app.core.params import Params
from app.core.record import Reader, Unusable, plain_of
from app.core.request import ImageToImage, Inpaint, Request
from app.core.samplers import SAMPLERS
from app.document.document import Origin
from app.library.journal.entries import Told
from app.ui.candidates import Candidate, earlier_job
from app.ui.params import LEAST_SIDE, MOST_COUNT, MOST_GUIDANCE, MOST_SIDE, MOST_STEPS

log = logging.getLogger(__name__)

PARAMS, CANDIDATES, QUEUE, NAME, CLOSED = "params", "candidates", "queue", "name", "closed"

Arrays = Sequence[NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Waiting:
    """A job that has not ended. ``origin``: the picture that was open when it was asked for."""

    request: Request
    origin: Origin


def told(name: str, value: Any) -> Told:
    """A part, with its arrays beside it; an array that comes twice is there once."""
    arrays: list[NDArray[Any]] = []
    numbers: dict[int, int] = {}

    def describe(array: NDArray[Any]) -> Any:
        if id(array) not in numbers:
            numbers[id(array)] = len(arrays)
            arrays.append(array)
        return {"array": numbers[id(array)]}

    return Told(name, plain_of(value, describe), tuple(arrays))


def told_candidates(waiting: Sequence[Candidate], number: int) -> Told:
    return told(CANDIDATES, (number, [replace(one, result=replace(one.result, more=())) for one in waiting]))


def params_from(value: Any, arrays: Arrays) -> Params | None:
    """None where there is nothing usable; what does not fit into the panels is brought into them."""
    params: Params | None = made(Params, value, arrays)
    if params is None:
        return None
    size = replace(
        params.size,
        width=min(MOST_SIDE, max(LEAST_SIDE, params.size.width)),
        height=min(MOST_SIDE, max(LEAST_SIDE, params.size.height)),
    )
    return replace(
        params,
        size=size,
        steps=min(MOST_STEPS, params.steps),
        count=min(MOST_COUNT, max(1, params.count)),
        guidance=min(MOST_GUIDANCE, params.guidance),
        sampler=params.sampler if params.sampler in SAMPLERS else Params().sampler,
    )


def candidates_from(value: Any, arrays: Arrays) -> tuple[int, list[Candidate]]:
    """Which one is shown, and all that are whole."""
    match value:
        case [int(number), list(plains)]:
            found = [made(Candidate, plain, arrays) for plain in plains]
            whole = [one for one in found if one is not None and is_whole(one.result)]
            return number, [replace(one, job_id=earlier_job()) for one in whole]  # no job of this run
    return 0, []


def queue_from(value: Any, arrays: Arrays) -> list[Waiting]:
    if not isinstance(value, list):
        return []
    found = [made(Waiting, plain, arrays) for plain in value]
    return [one for one in found if one is not None]


def is_whole(result: Result) -> bool:
    """Its picture is one, and fits what it was painted from."""
    height, width = result.image.shape[:2] if result.image.ndim == 3 else (0, 0)
    box, task = result.box, result.request.task
    fits = box.x >= 0 and box.y >= 0 and box.right <= width and box.bottom <= height
    source = task.image.shape == result.image.shape if isinstance(task, ImageToImage | Inpaint) else True
    return bool(fits and source and result.image.shape[2:] == (3,) and result.image.dtype == np.uint8)


def made(kind: type[Any], plain: Any, arrays: Arrays) -> Any:
    """A value of the dataclass ``kind``; None for what cannot be made."""

    def array(described: object) -> NDArray[Any]:
        match described:
            case {"array": int(number)} if 0 <= number < len(arrays):
                return arrays[number]
        raise Unusable

    try:
        return Reader(array).made(kind, plain, {})
    except (ValueError, TypeError, UserError) as error:
        log.info("a %s of the journal cannot be used: %s", kind.__name__, error)
        return None

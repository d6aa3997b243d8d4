"""Recipe: the settings that can be taken over from a picture, some or all, with its source and mask where known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from app.core.params import Intent, Params
from app.core.record import Unpacked
from app.core.request import FrameChoice, ImageToImage, Inpaint, Mask, Pixels, Request, Task, TextToImage

PARAMS = frozenset(param.name for param in dataclasses.fields(Params))
_ELSEWHERE = frozenset({"model", "task", "frame"})
"""Fields of a Request that no parameter stands for, or in another way."""
_PIXELS = frozenset({"image", "mask", "strength"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """``values``: by the names of Params, ready for ParamStore.update. ``model_name``: what painted it, if told.

    ``source`` and ``mask`` are what it was painted from, where that is known. ``exact``: nothing is missing, so that
    the same model paints the same picture again. ``notes``: sentences on what could not be taken over.
    ``hashes``: how the
    files that were added to the model are known again, by their names.
    """

    values: Mapping[str, Any]
    model_name: str = ""
    source: Pixels | None = None
    mask: Mask | None = None
    exact: bool = False
    notes: tuple[str, ...] = field(default=())
    hashes: Mapping[str, str] = field(default_factory=dict)


def recipe_of(unpacked: Unpacked, model_name: str) -> Recipe:
    """Everything that a whole Request tells."""
    request = unpacked.request
    source, mask = _pixels(request.task) if unpacked.complete else (None, None)
    values = params_of(request)
    if not unpacked.complete:  # what stands in for their masks must not be painted from
        values["beginnings"] = tuple(replace(beginning, mask=None) for beginning in request.beginnings)
    notes = unpacked.notes + tuple(_beyond_params(request))
    return Recipe(
        values=values,
        model_name=model_name,
        source=source,
        mask=mask,
        exact=unpacked.complete and not notes,
        notes=notes,
    )


def params_of(request: Request) -> dict[str, Any]:
    """The parameters that lead to this Request, by name. Fields of the Request and its task that have the name of a
    parameter are that parameter."""
    values = _shared(request, _ELSEWHERE) | _shared(request.task, frozenset({"strength"}))
    task = request.task
    match task:
        case TextToImage():
            values["intent"] = Intent.GENERATE
        case ImageToImage(strength=strength):
            values |= {"intent": Intent.REFINE, "strength": strength}
        case Inpaint(strength=strength):
            values |= {"intent": Intent.INPAINT, "inpaint_strength": strength}
            if isinstance(request.frame, FrameChoice):
                values["frame"] = request.frame
        case _:
            assert_never(task)
    if not isinstance(task, TextToImage):
        del values["size"]  # the source's own
    return values | {"seed_locked": True}


def _beyond_params(request: Request) -> Iterator[str]:
    """What decided the picture and cannot be set in the panels."""
    for value, known in ((request, _ELSEWHERE), (request.task, _PIXELS)):
        for item in dataclasses.fields(value):
            if item.name not in PARAMS | known and getattr(value, item.name) != _default(item):
                yield f"It was painted with another {item.name.replace('_', ' ')} than can be set here."
    usual = FrameChoice.WHOLE if isinstance(request.task, TextToImage) else FrameChoice.AUTO
    chosen = isinstance(request.task, Inpaint) and isinstance(request.frame, FrameChoice)
    if request.frame is not usual and not chosen:
        yield "It was painted in a frame that was chosen by hand, which cannot be set here."


def _default(item: dataclasses.Field[Any]) -> object:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return item.default


def _shared(value: Any, without: frozenset[str]) -> dict[str, Any]:
    names = {item.name for item in dataclasses.fields(value)} & PARAMS - without
    return {name: getattr(value, name) for name in names}


def _pixels(task: Task) -> tuple[Pixels | None, Mask | None]:
    match task:
        case TextToImage():
            return None, None
        case ImageToImage(image=image):
            return image, None
        case Inpaint(image=image, mask=mask):
            return image, mask
        case _:
            assert_never(task)

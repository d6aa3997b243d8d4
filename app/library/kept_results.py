"""Results as files and back: the picture as a PNG that tells how it was made, and a few facts beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core import record
from app.core.errors import PictureError
from app.core.geometry import Rect, Size
from app.core.job import Mode, Result
from app.core.request import Inpaint, Mask
from app.library.decoding import decode_layers
from app.library.metadata import read_parts, read_told, told
from app.library.pictures import decode_picture, encode_png
from app.library.saving import png_bytes

Facts = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class PackedResult:
    """``png`` brings its source and mask along, ``blend`` is a PNG of how the result was mixed in, ``facts`` is what
    JSON can hold of the rest."""

    png: bytes
    blend: bytes | None
    facts: Facts


def packed_result(result: Result) -> PackedResult:
    """What becomes files of a result."""
    facts = {
        "box": _numbers(result.box),
        "steps": result.steps,
        "seconds_per_step": result.seconds_per_step,
        "changed_outside": result.changed_outside,
        "ring": result.ring,
        "parts": [_numbers(part) for part in result.parts],
        "notes": list(result.notes),
    }
    blend = encode_png(result.blend) if result.blend is not None else None
    return PackedResult(png_bytes(result.image, told(result)), blend, facts)


def unpacked_result(packed: PackedResult, name: str) -> Result:
    """The result again. Its Request names no model: that is for whoever knows the models here.

    Raises PictureError for what is none.
    """
    facts = packed.facts
    pixels = decode_picture(packed.png, name).pixels
    found = read_told(packed.png)
    try:
        if found is None:
            raise ValueError("it tells nothing")
        plain = json.loads(found.record)
        unpacked = record.unpack(plain, read_parts(found), pixels, model="")
        if not unpacked.complete:
            raise ValueError("its source or mask is missing")
        size = Size(pixels.shape[1], pixels.shape[0])
        seconds = float(plain.get("seconds", 0.0))
        box = _box(facts["box"], size)
        return Result(
            image=pixels,
            request=unpacked.request,
            mode=Mode(plain["mode"]),
            box=box,
            frame=_box(plain["frame"], size, anywhere=True),
            working=Size(*(max(1, int(side)) for side in plain["working"])),
            steps=int(facts["steps"]),
            seconds=seconds,
            seconds_per_step=float(facts["seconds_per_step"]),
            model_name=str(plain.get("model", ""))[:200],
            device="",
            changed_outside=_count(facts.get("changed_outside"), unpacked.request.task),
            ring=_count(facts.get("ring"), unpacked.request.task),
            parts=tuple(_box(part, size, anywhere=True) for part in facts.get("parts", ())),
            blend=_blend(packed.blend, box, name),
            notes=tuple(str(note)[:500] for note in facts.get("notes", ())),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise PictureError(f"“{name}” does not tell how it was made.", "Paint it again.") from error


def _blend(png: bytes | None, box: Rect, name: str) -> Mask | None:
    """H x W of the box. Raises ValueError, PictureError."""
    if png is None:
        return None
    blend: Mask = np.ascontiguousarray(decode_layers(png, name, managed=False).colour[..., 0])
    if blend.shape != (box.height, box.width):
        raise ValueError("its blend mask does not fit")
    blend.flags.writeable = False
    return blend


def _numbers(box: Rect) -> list[int]:
    return [box.x, box.y, box.width, box.height]


def _box(plain: Any, size: Size, *, anywhere: bool = False) -> Rect:
    """Raises ValueError, TypeError. ``anywhere``: it may leave the picture, as the frame of a small one does."""
    x, y, width, height = (int(number) for number in plain)
    box = Rect(x, y, width, height)
    if width < 0 or height < 0 or not (anywhere or box.inside(size)):
        raise ValueError(f"{box} does not lie on {size}")
    return box


def _count(plain: Any, task: object) -> int | None:
    return int(plain) if isinstance(task, Inpaint) and plain is not None else None

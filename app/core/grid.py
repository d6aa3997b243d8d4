"""Grid: one Request painted many times, with one or two of its values changing from cell to cell."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.core.errors import RequestError
from app.core.request import Request, TextToImage
from app.core.samplers import SAMPLERS

MOST_CELLS = 144
_MOST_VALUES = 48
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*[-–]\s*({_NUMBER})\s*(?:\(\s*\+?\s*({_NUMBER})\s*\)|\[\s*(\d+)\s*\])?")

Value = int | float | str


@dataclass(frozen=True)
class AxisKind:
    """What can change along a side of the grid. ``parse`` reads its values from what was typed and raises
    RequestError; ``put`` gives the Request with one of them, of all the ``values``."""

    id: str
    label: str
    hint: str
    parse: Callable[[str], tuple[Value, ...]]
    put: Callable[[Request, Value, tuple[Value, ...]], Request]


@dataclass(frozen=True)
class Axis:
    """One side of the grid."""

    kind: AxisKind
    values: tuple[Value, ...]

    def label(self, number: int) -> str:
        value = self.values[number]
        if self.kind.id == "sampler":
            return SAMPLERS[str(value)].label
        text = f"{value:g}" if isinstance(value, float) else str(value)
        return text if self.kind.id == "words" else f"{self.kind.label} {text}"


@dataclass(frozen=True)
class Grid:
    """``cells``: the Requests, row by row; across ``x`` changes, downwards ``y`` if there is one."""

    x: Axis
    y: Axis | None
    cells: tuple[tuple[Request, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.x.label(number) for number in range(len(self.x.values)))

    @property
    def rows(self) -> tuple[str, ...]:
        return ("",) if self.y is None else tuple(self.y.label(number) for number in range(len(self.y.values)))

    @property
    def title(self) -> str:
        names = [axis.kind.label.lower() for axis in (self.x, self.y) if axis is not None]
        return f"Grid: {' × '.join(names)}"


def read_axis(id: str, text: str) -> Axis:
    """The axis that was typed. Raises RequestError with a sentence on what cannot be read."""
    kind = AXES[id]
    values = kind.parse(text)
    if not values:
        raise RequestError(f"{kind.label}: there are no values.", f"Type some, such as {kind.hint}.")
    if len(values) > _MOST_VALUES:
        raise RequestError(f"{kind.label}: {len(values)} values are too many.", f"Take {_MOST_VALUES} at most.")
    return Axis(kind, values)


def make_grid(request: Request, x: Axis, y: Axis | None) -> Grid:
    """Every cell as a Request of one picture. Raises RequestError where one of them cannot be painted."""
    if y is not None and y.kind is x.kind:
        raise RequestError(f"Both sides change the {x.kind.label.lower()}.", "Choose something else for one of them.")
    count = len(x.values) * (1 if y is None else len(y.values))
    if count > MOST_CELLS:
        raise RequestError(f"{count} pictures are too many for a sheet.", f"Ask for {MOST_CELLS} at most.")
    base = replace(request, count=1, resume=None)
    rows = [base] if y is None else [y.kind.put(base, value, y.values) for value in y.values]
    return Grid(x, y, tuple(tuple(x.kind.put(row, value, x.values) for value in x.values) for row in rows))


# Reading values


def _numbers(text: str, whole: bool, name: str) -> tuple[Value, ...]:
    """``1, 2, 5``, ``1-10``, ``1-10 (+2)``, ``0-1 [5]``, and lists of them."""
    values: list[float] = []
    for part in (part.strip() for part in text.replace(";", ",").split(",")):
        if not part:
            continue
        values += _one_or_many(part, whole, name)
        if len(values) > 10 * _MOST_VALUES:
            break
    return tuple(dict.fromkeys(int(value) if whole else round(value, 6) for value in values))


def _one_or_many(part: str, whole: bool, name: str) -> list[float]:
    if re.fullmatch(_NUMBER, part):
        value = float(part)
        return [_whole(value, part, name) if whole else value]
    match = _RANGE.fullmatch(part)
    if match is None:
        raise RequestError(
            f"{name}: “{part[:40]}” is not a number or a range.", "Write 1, 2, 5 or 1-10 or 1-10 (+2) or 1-10 [4]."
        )
    first, last = float(match[1]), float(match[2])
    if match[4] is not None:
        return _spread(first, last, int(match[4]), whole, name, part)
    step = float(match[3]) if match[3] is not None else (1.0 if whole else _usual_step(first, last))
    if step == 0 or not all(map(math.isfinite, (first, last, step))):
        raise RequestError(f"{name}: “{part[:40]}” never gets to its end.", "Give a step other than 0.")
    step = math.copysign(step, last - first)
    many = math.floor((last - first) / step + 1e-9) + 1
    if many > 10 * _MOST_VALUES:
        raise RequestError(f"{name}: “{part[:40]}” has {many} values.", f"Take {_MOST_VALUES} at most.")
    values = [first + number * step for number in range(many)]
    return [_whole(value, part, name) for value in values] if whole else values


def _spread(first: float, last: float, many: int, whole: bool, name: str, part: str) -> list[float]:
    if not 1 <= many <= _MOST_VALUES:
        raise RequestError(f"{name}: “{part[:40]}” asks for {many} values.", f"Ask for 1 to {_MOST_VALUES}.")
    values = [first + (last - first) * number / max(1, many - 1) for number in range(many)]
    return [float(round(value)) for value in values] if whole else values


def _usual_step(first: float, last: float) -> float:
    """Without one being told: 1 over a wide range, 0.1 within one."""
    return 1.0 if abs(last - first) > 1 else 0.1


def _whole(value: float, part: str, name: str) -> float:
    if value != round(value):
        raise RequestError(f"{name}: “{part[:40]}” is not whole.", "Give whole numbers.")
    return value


def _samplers(text: str) -> tuple[Value, ...]:
    found: list[Value] = []
    names = {row.label.casefold(): row.id for row in SAMPLERS.values()} | {id: id for id in SAMPLERS}
    for part in (part.strip() for part in text.split(",")):
        if part and part.casefold() not in names:
            raise RequestError(
                f"There is no sampler “{part[:40]}”.",
                f"There are: {', '.join(row.label for row in SAMPLERS.values())}.",
            )
        if part:
            found.append(names[part.casefold()])
    return tuple(dict.fromkeys(found))


def _words(text: str) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(" ".join(part.split()) for part in text.split(",") if part.strip()))


# Putting values


def _put_strength(request: Request, value: Value, _: tuple[Value, ...]) -> Request:
    if isinstance(request.task, TextToImage):
        raise RequestError("A new picture has no strength.", "Refine or inpaint a picture to compare strengths.")
    return replace(request, task=replace(request.task, strength=float(value)))


def _put_seed(request: Request, value: Value, _: tuple[Value, ...]) -> Request:
    return replace(request, seed=int(value))


def _put_words(request: Request, value: Value, values: tuple[Value, ...]) -> Request:
    """The first of the words, wherever it stands in the prompt, gives way to each of them."""
    first = str(values[0])
    if first not in request.prompt:
        raise RequestError(
            f"The prompt does not have “{first[:40]}”.", "Type first what stands in the prompt, then what replaces it."
        )
    return replace(request, prompt=request.prompt.replace(first, str(value)))


_KINDS = (
    AxisKind("seed", "Seed", "1-4", lambda text: _numbers(text, True, "Seed"), _put_seed),
    AxisKind(
        "guidance",
        "Guidance",
        "3-9 (+2)",
        lambda text: _numbers(text, False, "Guidance"),
        lambda request, value, _: replace(request, guidance=float(value)),
    ),
    AxisKind("strength", "Strength", "0.3-0.9 [4]", lambda text: _numbers(text, False, "Strength"), _put_strength),
    AxisKind(
        "sampler", "Sampler", "Euler, DPM++ 2M", _samplers, lambda request, value, _: _with_sampler(request, value)
    ),
    AxisKind(
        "steps",
        "Steps",
        "10-30 (+10)",
        lambda text: _numbers(text, True, "Steps"),
        lambda request, value, _: replace(request, steps=int(value)),
    ),
    AxisKind("words", "Prompt words", "lake, forest, desert", _words, _put_words),
)
AXES = {kind.id: kind for kind in _KINDS}


def _with_sampler(request: Request, value: Value) -> Request:
    return replace(request, sampler=str(value))

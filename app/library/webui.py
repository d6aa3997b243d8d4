"""How a picture was made, as text in the form of the AUTOMATIC1111 web UI: writing it, and reading anyone's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from app.core.geometry import Size
from app.core.job import Result
from app.core.params import Intent
from app.core.recipe import PARAMS, Recipe
from app.core.request import (
    MOST_GUIDANCE,
    MOST_PROMPT,
    MOST_SEED,
    MOST_SIDE,
    MOST_STEPS,
    ImageToImage,
    Inpaint,
    Request,
)
from app.core.samplers import SAMPLERS, sampler
from app.core.trail import Branch
from app.core.variation import Variation

KEY = "parameters"
"""The PNG text chunk that the web UI writes and most programs look for."""
MOST_TEXT = 1_000_000
"""Characters that are looked at; longer texts are no prompts."""
_NEGATIVE = "Negative prompt:"
_LEAST_FIELDS = 3
"""Fewer settings in the last line, and it is a line of the prompt: what the web UI itself goes by."""
_NAME = re.compile(r"\s*([\w][\w /.-]{0,60}):[ \t]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def parameters(result: Result) -> str:
    """Prompt, negative prompt and one line of settings. It names the model but no path: pictures are given away."""
    return in_words(result.request, result.model_name)


def in_words(request: Request, model_name: str) -> str:
    """The same of a Request, done or not."""
    lines = [request.prompt]
    if request.negative:
        lines.append(f"{_NEGATIVE} {request.negative}")
    fields = {
        "Steps": request.steps,
        "Sampler": sampler(request.sampler).label,
        "CFG scale": f"{request.guidance:g}",
        "Seed": request.seed,
        "Size": f"{request.size.width}x{request.size.height}",
        "Model": model_name,
    }
    if request.variation.amount > 0:
        fields["Variation seed"] = request.variation.seed
        fields["Variation seed strength"] = f"{request.variation.amount:g}"
    if isinstance(request.task, ImageToImage | Inpaint):
        fields["Denoising strength"] = f"{request.task.strength:g}"
    if request.beginnings:
        fields["From step"] = str(request.beginnings[-1].until)
    elif isinstance(request.resume, Branch):
        fields["From step"] = str(request.resume.step)
    if request.stop_at:
        fields["Shown at step"] = str(request.stop_at)
    if request.clip_skip > 1:
        fields["Clip skip"] = str(request.clip_skip)
    lines.append(", ".join(f"{name}: {_quoted(str(value))}" for name, value in fields.items()))
    return "\n".join(lines)


def _quoted(value: str) -> str:
    """Values holding a separator are written as JSON strings, as the web UI does."""
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ",:\n") else value


def parse(text: str) -> Recipe | None:
    """What the text says that Limner knows; None when it is no such text. Never raises, whatever the text is."""
    if len(text) > MOST_TEXT:
        return None
    head, fields = _split(text.replace("\r\n", "\n").replace("\0", " ").rstrip())
    if not fields:
        return None
    prompt, negative = _prompts(head)
    values: dict[str, Any] = {"prompt": prompt[:MOST_PROMPT], "negative": negative[:MOST_PROMPT]}
    notes: list[str] = []
    for name, read in _READ.items():
        if name not in fields:
            continue
        known = read(fields[name], fields)
        if known is None:
            notes.append(f"“{name}: {fields[name][:40]}” is not known here and was left out.")
        else:
            values |= known
    if "seed" in values:
        values["seed_locked"] = True
    if "Denoising strength" not in fields or "Hires upscale" in fields:
        values["intent"] = Intent.GENERATE  # else it was refined, from a picture that is not here
    kept = {name: value for name, value in values.items() if name in PARAMS}
    return Recipe(values=kept, model_name=fields.get("Model", "")[:200], notes=tuple(notes))


def _split(text: str) -> tuple[str, dict[str, str]]:
    """The prompts, and the settings of the last line; no settings when that line holds none."""
    head, _, last = text.rpartition("\n")
    fields = _fields(last)
    return (head, fields) if len(fields) >= _LEAST_FIELDS else (text, {})


def _fields(line: str) -> dict[str, str]:
    """``Name: value, Name: "quoted, value"``; what does not read like that is passed over."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(line):
        match = _NAME.match(line, at)
        if match is None:
            end = line.find(",", at)
            at = len(line) if end < 0 else end + 1
            continue
        value, at = _field_value(line, match.end())
        fields.setdefault(match[1].strip(), value)
    return fields


def _field_value(line: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(line, at)
    if quoted is not None:
        end = line.find(",", quoted.end())
        try:
            return str(json.loads(quoted[0])), len(line) if end < 0 else end + 1
        except ValueError:
            pass
    end = line.find(",", at)
    end = len(line) if end < 0 else end
    return line[at:end].strip(), end + 1


def _prompts(head: str) -> tuple[str, str]:
    if head.startswith(_NEGATIVE):
        return "", head[len(_NEGATIVE) :].removeprefix(" ")
    prompt, found, negative = head.partition(f"\n{_NEGATIVE}")
    return (prompt, negative.removeprefix(" ")) if found else (head, "")


# Settings by their names in the text: the parameters that they are, or None for what makes no sense

_Known = dict[str, Any] | None
_Read = Callable[[str, Mapping[str, str]], _Known]


def _whole(name: str, least: int, most: int) -> _Read:
    def read(text: str, _: Mapping[str, str]) -> _Known:
        if not re.fullmatch(r"[+-]?\d{1,20}", text):
            return None
        value = int(text)
        return None if name == "seed" and value < 0 else {name: min(max(value, least), most)}

    return read


def _fraction(names: tuple[str, ...], least: float, most: float) -> _Read:
    def read(text: str, _: Mapping[str, str]) -> _Known:
        if not re.fullmatch(r"[+-]?\d{0,10}\.?\d{1,20}(?:[eE][+-]?\d{1,3})?", text):
            return None
        value = float(text)
        return dict.fromkeys(names, min(max(value, least), most)) if math.isfinite(value) else None

    return read


def _size(text: str, fields: Mapping[str, str]) -> _Known:
    match = re.fullmatch(r"(\d{1,6})\s*[xX×]\s*(\d{1,6})", text)
    if match is None:
        return None
    width, height = (min(max(int(side), 1), MOST_SIDE) for side in match.groups())
    return {"size": Size(width, height)}


def _sampler(text: str, fields: Mapping[str, str]) -> _Known:
    """Newer web UIs write the noise schedule beside the sampler's name, older ones into it."""
    kind = fields.get("Schedule type", "").strip()
    spellings = (f"{text} {kind}".casefold(), text.casefold()) if kind else (text.casefold(),)
    for spelling in spellings:
        id = _SAMPLERS.get(spelling)
        if id is not None:
            return {"sampler": id}
    return None


def _variation(text: str, fields: Mapping[str, str]) -> _Known:
    """The web UI writes both or none."""
    amount = _fraction(("amount",), 0.0, 1.0)(text, fields)
    seed = _whole("seed", 0, MOST_SEED)(fields.get("Variation seed", ""), fields)
    if amount is None or seed is None:
        return None
    return {"variation": Variation(seed=seed["seed"], amount=amount["amount"])}


_SAMPLERS = {row.label.casefold(): row.id for row in SAMPLERS.values()} | {
    "plms": "pndm",
    "pndm": "pndm",
    "dpm++ 2m sde heun": "dpmpp_2m_sde",
    "dpm2": "dpm2",
    "euler ancestral": "euler_a",
}
_READ: Mapping[str, _Read] = {
    "Steps": _whole("steps", 1, MOST_STEPS),
    "Sampler": _sampler,
    "CFG scale": _fraction(("guidance",), 1.0, MOST_GUIDANCE),
    "Seed": _whole("seed", 0, MOST_SEED),
    "Variation seed strength": _variation,
    "Size": _size,
    "Denoising strength": _fraction(("strength", "inpaint_strength"), 0.0, 1.0),
    "Clip skip": _whole("clip_skip", 1, 12),
    "Shown at step": _whole("stop_at", 0, 2 * MOST_STEPS),
}

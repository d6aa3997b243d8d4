"""Names for files: safe on every system, and made of a template that the person writes."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import UserError

_MOST_BYTES = 180
"""Of one name: file systems take 255, and endings and numbers are added."""
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{number}" for number in range(10)), *(f"lpt{number}" for number in range(10)))
)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
_WORDS = 6
USUAL_TEMPLATE = "{date}-{prompt}-{seed}"


class TemplateError(UserError):
    """A template of which no name can be made."""


@dataclass(frozen=True, kw_only=True)
class NameFacts:
    """What a name can be made of."""

    prompt: str = ""
    seed: int | None = None
    model: str = ""
    width: int = 0
    height: int = 0
    counter: int = 1
    source: str = ""  # the stem of the file that it was made from
    now: datetime


FIELDS: Mapping[str, str] = {
    "date": "the day, 2026-11-25",
    "time": "the time, 142305",
    "seed": "the seed",
    "prompt": f"the first {_WORDS} words of the prompt",
    "model": "the model's name",
    "width": "pixels across",
    "height": "pixels down",
    "counter": "1, 2, 3 …; {counter:04} gives 0001",
    "name": "the name that the picture had",
}
"""Fields of a template, and what each becomes."""


def name_from(template: str, facts: NameFacts) -> str:
    """The name without its ending, safe on every system. Raises TemplateError with what is wrong with the template."""
    values: dict[str, str | int] = {
        "date": f"{facts.now:%Y-%m-%d}",
        "time": f"{facts.now:%H%M%S}",
        "seed": "" if facts.seed is None else facts.seed,
        "prompt": first_words(facts.prompt),
        "model": facts.model,
        "width": facts.width,
        "height": facts.height,
        "counter": facts.counter,
        "name": facts.source,
    }
    parts: list[str] = []
    try:
        for literal, field, spec, conversion in string.Formatter().parse(template):
            parts.append(literal)
            if field is None:
                continue
            if field not in values:
                known = ", ".join(f"{{{name}}}" for name in FIELDS)
                raise TemplateError(f"“{{{field[:40]}}}” is no part that a name can have.", f"Use {known}.")
            parts.append(_formatted(values[field], spec or "", conversion))
    except ValueError as error:
        raise TemplateError(f"The template “{template[:60]}” cannot be read.", "Close each { with a }.") from error
    name = safe_name(re.sub(r"([-_ ])\1+", r"\1", "".join(parts)).strip("-_ "))
    if not name:
        raise TemplateError("The template gives an empty name.", "Add {counter}, or some words.")
    return name


def _formatted(value: str | int, spec: str, conversion: str | None) -> str:
    """Only widths of numbers may be asked for: other formats can be made to fill the memory."""
    if conversion or (spec and not (isinstance(value, int) and re.fullmatch(r"0?[1-9]", spec))):
        raise TemplateError(f"“:{spec or conversion}” cannot be used there.", "Write {counter:04} for four digits.")
    return format(value, spec)


def first_words(prompt: str) -> str:
    """a-red-house-on-the-left"""
    bare = re.sub(r":[\d.]+\)", ")", prompt)  # weights are no words
    return "-".join(re.findall(r"[^\W_]+", bare)[:_WORDS]).casefold()


def safe_name(text: str) -> str:
    """A name that every system takes: no separators, no reserved words, no dots or blanks at its ends, not too long;
    empty where nothing is left."""
    clean = _FORBIDDEN.sub("_", text).strip(". ")
    while len(clean.encode("utf-8")) > _MOST_BYTES:
        clean = clean[:-1].strip(". ")
    return f"_{clean}" if clean.split(".")[0].rstrip().casefold() in _RESERVED else clean

"""Pictures for others: the format, the quality and a name made of a template."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.errors import PictureError
from app.core.naming import USUAL_TEMPLATE, NameFacts, name_from

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".webp": "WebP"}
USUAL_QUALITY = 90
_MOST_TRIES = 10_000


@dataclass(frozen=True, kw_only=True)
class Export:
    """How pictures are exported. ``quality``: 1..100, for JPEG and WebP. ``tells``: they say how they were made."""

    folder: Path
    template: str = USUAL_TEMPLATE
    ending: str = ".jpg"
    quality: int = USUAL_QUALITY
    tells: bool = False


def export_path(export: Export, facts: NameFacts, taken: Collection[Path] = ()) -> Path:
    """Where a picture goes: a name that no file and nothing in ``taken`` has, which the counter sees to.

    Raises UserError for a template of which no name can be made, and where every name is taken.
    """
    stem = name_from(export.template, facts)
    for number in range(facts.counter, facts.counter + _MOST_TRIES):
        now = name_from(export.template, replace(facts, counter=number))
        # A template without a counter gets a number behind its name.
        name = now if now != stem or number == facts.counter else f"{stem}-{number - facts.counter + 1}"
        path = export.folder / f"{name}{export.ending}"
        if path not in taken and not path.exists():
            return path
    raise PictureError(f"Every name like “{stem}” is taken in that folder.", "Choose another folder or template.")

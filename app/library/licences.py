"""The licences of everything that a bundled program carries, as its build collected them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.settings import resources

OWN = "Limner"


@dataclass(frozen=True, kw_only=True)
class Licence:
    """``name`` of the component, and version if it has one; ``kind`` in a few words; ``file`` holds the text."""

    name: str
    kind: str
    file: Path

    def text(self) -> str:
        """The whole text. Raises OSError."""
        return self.file.read_text("utf-8", errors="replace")


def find_licences() -> list[Licence]:
    """Limner's own first, then by name. A program from source carries its own only, the others lie in its Python."""
    collected = resources().parent / "licences"
    found = [_read(file) for file in sorted(collected.glob("*.txt"), key=lambda file: file.name.casefold())]
    own = resources().parent / "LICENSE"
    if own.is_file():
        found.insert(0, Licence(name=OWN, kind="Apache-2.0", file=own))
    return found


def _read(file: Path) -> Licence:
    """The first line of a file is “name: kind”."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        name, _, kind = lines.readline().strip().partition(": ")
    return Licence(name=name or file.stem, kind=kind, file=file)

"""What the journal is told: values that nobody changes any more, handed from the window's thread to the writer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from app.core.shots import Shot
from app.library.journal.folders import Held
from app.library.journal.reader import Recovered


@dataclass(frozen=True, eq=False)
class Began:
    """The document from which everything starts, after ``index`` steps that nobody keeps."""

    index: int
    shot: Shot


@dataclass(frozen=True, eq=False)
class Stepped:
    """A step was done; ``index`` counts it. Steps that could have been redone are gone."""

    index: int
    text: str
    shot: Shot


@dataclass(frozen=True, eq=False)
class Moved:
    """The document stands after ``index`` steps, all of them known, and looks like this."""

    index: int
    shot: Shot


@dataclass(frozen=True)
class Forgot:
    """The steps before this index cannot be undone any more."""

    below: int


@dataclass(frozen=True, eq=False)
class Told:
    """A named part beside the document is this from now on; ``value`` points at the arrays by their numbers."""

    name: str
    value: Any
    arrays: tuple[NDArray[Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Adopted:
    """The window shows this session of before: it is gone on with in its own folder.

    ``leave``: what was written so far stays as a session of its own, to be offered at another start.
    """

    recovered: Recovered
    held: Held
    leave: bool


Entry = Began | Stepped | Moved | Forgot | Told | Adopted

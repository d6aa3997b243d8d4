"""Grids in the journal: each as a part, and each of its cells as one, so that a picture is told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.core.errors import RequestError
from app.core.grid import AXES, Axis, Value, make_grid
from app.core.job import Job, Result
from app.core.request import Request
from app.document.document import Origin
from app.library.journal.entries import Told
from app.library.journal.timeline import Part
from app.ui.candidates import earlier_job
from app.ui.desk import Desk
from app.ui.grid_run import GridRun, Place
from app.ui.journal_parts import Arrays, is_whole, made, told

_NAME = re.compile(r"grid-(\d{1,9})(?:-(\d{1,4})-(\d{1,4}))?")


@dataclass(frozen=True)
class KeptAxis:
    changes: str  # the id of an AxisKind
    values: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class KeptGrid:
    """``first``: the Request of its first cell, from which the others follow."""

    x: KeptAxis
    y: KeptAxis | None
    first: Request
    origin: Origin


@dataclass(frozen=True, eq=False)
class KeptCell:
    """``failure``: why there is no picture."""

    result: Result | None
    failure: str = ""


def told_grid(number: int, run: GridRun) -> Told:
    grid = run.grid
    x, y = (None if axis is None else KeptAxis(axis.kind.id, axis.values) for axis in (grid.x, grid.y))
    assert x is not None
    return told(f"grid-{number}", KeptGrid(x, y, grid.cells[0][0], run.origin))


def told_cell(number: int, run: GridRun, place: Place) -> Told:
    picture = run.pictures.get(place)
    result = None if picture is None else replace(picture[1], more=(), trail=None)
    return told(_cell(number, place), KeptCell(result, run.failures.get(place, "")))


def forgotten_grid(number: int, run: GridRun) -> Iterator[Told]:
    """Nothing of it is kept any more."""
    yield told(f"grid-{number}", None)
    for place in {**run.pictures, **run.failures}:
        yield told(_cell(number, place), None)


def _cell(number: int, place: Place) -> str:
    return f"grid-{number}-{place[0]}-{place[1]}"


# Back out of the journal


def grid_parts(names: Iterable[str]) -> list[str]:
    """Those names that are of grids and their cells."""
    return [name for name in names if _NAME.fullmatch(name)]


def painted_cells(parts: Mapping[str, Part]) -> int:
    """How many cells have a picture."""
    return sum(
        1
        for name, part in parts.items()
        if (match := _NAME.fullmatch(name)) and match[2] and isinstance(part.value, dict) and part.value.get("result")
    )


@dataclass(frozen=True, eq=False)
class GridBack:
    """A grid as it was left, ready to be shown."""

    kept: KeptGrid
    cells: Mapping[Place, KeptCell]

    def run(self, desk: Desk) -> GridRun | None:
        """None where it cannot be painted any more."""
        kept = self.kept
        try:
            x, y = (None if axis is None else Axis(AXES[axis.changes], axis.values) for axis in (kept.x, kept.y))
            assert x is not None
            grid = make_grid(kept.first, x, y)
        except (RequestError, KeyError, ValueError, TypeError):
            return None
        pictures, failures = dict[Place, tuple[Job, Result]](), dict[Place, str]()
        for (row, column), cell in self.cells.items():
            if row >= len(grid.rows) or column >= len(grid.columns):
                continue
            if cell.result is not None and is_whole(cell.result):
                pictures[row, column] = (Job(earlier_job(), cell.result.request), cell.result)
            elif cell.result is None:
                failures[row, column] = cell.failure
        return GridRun(desk, grid, origin=kept.origin, pictures=pictures, failures=failures)


def grids_from(parts: Mapping[str, tuple[Any, Arrays]]) -> list[GridBack]:
    """All grids of which enough is there. ``parts``: those of ``grid_parts``, with their arrays."""
    grids: dict[int, KeptGrid] = {}
    cells: dict[int, dict[Place, KeptCell]] = {}
    for name, (value, arrays) in parts.items():
        match = _NAME.fullmatch(name)
        if match is None or value is None:
            continue
        number = int(match[1])
        if match[2] is None:
            if (grid := made(KeptGrid, value, arrays)) is not None:
                grids[number] = grid
        elif (cell := made(KeptCell, value, arrays)) is not None:
            cells.setdefault(number, {})[int(match[2]), int(match[3])] = cell
    return [GridBack(grid, cells.get(number, {})) for number, grid in sorted(grids.items())]

"""A document of arrays, and the journal that it is written to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from app.core.geometry import Rect
from app.core.shots import Plane, Shot
from app.library.journal.reader import Fetcher, Recovered, read_session
from app.library.journal.tiles import Table, tile_box, unpacked
from app.library.journal.timeline import State

Planes = dict[str, np.ndarray]


def shot(planes: Planes, dirty: tuple[Rect, ...] | None = None, **values: Any) -> Shot:
    return Shot(values, {name: plane_of(array, dirty) for name, array in planes.items()})


def plane_of(array: np.ndarray, dirty: tuple[Rect, ...] | None = None) -> Plane:
    kept = array.copy()
    height, width, channels = (*array.shape, 1)[:3]
    return Plane(width, height, channels, lambda box: kept[box.slices], dirty)


def pixels(state: State, fetch: Fetcher) -> Planes:
    return {name: _array(table, fetch) for name, table in state.planes.items()}


def _array(table: Table, fetch: Fetcher) -> np.ndarray:
    array = np.empty((table.height, table.width, table.channels), np.uint8)
    for number, name in enumerate(table.tiles):
        box = tile_box(number, table.width, table.height)
        part = array[box.slices]
        part[...] = np.frombuffer(unpacked(fetch.payload(name), part.nbytes), np.uint8).reshape(part.shape)
    return array[..., 0] if table.channels == 1 else array


def only_session(root: Path) -> Path:
    (folder,) = [path for path in root.iterdir() if path.is_dir()]
    return folder


def read(root: Path) -> Recovered:
    return read_session(only_session(root))


def assert_tells(recovered: Recovered, expected: list[Planes]) -> None:
    """Every state, pixel for pixel."""
    assert len(recovered.timeline.states) == len(expected)
    with Fetcher(recovered) as fetch:
        for state, planes in zip(recovered.timeline.states, expected, strict=True):
            found = pixels(state, fetch)
            assert found.keys() == planes.keys()
            assert all(np.array_equal(found[name], planes[name]) for name in planes)

"""Connected parts, against a walk from pixel to pixel."""

from __future__ import annotations

import numpy as np
import pytest

from app.document.flood import connected, touching_edge


def _walked(inside: np.ndarray, starts: list[tuple[int, int]]) -> np.ndarray:
    found = np.zeros_like(inside)
    todo = [at for at in starts if inside[at]]
    while todo:
        y, x = todo.pop()
        if 0 <= y < inside.shape[0] and 0 <= x < inside.shape[1] and inside[y, x] and not found[y, x]:
            found[y, x] = True
            todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return found


@pytest.mark.parametrize("seed", range(40))
def test_noise(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 40, 2)
    inside = random.random((height, width)) < random.choice([0.4, 0.6, 0.8])
    y, x = int(random.integers(height)), int(random.integers(width))
    assert np.array_equal(connected(inside, x, y), _walked(inside, [(y, x)]))
    edge = [(r, c) for r in range(height) for c in range(width) if r in (0, height - 1) or c in (0, width - 1)]
    assert np.array_equal(touching_edge(inside), _walked(inside, edge))


def test_a_spiral_is_followed_to_its_end() -> None:
    inside = np.ones((41, 41), np.bool_)
    for ring in range(1, 20, 2):  # walls with one gap each, at opposite sides
        inside[ring, ring : 41 - ring] = inside[40 - ring, ring : 41 - ring] = False
        inside[ring : 41 - ring, ring] = inside[ring : 41 - ring, 40 - ring] = False
        inside[20, ring if ring % 4 == 1 else 40 - ring] = True
    found = connected(inside, 0, 0)
    assert found[20, 20]
    assert np.array_equal(found, inside)


@pytest.mark.parametrize("fill", [False, True])
def test_all_or_nothing(fill: bool) -> None:
    inside = np.full((5, 7), fill)
    assert connected(inside, 3, 2).all() == fill
    assert touching_edge(inside).all() == fill

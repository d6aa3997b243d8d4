"""What is typed for a grid, and the Requests that come of it."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import RequestError
from app.core.geometry import Size
from app.core.grid import AXES, MOST_CELLS, make_grid, read_axis
from app.core.request import ImageToImage, Request

REQUEST = Request(prompt="a lake at dawn, a calm lake", model="m", size=Size(16, 8), seed=5, count=4)


@pytest.mark.parametrize(
    ("id", "text", "values"),
    [
        ("seed", "1, 2,5", (1, 2, 5)),
        ("seed", "1-10 (+2)", (1, 3, 5, 7, 9)),
        ("seed", "1-3, 7", (1, 2, 3, 7)),
        ("seed", "1-10 [4]", (1, 4, 7, 10)),
        ("seed", "3-1", (3, 2, 1)),
        ("seed", " 4 ,4,, 4", (4,)),
        ("guidance", "3-9 (+2)", (3.0, 5.0, 7.0, 9.0)),
        ("guidance", "1.5, 4", (1.5, 4.0)),
        ("strength", "0.3-0.6", (0.3, 0.4, 0.5, 0.6)),
        ("strength", "0.2-0.8 [3]", (0.2, 0.5, 0.8)),
        ("steps", "10-30 (+10)", (10, 20, 30)),
        ("sampler", "euler, DPM++ 2M", ("euler", "dpmpp_2m")),
        ("words", "calm lake, wild  sea , calm lake", ("calm lake", "wild sea")),
    ],
)
def test_values_are_read(id: str, text: str, values: tuple[object, ...]) -> None:
    assert read_axis(id, text).values == values


@pytest.mark.parametrize(
    ("id", "text", "said"),
    [
        ("seed", "", "there are no values"),
        ("seed", "a few", "“a few” is not a number or a range"),
        ("seed", "1.5", "is not whole"),
        ("seed", "1-2 (+0.5)", "is not whole"),
        ("seed", "1-9 (+0)", "never gets to its end"),
        ("seed", "1-100000000", "has 100000000 values"),
        ("seed", "1-100", "100 values are too many"),
        ("seed", "1-9 [0]", "asks for 0 values"),
        ("guidance", "nan", "is not a number or a range"),
        ("sampler", "oils", "There is no sampler “oils”"),
        ("words", " , ", "there are no values"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(id: str, text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said.replace("(", r"\(")):
        read_axis(id, text)


def test_every_axis_takes_its_own_hint() -> None:
    for id, kind in AXES.items():
        assert len(read_axis(id, kind.hint).values) > 1, id


def test_cells_differ_in_what_was_chosen_alone() -> None:
    grid = make_grid(REQUEST, read_axis("guidance", "3, 5"), read_axis("seed", "1-3"))
    assert [[(cell.guidance, cell.seed) for cell in row] for row in grid.cells] == [
        [(3.0, seed), (5.0, seed)] for seed in (1, 2, 3)
    ]
    assert {(cell.prompt, cell.count) for row in grid.cells for cell in row} == {(REQUEST.prompt, 1)}
    assert grid.columns == ("Guidance 3", "Guidance 5")
    assert grid.rows == ("Seed 1", "Seed 2", "Seed 3")
    assert grid.title == "Grid: guidance × seed"


def test_words_are_replaced_wherever_they_stand() -> None:
    grid = make_grid(REQUEST, read_axis("words", "lake, sea"), None)
    assert [cell.prompt for cell in grid.cells[0]] == [REQUEST.prompt, "a sea at dawn, a calm sea"]
    assert grid.rows == ("",)


def test_strength_is_that_of_the_task() -> None:
    image = np.zeros((8, 16, 3), np.uint8)
    asked = Request(prompt="", model="m", size=Size(16, 8), task=ImageToImage(image=image, strength=0.5))
    grid = make_grid(asked, read_axis("strength", "0.2, 0.4"), None)
    assert [cell.strength for cell in grid.cells[0]] == [0.2, 0.4]


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (("seed", "1-2"), ("seed", "3-4"), "Both sides change the seed"),
        (("seed", "1-40"), ("guidance", "2-9"), "320 pictures are too many"),
        (("strength", "0.5"), None, "A new picture has no strength"),
        (("words", "forest, sea"), None, "The prompt does not have “forest”"),
        (("guidance", "0.5"), None, "The guidance is 0.5"),
        (("steps", "5000"), None, "5000 steps cannot be run"),
    ],
)
def test_what_cannot_be_painted_is_a_sentence(x: tuple[str, str], y: tuple[str, str] | None, said: str) -> None:
    assert MOST_CELLS < 320
    with pytest.raises(RequestError, match=said):
        make_grid(REQUEST, read_axis(*x), read_axis(*y) if y is not None else None)

"""What the starter's figures count: a thing is right when it is there and has its colour, not one of the two."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging" / "starter"))

from dataset import QUESTIONS, answers
from evaluate import scored
from palette import PAINTS
from world import SIDES, Thing, plan

NAMES = list(QUESTIONS)
SCENE = replace(plan(np.random.default_rng(1)), things=(Thing("house", next(iter(PAINTS)), SIDES[0]),))


def _found(**told: int) -> np.ndarray:
    """The scene's own answers, but for those told (spaces as underscores)."""
    seen = np.array([answers(SCENE)])
    for name, value in told.items():
        seen[0, NAMES.index(name.replace("_", " "))] = value
    return seen


def test_all_that_was_asked_for_is_right() -> None:
    figures = scored(_found(), [SCENE])
    assert figures["things present"] == 100
    assert figures["present and in their colour"] == 100


def test_a_colour_without_a_place_is_no_thing() -> None:
    figures = scored(_found(house_side=0), [SCENE])
    assert figures["things present"] == 0
    assert figures["present and in their colour"] == 0


def test_a_thing_in_another_colour_is_only_present() -> None:
    figures = scored(_found(house_colour=2), [SCENE])
    assert figures["things present"] == 100
    assert figures["present and in their colour"] == 0

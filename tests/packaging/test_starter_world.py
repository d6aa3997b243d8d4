"""The starter world is deterministic, its pictures are whole, and its captions use only known words."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging" / "starter"))

from captions import SMALL_WORDS, known_words
from dataset import CAPTIONS_EACH, QUESTIONS, sample
from world import NATIVE, TERRAINS, TIMES, plan


def test_the_same_seed_and_index_give_the_same_scene() -> None:
    first, again, other = sample(3, 5), sample(3, 5), sample(3, 6)
    assert np.array_equal(first[0], again[0])
    assert first[1:] == again[1:]
    assert not np.array_equal(first[0], other[0])


def test_pictures_are_whole_and_not_flat() -> None:
    for index in range(8):
        picture, captions, answers = sample(1, index)
        assert picture.shape == (NATIVE, NATIVE, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 5
        assert len(captions) == CAPTIONS_EACH
        assert all(0 <= a < n for a, n in zip(answers, QUESTIONS.values(), strict=True))


def test_captions_say_something_in_known_words() -> None:
    known = {*known_words(), *SMALL_WORDS}
    for index in range(60):
        for caption in sample(1, index)[1]:
            words = caption.replace(",", " ").split()
            assert set(words) & set(known_words()), caption
            assert set(words) <= known, set(words) - known


def test_every_time_and_terrain_turns_up() -> None:
    scenes = [plan(np.random.default_rng(seed)) for seed in range(200)]
    assert {scene.time for scene in scenes} == set(TIMES)
    assert {scene.terrain for scene in scenes} == set(TERRAINS)

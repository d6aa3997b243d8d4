"""The starter world is deterministic, its pictures are whole, and its captions use only known words."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging" / "starter"))

from captions import SMALL_WORDS, describe, known_words
from dataset import CAPTIONS_EACH, QUESTIONS, sample
from world import GROUND_KINDS, NATIVE, STYLES, TERRAINS, TIMES, WEATHERS, Scene, Thing, paint, plan


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
    assert {scene.ground for scene in scenes} == set(GROUND_KINDS)
    assert {scene.weather for scene in scenes} == set(WEATHERS)
    assert {scene.style for scene in scenes} == set(STYLES)


def _scene(**changes: object) -> Scene:
    plain: dict[str, object] = {
        "time": "noon",
        "terrain": "hills",
        "ground": "meadow",
        "weather": "",
        "style": "flat",
        "disc": "",
        "disc_side": "left",
        "stars": False,
        "clouds": False,
        "things": (),
    }
    return Scene(**{**plain, **changes})


def test_a_red_house_on_the_left_is_red_and_on_the_left() -> None:
    bare = paint(_scene(), np.random.default_rng(4)).astype(int)
    built = paint(_scene(things=(Thing("house", "red", "left"),)), np.random.default_rng(4)).astype(int)
    rows, columns = np.nonzero((bare != built).any(-1))
    assert columns.max() < NATIVE / 2
    wall = built[rows, columns].mean(0)
    assert wall[0] > wall[1] + 40


def test_two_of_a_kind_stand_side_by_side() -> None:
    bare = paint(_scene(), np.random.default_rng(4))

    def clumps(count: int) -> int:
        scene = _scene(things=(Thing("balloon", "red", "middle", count),))
        columns = (paint(scene, np.random.default_rng(4)) != bare).any((0, 2))
        return int((np.diff(columns.astype(int)) == 1).sum())

    assert (clumps(1), clumps(2)) == (1, 2)


def test_styles_change_the_whole_picture_and_weather_a_good_part() -> None:
    plain = paint(_scene(), np.random.default_rng(4))
    for style in STYLES[1:]:
        assert (paint(_scene(style=style), np.random.default_rng(4)) != plain).any(-1).mean() > 0.8, style
    for weather in WEATHERS[1:]:
        assert (paint(_scene(weather=weather), np.random.default_rng(4)) != plain).any(-1).mean() > 0.3, weather


def test_a_caption_without_gaps_names_every_thing_with_its_colour() -> None:
    things = (Thing("tent", "blue", "left", 2), Thing("lighthouse", "red", "right"))
    for seed in range(20):
        caption = describe(_scene(things=things), np.random.default_rng(seed), gaps=0.0)
        assert "two blue" in caption, caption
        assert "red lighthouse" in caption or "red tower" in caption, caption

"""The measures of the quality table tell good from bad, on pictures where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.quality import Case, Score, blob, colour_step, distance, make_case, oklab, score, table, visibility

MASK = np.zeros((64, 64), np.uint8)
MASK[20:44, 18:46] = 255
NOISE = np.random.default_rng(5).integers(100, 140, (64, 64, 3), dtype=np.uint8)
CASE = Case(0, NOISE, MASK, "")


def _brighter_inside(by: int) -> np.ndarray:
    picture = NOISE.copy()
    picture[MASK > 0] += np.uint8(by)
    return picture


def test_the_picture_itself_has_no_edge_to_be_seen() -> None:
    plain = score(CASE, NOISE)
    assert plain.changed == 0
    assert plain.visibility == pytest.approx(1.0, abs=0.15)


def test_what_changes_outside_is_counted_and_what_changes_inside_is_not() -> None:
    assert score(CASE, _brighter_inside(9)).changed == 0
    changed = NOISE.copy()
    changed[0, :5] ^= 1
    changed[30, 30] ^= 1
    assert score(CASE, changed).changed == 5


def test_a_step_at_the_edge_is_seen_the_more_the_larger_it_is() -> None:
    scores = [score(CASE, _brighter_inside(by)) for by in (0, 20, 60)]
    assert scores[0].step < scores[1].step < scores[2].step
    assert scores[0].visibility < scores[1].visibility < scores[2].visibility


def test_softening_the_whole_picture_does_not_hide_a_step() -> None:
    picture = _brighter_inside(30)
    rows = (picture.astype(float) + np.roll(picture, 1, 0) + np.roll(picture, -1, 0)) / 3
    soft = np.rint((rows + np.roll(rows, 1, 1) + np.roll(rows, -1, 1)) / 3).astype(np.uint8)
    plain, softened, seen = score(CASE, NOISE), score(CASE, soft), score(CASE, picture)
    assert softened.step < seen.step
    assert softened.step / softened.nearby > 2 * plain.step / plain.nearby


def test_a_step_up_here_and_a_step_down_there_do_not_cancel() -> None:
    picture = NOISE.astype(int)
    picture[20:44, 18:32] += 40
    picture[20:44, 32:46] -= 40
    colours = oklab(picture.astype(np.uint8))
    assert colour_step(colours, distance(MASK)) > 5 * colour_step(oklab(NOISE), distance(MASK))
    assert visibility(colours, distance(MASK)) > 1.3


def test_distance_counts_from_the_edge_on_both_sides() -> None:
    away = distance(MASK)
    assert away[30, 15:22].tolist() == [-3, -2, -1, 1, 2, 3, 4]


def test_cases_are_the_same_every_time_and_their_masks_sizeable() -> None:
    first, again = make_case(3), make_case(3)
    np.testing.assert_array_equal(first.picture, again.picture)
    np.testing.assert_array_equal(first.mask, again.mask)
    for number in range(20):
        part = (blob(np.random.default_rng(number), 128) > 0).mean()
        assert 0.03 < part < 0.45


def test_the_table_has_a_row_for_each_way() -> None:
    text = table({"one": [Score(10, 1.0, 2.0, 2.0), Score(20, 2.0, 2.0, 1.0)], "other": [Score(0, 0.5, 1.0, 1.0)]})
    assert "| one | 15 | 1.50 | 0.75 | 1.50 |" in text
    assert "| other | 0 | 0.50 | 0.50 | 1.00 |" in text

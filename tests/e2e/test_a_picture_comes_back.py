"""A picture is saved, dropped on a fresh studio on another day, and painted again: bit for bit the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from app.core.geometry import Size
from app.core.grid import make_grid, read_axis
from app.library.metadata import told
from app.library.saving import save_picture
from tests.e2e.conftest import Artist


def saved(artist: Artist, path: Path) -> np.ndarray:
    artist.window.files.save(path)
    artist.wait(path.exists)
    artist.wait(lambda: not artist.window.background.busy)
    return artist.document.pixels()


def dropped(artist: Artist, path: Path, choice: str) -> None:
    artist.drop_files(path)
    artist.wait(lambda: bool(artist.window.notices.shown and artist.window.notices.shown[0].choices))
    labels = [each.label for each in artist.window.notices.shown[0].choices]
    artist.click(f"noticeChoice{labels.index(choice)}")


def test_from_a_prompt(open_studio: Callable[..., Artist], tmp_path: Path) -> None:
    artist = open_studio()
    artist.write("promptEdit", "(snowy mountains:1.2) at sunset, a lake")
    artist.store.update(negative="trees", steps=5, guidance=4.5, sampler="euler_a")
    artist.paint()
    pixels = saved(artist, tmp_path / "mountains.png")
    artist.window.close()
    (tmp_path / "elsewhere.png").write_bytes((tmp_path / "mountains.png").read_bytes())
    fresh = open_studio()
    fresh.store.update(prompt="night", steps=9, sampler="ddim", negative="", guidance=7.0)
    dropped(fresh, tmp_path / "elsewhere.png", "Settings")
    fresh.paint()
    np.testing.assert_array_equal(fresh.document.pixels(), pixels)


def test_inside_a_mask(open_studio: Callable[..., Artist], photo: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    artist = open_studio()
    artist.window.files.embeds = True
    artist.open(photo[0])
    artist.drag(QPoint(40, 40), QPoint(90, 60))
    artist.write("promptEdit", "a red house")
    artist.store.update(steps=4, inpaint_strength=0.75)
    artist.paint()
    pixels = saved(artist, tmp_path / "house.png")
    artist.window.close()
    fresh = open_studio()
    dropped(fresh, tmp_path / "house.png", "Settings and source")
    np.testing.assert_array_equal(fresh.document.pixels(), photo[1])
    fresh.paint()
    np.testing.assert_array_equal(fresh.document.pixels(), pixels)


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot
def test_a_step_that_was_taken_a_branch_a_variation_and_a_cell(
    open_studio: Callable[..., Artist], tmp_path: Path
) -> None:
    artist = open_studio()
    artist.write("promptEdit", "night, a lake")
    artist.store.update(size=Size(64, 64), steps=5, count=2, sampler="dpmpp_2m_sde")
    artist.paint()
    candidates = artist.desk.candidates
    steps, window = artist.window.kept_steps, artist.window
    window.painting.vary()
    artist.wait_idle()
    steps.look_at(2)
    artist.wait(lambda: steps.takable)
    steps.take()
    assert steps.step == 2  # the candidate is that step
    artist.write("promptEdit", "snowy mountains")
    steps.look_at(3)
    steps.branch()
    artist.wait_idle()
    run = window.grids.paint(make_grid(candidates.waiting[0].result.request, read_axis("steps", "3, 4"), None))
    artist.wait(lambda: len(run.pictures) == 2)
    assert run.pick((0, 1))
    taken = [candidates.waiting[number].result for number in (3, 4, 5, 6)]
    kinds = [(one.request.variation.amount > 0, one.request.stop_at, len(one.request.beginnings)) for one in taken]
    assert kinds == [(True, 0, 0), (False, 2, 0), (False, 0, 1), (False, 0, 0)]
    for number, result in enumerate(taken):
        save_picture(tmp_path / f"{number}.png", result.image, told(result))
    artist.window.close()
    fresh = open_studio()
    fresh.wait(lambda: not fresh.window.recovery.busy)
    assert fresh.titles == []
    for number, result in enumerate(taken):
        dropped(fresh, tmp_path / f"{number}.png", "Settings")
        fresh.wait(lambda: "The seed is locked" in fresh.window.notices.shown[0].text)
        assert fresh.titles[0] == f"The settings of “{number}.png” are in use."
        assert fresh.find("courseNote").isHidden() == (number in (0, 3))
        fresh.paint()
        np.testing.assert_array_equal(fresh.document.pixels(), result.image)

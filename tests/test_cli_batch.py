"""``limner render --image FOLDER``: each picture of a folder, one engine, nothing written over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.request import ImageToImage
from tests.fakes import painted
from tests.test_cli import PHOTO, Studio, studio  # noqa: F401 - a fixture


@pytest.fixture
def pictures(studio: Studio) -> Path:  # noqa: F811
    folder = studio.folder / "in"
    folder.mkdir()
    Image.fromarray(PHOTO).save(folder / "a.png")
    Image.fromarray(PHOTO[:10]).save(folder / "b.bmp")
    (folder / "notes.txt").write_text("no picture")
    return folder


def run(studio: Studio, *words: str):  # type: ignore[no-untyped-def]  # noqa: F811
    return studio.run("render", "a cat", "-o", str(studio.folder / "made"), "--image", "in", "--steps", "2", *words)


def test_each_picture_of_a_folder(studio: Studio, pictures: Path) -> None:  # noqa: F811
    outcome = run(studio, "--strength", "0.5", "--seed", "9")
    assert outcome.status == 0, outcome.err
    assert studio.started == 1
    assert sorted(path.name for path in (studio.folder / "made").iterdir()) == ["a.png", "b.png"]
    assert [request.seed for request in studio.backend.requests] == [9, 9]
    assert all(isinstance(request.task, ImageToImage) for request in studio.backend.requests)
    written = np.asarray(Image.open(studio.folder / "made" / "b.png"))
    np.testing.assert_array_equal(written, painted(studio.backend.requests[1]))
    assert run(studio).status == 0
    assert len(list((studio.folder / "made").iterdir())) == 4


def test_names_are_made_of_a_template(studio: Studio, pictures: Path) -> None:  # noqa: F811
    assert run(studio, "--name", "{counter:03}-{prompt}-{name}-{seed}.jpg", "--seed", "5").status == 0
    made = sorted(path.name for path in (studio.folder / "made").iterdir())
    assert made == ["001-a-cat-a-5.jpg", "002-a-cat-b-5.jpg"]


def test_what_is_broken_is_told_and_passed_over(studio: Studio, pictures: Path) -> None:  # noqa: F811
    (pictures / "aa.png").write_bytes(b"broken")
    outcome = run(studio)
    assert outcome.status == 2
    assert "aa.png: " in outcome.err
    assert "1 of 3 pictures could not be refined" in outcome.err
    assert len(list((studio.folder / "made").iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--name", "{sead}.png"), "“{sead}” is no part"),
        (("--name", "{name}"), "does not end in .png"),
        (("--mask", "mask.png"), "works on one picture"),
        (("--strength", "7"), "could not be refined"),
    ],
)
def test_bad_input_is_told(studio: Studio, pictures: Path, words: tuple[str, ...], said: str) -> None:  # noqa: F811
    outcome = run(studio, *words)
    assert outcome.status == 2
    assert said in outcome.err
    assert studio.started == 0


def test_the_output_is_a_folder_too(studio: Studio, pictures: Path) -> None:  # noqa: F811
    outcome = studio.render("--image", "in")
    assert outcome.status == 2
    assert "Let -o name a folder too" in outcome.err
    assert not studio.out.exists()


def test_a_folder_without_pictures(studio: Studio) -> None:  # noqa: F811
    (studio.folder / "in").mkdir()
    outcome = run(studio)
    assert outcome.status == 2
    assert "There are no pictures" in outcome.err

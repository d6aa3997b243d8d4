"""The self-test passes on what works, and fails with a sentence on what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage

from app.__main__ import first_word
from app.core.errors import ModelError
from app.core.geometry import Rect
from app.core.job import Hooks, Mode, Result
from app.core.request import Inpaint, Request, TextToImage
from app.core.settings import Folders
from app.main import _throwaway
from app.ui import selftest
from app.ui.selftest import SelfTest
from tests.ui.studio import make_model

Try = Callable[..., tuple[SelfTest, list[str]]]


class Painter:
    """Paints noise at once, in the mode that task and model ask for."""

    def __init__(self, spoil: Callable[[Result], Result] = lambda result: result) -> None:
        self.spoil = spoil
        self.requests: list[Request] = []

    def run(self, request: Request, hooks: Hooks) -> Result:
        self.requests.append(request)
        size, task = request.size, request.task
        image = np.random.default_rng(0).integers(0, 256, (size.height, size.width, 3), np.uint8)
        whole = Rect(0, 0, size.width, size.height)
        if isinstance(task, TextToImage):
            mode = Mode.TEXT_TO_IMAGE
        elif isinstance(task, Inpaint):
            mode = Mode.INPAINT_CONCAT if "inpaint" in request.model else Mode.INPAINT_BLEND
            image = np.where(task.mask[..., None] > 0, image, task.image)
        else:
            mode = Mode.IMAGE_TO_IMAGE
        return self.spoil(
            Result(
                image=image,
                request=request,
                mode=mode,
                box=whole,
                frame=whole,
                working=size,
                steps=request.steps,
                seconds=0.1,
                seconds_per_step=0.1,
                model_name="Painter",
                device="nowhere",
                changed_outside=0 if isinstance(task, Inpaint) else None,
            )
        )


@pytest.fixture
def shipped(data_with_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Resources with the two starter models, readable and light."""
    folder = tmp_path / "resources"
    make_model(folder / "models" / "starter", name="Starter")
    make_model(folder / "models" / "starter-inpaint", name="Starter for inpainting", channels=9)
    for module in ("app.library.models", "app.ui.selftest"):
        monkeypatch.setattr(f"{module}.resources", lambda: folder)
    return folder


@pytest.fixture
def attempt(qtbot: Any, shipped: Path, open_studio: Any, tmp_path: Path) -> Try:
    """Runs a self-test to its end; it keeps what it made in the folder “kept”."""

    def run(backend: Any, folder: Path = tmp_path / "kept") -> tuple[SelfTest, list[str]]:
        folder.mkdir(exist_ok=True)
        studio = open_studio(lambda: backend)
        lines: list[str] = []
        trial = SelfTest(studio.window, folder, lines.append)
        with qtbot.waitSignal(trial.ended, timeout=20_000):
            trial.start()
        return trial, lines

    return run


def test_every_way_of_working_is_tried_and_kept(attempt: Try, tmp_path: Path) -> None:
    painter = Painter()
    trial, lines = attempt(painter)
    assert trial.passed, lines
    modes = ("text-to-image", "image-to-image", "inpaint-blend", "inpaint-9-channel")
    kept = {path.name for path in (tmp_path / "kept").iterdir()}
    assert kept == {f"{number}-{mode}.png" for number, mode in enumerate(modes, 1)} | {"window.png", "report.txt"}
    assert [Path(request.model).name for request in painter.requests] == [*["starter"] * 3, "starter-inpaint"]
    assert all(request.steps == selftest.STEPS for request in painter.requests)
    assert lines[-1].startswith("selftest: passed: 4 pictures in ")
    assert [line for line in lines if "0 px changed outside the mask" in line] == lines[-3:-1]
    assert (tmp_path / "kept" / "report.txt").read_text("utf-8").splitlines() == [line[10:] for line in lines]
    window = QImage(str(tmp_path / "kept" / "window.png"))
    assert window.width() >= 1100


def test_a_model_that_belongs_to_limner_must_be_readable(attempt: Try, shipped: Path) -> None:
    (shipped / "models" / "starter-inpaint" / "unet" / "config.json").write_text("{")
    trial, lines = attempt(Painter())
    assert not trial.passed
    assert lines[-1] == "selftest: FAILED: a model that belongs to Limner cannot be read: starter-inpaint"


def _flat(result: Result) -> Result:
    return replace(result, image=np.full_like(result.image, 128))


def _spilt(result: Result) -> Result:
    return replace(result, changed_outside=3) if result.changed_outside is not None else result


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_flat, "text-to-image with “Starter”: the picture is of one colour"),
        (_spilt, "inpaint-blend with “Starter”: 3 pixels outside the mask changed"),
    ],
)
def test_a_wrong_picture_fails(attempt: Try, spoil: Callable[[Result], Result], why: str) -> None:
    trial, lines = attempt(Painter(spoil))
    assert not trial.passed
    assert lines[-1] == f"selftest: FAILED: {why}"


def test_an_error_of_the_engine_fails_with_its_words(attempt: Try) -> None:
    def refuse(_: Result) -> Result:
        raise ModelError("The weights are damaged.", "Copy them again.")

    trial, lines = attempt(Painter(refuse))
    assert not trial.passed
    assert lines[-1] == "selftest: FAILED: text-to-image with “Starter”: The weights are damaged. Copy them again."


def test_an_engine_that_does_not_start_fails(qtbot: Any, shipped: Path, open_studio: Any) -> None:
    def none() -> Any:
        raise ModelError("There is no engine.", "Install it.")

    studio = open_studio(none)
    lines: list[str] = []
    trial = SelfTest(studio.window, None, lines.append)
    with qtbot.waitSignal(trial.ended, timeout=20_000):
        trial.start()
    assert not trial.passed
    assert "There is no engine." in lines[-1]


def test_a_hang_ends(qtbot: Any, shipped: Path, open_studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "LIMIT_MS", 50)
    studio = open_studio()
    lines: list[str] = []
    trial = SelfTest(studio.window, None, lines.append)
    monkeypatch.setattr(trial, "_begin", lambda: None)  # nothing ever happens
    with qtbot.waitSignal(trial.ended, timeout=20_000):
        trial.start()
    assert not trial.passed


def test_folders_for_a_trial_do_not_touch_what_a_person_has(tmp_path: Path) -> None:
    places = _throwaway()
    assert isinstance(places, Folders)
    assert places.data.is_dir()
    assert "limner-selftest-" in places.data.name


def test_the_folder_to_keep_pictures_in_is_taken_for_no_command() -> None:
    assert first_word(["--selftest", "--selftest-dir", "out"]) is None
    assert first_word(["--selftest", "--selftest-dir", "out", "photo.png"]) == "photo.png"

"""The model breaks down; the person is told why, keeps everything, and can go on with another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.job import Backend, Hooks, Result
from app.core.request import Request
from tests.e2e.conftest import Artist


def test_a_damaged_model_is_named_and_another_one_works(
    open_studio: Callable[..., Artist], data_dir: Path, starter: Path
) -> None:
    damaged = data_dir / "models" / "damaged"
    shutil.copytree(starter, damaged)
    (damaged / "limner.json").unlink()
    artist = open_studio()
    artist.store.update(model=str(damaged))
    weights = damaged / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    artist.write("promptEdit", "hills")
    artist.find("stepsSpin").setValue(2)
    artist.click("generateButton")
    artist.wait(lambda: bool(artist.titles))
    assert "unet" in artist.titles[0]
    assert "damaged" in artist.titles[0]
    assert artist.generate_button.isEnabled()
    assert artist.find("promptEdit").toPlainText() == "hills"
    artist.store.update(model=str(starter))
    artist.paint()
    assert artist.document.has_picture


@pytest.mark.expects_log
def test_a_bug_in_the_engine_leaves_the_button_usable(open_studio: Callable[..., Artist]) -> None:
    class Breaking:
        def __init__(self) -> None:
            from app.diffusion.engine import Engine

            self.engine, self.calls = Engine(), 0

        def run(self, request: Request, hooks: Hooks) -> Result:
            self.calls += 1
            if self.calls == 1:
                raise ZeroDivisionError("a bug")
            return self.engine.run(request, hooks)

    def make() -> Backend:
        return Breaking()

    artist = open_studio(make)
    artist.find("stepsSpin").setValue(2)
    artist.click("generateButton")
    artist.wait(lambda: bool(artist.titles))
    assert artist.titles == ["Something went wrong inside Limner while painting."]
    assert artist.generate_button.isEnabled()
    artist.paint()

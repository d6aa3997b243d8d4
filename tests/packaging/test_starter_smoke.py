"""The starter model can be made from nothing, and what comes out loads as a diffusers pipeline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
MAKE = Path(__file__).resolve().parents[2] / "packaging" / "starter" / "make.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    command = [sys.executable, str(MAKE), "--smoke", "--work", str(folder / "work"), "--out", str(folder / "out")]
    subprocess.run(command, check=True, timeout=300, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    return folder


def test_the_exported_folder_paints_a_finite_picture(made: Path) -> None:
    loaded = diffusers.StableDiffusionPipeline.from_pretrained(made / "out", local_files_only=True)
    # Stored in half precision, and transformers keeps that by itself where diffusers does not.
    pipeline = loaded.to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a red house", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (128, 128, 3)
    assert np.isfinite(picture).all()


def test_the_card_tells_what_limner_needs(made: Path) -> None:
    card = json.loads((made / "out" / "limner.json").read_text())
    assert np.array(card["preview"]["matrix"]).shape == (4, 3)
    assert np.array(card["preview"]["bias"]).shape == (3,)
    assert card["native_size"] == 128
    assert {"house", "lake", "night"} <= set(card["vocabulary"])
    assert len(card["example_prompts"]) == 6
    assert (made / "out" / "README.md").read_text().startswith("# Limner starter")


def test_checkpoints_and_sheets_are_left_in_the_work_folder(made: Path) -> None:
    for name in ("autoencoder", "text", "painter", "decoder"):
        assert (made / "work" / f"{name}.pt").exists()
    assert (made / "work" / "sheets" / "painter.png").exists()
    assert (made / "work" / "sheets" / "painter.txt").exists()

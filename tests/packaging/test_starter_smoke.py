"""The starter models can be made from nothing, and what comes out loads as diffusers pipelines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytestmark = pytest.mark.timeout(400)  # several processes that each import torch: slow where the machine is busy
SCRIPTS = Path(__file__).resolve().parents[2] / "packaging" / "starter"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    places = [
        "--work",
        str(folder / "work"),
        "--out",
        str(folder / "out"),
        "--judge",
        str(folder / "judge.safetensors"),
    ]
    _run("make.py", "--smoke", *places)
    return folder


def _run(script: str, *words: str) -> str:
    command = [sys.executable, str(SCRIPTS / script), *words]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, check=True, timeout=300, env=environment, stdout=subprocess.PIPE, text=True)
    return done.stdout


def test_the_exported_folder_paints_a_finite_picture(made: Path) -> None:
    loaded = diffusers.StableDiffusionPipeline.from_pretrained(made / "out", local_files_only=True)
    # Stored in half precision, and transformers keeps that by itself where diffusers does not.
    pipeline = loaded.to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a red house", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (128, 128, 3)
    assert np.isfinite(picture).all()


def test_the_inpainting_folder_has_nine_channels_and_fills_a_mask(made: Path) -> None:
    loaded = diffusers.StableDiffusionInpaintPipeline.from_pretrained(made / "out-inpaint", local_files_only=True)
    pipeline = loaded.to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    grey = np.full((1, 128, 128, 3), 0.5, np.float32)
    picture = pipeline(
        "a red house",
        grey,
        np.ones((1, 128, 128), np.float32),
        height=128,
        width=128,
        num_inference_steps=2,
        output_type="np",
    ).images[0]
    assert pipeline.unet.config.in_channels == 9
    assert np.isfinite(picture).all()


def test_the_evaluation_prints_its_figures_and_writes_them_into_the_card(made: Path) -> None:
    places = ["--model", str(made / "out"), "--judge", str(made / "judge.safetensors"), "--work", str(made / "eval")]
    printed = _run("evaluate.py", "--smoke", "--write", *places)
    figures = json.loads((made / "eval" / "figures.json").read_text())
    assert figures["blend"]["pixels touched outside"] == figures["concat"]["pixels touched outside"] == 0
    assert 0 <= figures["painted"]["time"] <= 100
    assert 0 < figures["vae"]["PSNR"] < 60
    card = (made / "out" / "README.md").read_text()
    assert printed[printed.index("4 held-out captions") :].strip() in card
    assert "Not measured yet" not in card


def test_the_card_tells_what_limner_needs(made: Path) -> None:
    card = json.loads((made / "out" / "limner.json").read_text())
    assert np.array(card["preview"]["matrix"]).shape == (4, 3)
    assert np.array(card["preview"]["bias"]).shape == (3,)
    assert card["native_size"] == 128
    assert {"house", "lake", "night"} <= set(card["vocabulary"])
    assert len(card["example_prompts"]) == 6
    assert (made / "out" / "README.md").read_text().startswith("# Limner starter")


def test_checkpoints_and_sheets_are_left_in_the_work_folder(made: Path) -> None:
    for name in ("autoencoder", "text", "painter", "inpainter", "decoder", "judge"):
        assert (made / "work" / f"{name}.pt").exists()
    assert (made / "work" / "sheets" / "painter.png").exists()
    assert (made / "work" / "sheets" / "painter.txt").exists()

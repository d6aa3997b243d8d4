"""The measuring on a graphics card: it says where there is none, and goes through all it would do on the processor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.bench.card import NO_CARD
from tests.tiny_models import make_tiny_model


def told(*words: str) -> list[str]:
    done = subprocess.run([sys.executable, "-m", "tests.bench.card", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_it_says_so() -> None:
    assert told() == [NO_CARD]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_it_goes_through_everything(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "tiny")
    lines = told("--rehearse", "--model", str(model), "--size", "64", "--steps", "2", "--rounds", "1")
    assert [line.partition(":")[0] for line in lines if line.startswith("First picture")] == [
        "First picture, diffusers", "First picture, Limner", "First picture, recorded",
    ]  # fmt: skip
    assert len([line for line in lines if line.startswith(("| Limner", "| diffusers"))]) == 5
    assert any(line.startswith("Recording: ") for line in lines)
    assert any(line.startswith("Previews take ") for line in lines)
    # the very same Requests: on the processor the engines differ by rounding alone
    assert "Largest difference of the pictures in shades: recorded 0, diffusers 0." in lines or any(
        line.startswith("Largest difference of the pictures in shades: recorded 0, diffusers 1.") for line in lines
    )

"""One tiny random model of each kind, for Limner and for diffusers' own pipelines."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.placement import Placement
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("plain") / "tiny")


@pytest.fixture(scope="session")
def inpaint_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("nine") / "tiny-inpaint", TinyShape(channels_in=9, seed=1))


@pytest.fixture(scope="session")
def plain(plain_folder: Path) -> ModelBundle:
    return load_bundle(plain_folder, CPU)


@pytest.fixture(scope="session")
def nine(inpaint_folder: Path) -> ModelBundle:
    return load_bundle(inpaint_folder, CPU)

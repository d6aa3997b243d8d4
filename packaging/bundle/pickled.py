"""Makes an old-style copy of the starter model, its UNet pickled: what the bundle is tested with."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

STARTER = Path(__file__).resolve().parents[2] / "resources" / "models" / "starter"


def main(target: Path) -> None:
    shutil.copytree(STARTER, target)
    weights = target / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What computing less is worth: speed and distance to the full computation on the starter, by kind of saving.

``python -m tests.bench.saving [--pictures 4] [--strip build/bench/saving.png]`` prints a table; the strip shows one
picture in every way. Distances are means over the pictures: PSNR in dB, and SSIM as in Wang and others, Image Quality
Assessment: From Error Visibility to Structural Similarity (2004), on grey with their window of 11 pixels.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from PIL import Image

from app.core.geometry import Size
from app.core.request import Pixels, Request
from app.diffusion import generate, unet_pass
from app.diffusion.engine import Engine
from tests.bench.full_size import STARTER
from tests.engine_tools import RecordingHooks

PROMPTS = ("a red house on a hill", "a lake at night", "a blue balloon over snow", "two trees by a river at dusk")


def psnr(one: Pixels, other: Pixels) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def ssim(one: Pixels, other: Pixels) -> float:
    x, y = (torch.from_numpy(p.astype(np.float64) @ [0.299, 0.587, 0.114])[None, None] for p in (one, other))
    places = torch.arange(11, dtype=torch.float64) - 5
    line = torch.exp(-(places**2) / (2 * 1.5**2))
    window = torch.outer(line, line)[None, None] / line.sum() ** 2

    def mean(values: torch.Tensor) -> torch.Tensor:
        return F.conv2d(values, window)

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--strip", type=Path, default=Path("build/bench/saving.png"))
    given = parser.parse_args()
    engine = Engine()
    ways: dict[str, tuple[int, dict[str, object]]] = {
        "in full": (1, {}),
        "draft, every 2nd step": (2, {"draft": True}),
        "draft, every 3rd step": (3, {"draft": True}),
        "draft, every 4th step": (4, {"draft": True}),
        "guided 20 to 80 %": (1, {"guidance_interval": (0.2, 0.8)}),
        "guided 20 to 90 %": (1, {"guidance_interval": (0.2, 0.9)}),
        "draft, guided 20 to 90 %": (unet_pass.DRAFT, {"draft": True, "guidance_interval": (0.2, 0.9)}),
        "half the steps": (1, {"steps": 10}),
    }
    pictures: dict[str, list[Pixels]] = {name: [] for name in ways}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(given.pictures):
        plain = Request(
            prompt=PROMPTS[number % len(PROMPTS)], model=str(STARTER), size=Size(given.side, given.side), seed=number
        )
        engine.run(replace(plain, steps=1), RecordingHooks())
        for name, (every, changes) in ways.items():
            generate.DRAFT = every
            request = replace(plain, **changes)
            began = time.process_time()
            pictures[name].append(engine.run(request, RecordingHooks()).image)
            seconds[name].append(time.process_time() - began)
    print(f"The starter, {given.side} px, 20 steps, {given.pictures} pictures; processor time")
    print("| way | speed-up | PSNR, dB | SSIM |\n|---|---|---|---|")
    full = statistics.median(seconds["in full"])
    for name in ways:
        pairs = list(zip(pictures[name], pictures["in full"], strict=True))
        far = f"{statistics.mean(psnr(*pair) for pair in pairs):.1f}"
        alike = f"{statistics.mean(ssim(*pair) for pair in pairs):.3f}"
        told = ["-", "-"] if name == "in full" else [far, alike]
        print(f"| {name} | {full / statistics.median(seconds[name]):.2f} | {' | '.join(told)} |")
    given.strip.parent.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate([pictures[name][number] for name in ways], axis=1) for number in range(given.pictures)]
    Image.fromarray(np.concatenate(rows)).save(given.strip)
    print(f"{given.strip}: a column for each way, in this order")


if __name__ == "__main__":
    main()

"""Limner on a CUDA card beside diffusers in half precision: ``python -m tests.bench.card [--size 512] [--steps 20]``.

A model of Stable Diffusion v1's exact shape with random weights (build/ takes 5 GB). Engines by turns in one process,
medians of the rounds after one to warm up; every clock is stopped when the card has nothing left to do. It prints:

- a whole picture (text to latents to pixels) and its milliseconds a step, Limner's as it comes, with recorded steps
  (CUDA graphs), with other settings that Limner leaves alone, and diffusers' pipeline as it comes in float16, with its
  ratio;
- what previews take: Limner's picture with and without them;
- the first picture of each, model loaded, nothing warm, in a process of its own;
- what recording takes: the seconds of the calls around it;
- the largest difference of the pictures.

Without a card it says so in one sentence. ``--rehearse`` goes through it all on the processor, for a test: its numbers
mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.environment import GRAPHS, prepare_environment

prepare_environment()

import numpy as np  # noqa: E402 - the environment stands first
import torch  # noqa: E402

FULL_SIZE = Path(__file__).resolve().parents[2] / "build" / "bench" / "model"
PROMPT, NEGATIVE = "a red house on a hill above a lake at dusk", "fog"
NO_CARD = "There is no CUDA card that torch can use, so nothing was measured."
Paint = Callable[[int], np.ndarray]


class Silent:
    """Hooks of somebody who only looks at the clock."""

    def cancelled(self) -> bool:
        return False

    def entered(self, phase: Any) -> None: ...

    def stepped(self, step: int, total: int, preview: Any) -> None: ...

    def made(self, candidate: Any) -> None: ...


def on_card() -> bool:
    return torch.cuda.is_available()


def finished() -> None:
    """The card has nothing left to do."""
    if on_card():
        torch.cuda.synchronize()


def limner(model: Path, size: int, steps: int, records: bool) -> Paint:
    from app.core.geometry import Size
    from app.core.request import Request
    from app.diffusion.bundle import load_bundle
    from app.diffusion.generate import generate
    from app.diffusion.kept import Kept
    from app.diffusion.placement import choose_placement
    from app.diffusion.quick import quickened

    bundle = replace(quickened(load_bundle(model, choose_placement())), records=records)
    request = Request(
        prompt=PROMPT, negative=NEGATIVE, model="x", size=Size(size, size), steps=steps, sampler="ddim", guidance=7.0
    )
    return lambda seed: generate(replace(bundle, kept=Kept()), replace(request, seed=seed), Silent()).image


def diffusers_pipeline(model: Path, size: int, steps: int) -> Paint:
    import diffusers

    pipe = diffusers.StableDiffusionPipeline.from_pretrained(
        model,
        torch_dtype=torch.float16 if on_card() else torch.float32,
        local_files_only=True,
        safety_checker=None,
        requires_safety_checker=False,
    ).to("cuda" if on_card() else "cpu")
    pipe.scheduler = diffusers.DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    pipe.set_progress_bar_config(disable=True)

    def paint(seed: int) -> np.ndarray:
        made = pipe(
            PROMPT, negative_prompt=NEGATIVE, width=size, height=size, num_inference_steps=steps, guidance_scale=7.0,
            generator=torch.Generator().manual_seed(seed),
        )  # fmt: skip
        return np.asarray(made.images[0])

    return paint


def seconds(paint: Paint, seed: int) -> float:
    finished()
    began = time.perf_counter()
    paint(seed)
    finished()
    return time.perf_counter() - began


@contextmanager
def no_previews() -> Iterator[None]:
    """Neither worked out nor brought over."""
    from app.diffusion import follow, generate

    kept = follow.Follower._look, generate.preview_of
    nothing = torch.zeros((1, 1, 3), dtype=torch.uint8, device="cuda" if on_card() else "cpu")
    follow.Follower._look = lambda self, step: (torch.isfinite(step.x).all(), nothing, step.x, step.noise)  # type: ignore[method-assign]
    generate.preview_of = lambda *_: None  # type: ignore[assignment]
    try:
        yield
    finally:
        follow.Follower._look, generate.preview_of = kept  # type: ignore[method-assign]


@contextmanager
def searching() -> Iterator[None]:
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def within(around: Callable[[], Any], paint: Paint) -> Paint:
    def inside(seed: int) -> np.ndarray:
        with around():
            return paint(seed)

    return inside


def by_turns(model: Path, size: int, steps: int, rounds: int) -> None:
    plain, recorded = (limner(model, size, steps, records) for records in (False, True))
    theirs = diffusers_pipeline(model, size, steps)
    rows: dict[str, Paint] = {
        "diffusers, float16": theirs,
        "Limner": plain,
        "Limner, recorded steps": recorded,
        "Limner without previews": within(no_previews, plain),
        "Limner, cudnn.benchmark": within(searching, plain),
    }
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for number in range(rounds + 1):
        for name, paint in rows.items():
            one = seconds(paint, number)
            if number:
                taken[name].append(one)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    base = medians["diffusers, float16"]
    print(f"\n| {size} x {size}, {steps} steps | picture, s | all of it a step, ms | over diffusers |")
    print("|---|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median:.3f} | {1000 * median / steps:.1f} | {base / median:.2f} |")
    print(f"\nPreviews take {100 * (medians['Limner'] / medians['Limner without previews'] - 1):.1f} % of a picture.")
    pictures = [paint(7).astype(int) for paint in (plain, recorded, theirs)]
    apart = [int(np.abs(pictures[0] - other).max()) for other in pictures[1:]]
    print(f"Largest difference of the pictures in shades: recorded {apart[0]}, diffusers {apart[1]}.")
    if on_card():
        print(f"Most memory that torch held: {torch.cuda.max_memory_reserved() / 2**30:.1f} GiB, three models in it.")


def recording(model: Path, size: int) -> None:
    """The first four calls of a recorded pass: warming up, recording, two plays."""
    from app.diffusion.bundle import load_bundle
    from app.diffusion.graphs import recorded
    from app.diffusion.placement import choose_placement
    from app.diffusion.quick import quickened
    from app.diffusion.unet_pass import SharedPass

    bundle = quickened(load_bundle(model, choose_placement()))
    once = recorded(bundle.unet, bundle.placement.device)
    like = {"device": bundle.placement.device, "dtype": bundle.placement.dtype}
    x = torch.randn((1, 4, size // 8, size // 8), **like)
    texts = torch.randn((2, 77, bundle.unet.config.cross_attention_dim), **like)
    t = torch.tensor(501, device=bundle.placement.device)
    taken = []
    with torch.inference_mode():
        SharedPass(bundle.unet).predict(x, t, texts)  # libraries are loaded
        for _ in range(4):
            finished()
            began = time.perf_counter()
            once.predict(x, t, texts)
            finished()
            taken.append(1000 * (time.perf_counter() - began))
    print(f"Recording: computed {taken[0]:.1f} ms, recorded {taken[1]:.1f} ms, played {min(taken[2:]):.1f} ms.")


def first_picture(engine: str, model: Path, size: int, steps: int) -> None:
    """In a process that has done nothing else: seconds until its first picture, loading apart."""
    began = time.perf_counter()
    paint = diffusers_pipeline(model, size, steps) if engine == "diffusers" else limner(
        model, size, steps, records=bool(os.environ.get(GRAPHS))
    )  # fmt: skip
    loaded = time.perf_counter() - began
    print(json.dumps({"loaded": loaded, "picture": seconds(paint, 0)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--model", type=Path, default=FULL_SIZE, help="a folder in diffusers layout (made if not there)"
    )
    parser.add_argument("--rehearse", action="store_true", help="on the processor")
    parser.add_argument("--first", choices=("limner", "diffusers"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not on_card() and not given.rehearse:
        print(NO_CARD)
        return
    if given.first:
        first_picture(given.first, given.model, given.size, given.steps)
        return
    if given.model == FULL_SIZE:
        from tests.bench.full_size import make_full_size

        make_full_size(given.model)
    device = torch.cuda.get_device_name() if on_card() else "A rehearsal on the processor"
    print(f"{device}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    words = ["--model", str(given.model), "--size", str(given.size), "--steps", str(given.steps)]
    words += ["--rehearse"] if given.rehearse else []
    for name, engine, graphs in (("diffusers", "diffusers", ""), ("Limner", "limner", ""), ("recorded", "limner", "1")):
        told = subprocess.run(
            [sys.executable, "-m", "tests.bench.card", "--first", engine, *words],
            env=os.environ | {GRAPHS: graphs}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        times = json.loads(told.stdout.splitlines()[-1])
        print(f"First picture, {name}: loading {times['loaded']:.1f} s, then {times['picture']:.2f} s.")
    recording(given.model, given.size)
    by_turns(given.model, given.size, given.steps, given.rounds)


if __name__ == "__main__":
    main()

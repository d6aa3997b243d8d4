"""Loading a full-size model: where its time and its memory go, by stage and by how much memory Winograd may have:
``python -m tests.bench.load [--extras 0,0 0.28,1.25] [--size 256] [--steps 2] [--within 8] [--rounds 2]``.

Each turn is a process of its own: imports, loading, then a picture of a few steps with guidance, stage by stage.
``--extras``: for UNet and VAE, as parts of what their own weights take. ``--within``: GiB that the machine is said to
have; whether the process stayed within what the system leaves of them is told. (A limit set on the process would also
count what is only mapped from the file: loading was refused with 3.8 GiB in memory.)
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.core.environment import prepare_environment
from tests.bench.full_size import make_full_size

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "build" / "bench" / "model"
SYSTEM = 1 << 30
"""Bytes that a machine's system and its other programs take of it."""
STAGES = ("imports", "loading", "text", "steps", "decode")
_NAMES = {"LOADING": "loading", "ENCODING": "text", "DENOISING": "steps", "DECODING": "decode"}
PROMPT, NEGATIVE = "a red house on a hill above a lake at dusk", "fog"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", nargs="*", default=["usual", "0,0"], help="usual: as Limner chooses")
    parser.add_argument("--peers", nargs="*", default=["diffusers"])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--within", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(given.child, given)
        return
    make_full_size(given.model)
    names = [*given.extras, *given.peers]
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(given.rounds):
        for name in names if number % 2 == 0 else names[::-1]:
            command = [sys.executable, "-m", "tests.bench.load", *sys.argv[1:], "--child", name]
            told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if told.returncode:
                print(f"{name}: ended with {told.returncode}: {told.stderr[-300:]}", flush=True)
                continue
            turns[name].append(json.loads(told.stdout.splitlines()[-1]))
    print(f"{given.size} px, {given.steps} steps, {given.rounds} turns; load {os.getloadavg()[0]:.1f}")
    print("| extra | " + " | ".join(f"{stage} s" for stage in STAGES) + " | processor s of loading |", end="")
    print(" peak GiB at " + " | peak GiB at ".join(STAGES[1:]) + " | at rest GiB |")
    print("|---" * (3 + len(STAGES) + len(STAGES[1:])) + "|")
    for name, some in turns.items():
        if some:
            cells = [f"{_median(some, stage, 'seconds'):.2f}" for stage in STAGES]
            cells += [f"{_median(some, 'loading', 'cpu'):.1f}"]
            cells += [f"{_median(some, stage, 'peak'):.2f}" for stage in STAGES[1:]]
            cells += [f"{_median(some, 'loading', 'rests'):.2f}"]
            print(f"| {name} | " + " | ".join(cells) + " |", *{note for turn in some for note in turn.get("notes", ())})
            if given.within:
                peak, room = max(_median(some, stage, "peak") for stage in STAGES), given.within - SYSTEM / 2**30
                print(f"{name}: {peak:.2f} GiB at most, {'within' if peak <= room else 'MORE THAN'} {room:.2f}")


def _median(turns: list[dict[str, Any]], stage: str, what: str) -> float:
    return statistics.median(turn[stage][what] for turn in turns)


def _child(name: str, given: argparse.Namespace) -> None:
    """One engine through its stages; what it took of each, as JSON."""
    clock = _Clock()
    prepare_environment()
    if given.within:
        _keep_within(int(given.within * 2**30))
    (_diffusers if name == "diffusers" else _limner)(name, given, clock)
    print(json.dumps(clock.told), flush=True)
    os._exit(0)


class _Clock:
    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self._at, self._cpu = time.perf_counter(), time.process_time()

    def mark(self, stage: str) -> None:
        import resource

        import psutil

        now, cpu = time.perf_counter(), time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        rests = psutil.Process().memory_info().rss / 2**30
        self.told[stage] = {"seconds": now - self._at, "cpu": cpu - self._cpu, "peak": peak, "rests": rests}
        self._at, self._cpu = time.perf_counter(), time.process_time()


def _keep_within(most: int) -> None:
    """The machine is said to have so many bytes, and so many free as the system and this process leave of them."""
    import psutil

    real = psutil.virtual_memory

    def told() -> Any:
        free = most - SYSTEM - psutil.Process().memory_info().rss
        return real()._replace(total=most, available=max(0, free))

    psutil.virtual_memory = told


def _limner(name: str, given: argparse.Namespace, clock: _Clock) -> None:
    from app.core.geometry import Size
    from app.core.job import Phase
    from app.core.request import Request
    from app.diffusion import quick
    from app.diffusion.engine import Engine
    from tests.engine_tools import RecordingHooks

    class Marks(RecordingHooks):
        def entered(self, phase: Phase) -> None:
            if self.phases:
                clock.mark(_NAMES[self.phases[-1].name])
            self.phases.append(phase)

    if name != "usual":
        quick.MOST_EXTRA_UNET, quick.MOST_EXTRA_VAE = map(float, name.split(","))
    clock.mark("imports")
    hooks, size = Marks(), Size(given.size, given.size)
    request = Request(
        prompt=PROMPT, negative=NEGATIVE, model=str(given.model), size=size, steps=given.steps, sampler="ddim"
    )
    result = Engine().run(request, hooks)
    clock.mark(_NAMES[hooks.phases[-1].name])
    clock.told["notes"] = result.notes


def _diffusers(name: str, given: argparse.Namespace, clock: _Clock) -> None:
    """The pipeline as it comes."""
    import diffusers
    import torch

    kind = diffusers.StableDiffusionPipeline
    clock.mark("imports")
    pipe = kind.from_pretrained(given.model, local_files_only=True, safety_checker=None, requires_safety_checker=False)
    pipe.scheduler = diffusers.DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    clock.mark("loading")
    with torch.no_grad():
        texts, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
        clock.mark("text")
        latents = pipe(
            prompt_embeds=texts, negative_prompt_embeds=negative, num_inference_steps=given.steps, guidance_scale=7.0,
            width=given.size, height=given.size, output_type="latent",
        ).images  # fmt: skip
        clock.mark("steps")
        pipe.vae.decode(latents / pipe.vae.config.scaling_factor)
        clock.mark("decode")


if __name__ == "__main__":
    main()

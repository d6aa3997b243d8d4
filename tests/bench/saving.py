"""What computing less is worth: speed and distance to the full computation, by kind of saving.

``python -m tests.bench.saving [--pictures 4] [--full-size FOLDER] [--strip build/bench/saving.png]`` prints two tables:
ways that paint another picture, and ways that paint the very same without computing it again. The starter's pictures,
their processor time; with ``--full-size`` the speed on a model of Stable Diffusion v1's shape too, one picture by the
clock. Its weights are random, so it has no pictures to compare. The strip shows every way. Distances are means over the
pictures: PSNR in dB, and SSIM as in Wang and others, Image Quality Assessment: From Error Visibility to Structural
Similarity (2004), on grey with their window of 11 pixels.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from PIL import Image

from app.core.geometry import Size
from app.core.job import Result
from app.core.request import ImageToImage, Inpaint, Pixels, Request
from app.core.seam import Seam
from app.core.trail import Branch
from app.diffusion import generate, unet_pass
from app.diffusion.engine import Engine
from tests.bench.full_size import STARTER
from tests.engine_tools import RecordingHooks, some_picture

PROMPTS = ("a red house on a hill", "a lake at night", "a blue balloon over snow", "two trees by a river at dusk")
OTHER = "a white tower by the sea"
STEPS = 20
LIVE_STEPS = 8
"""As many as live mode takes."""
Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Way:
    """Another picture for less. ``every``: the deep part of a draft is computed at so manieth steps."""

    name: str
    every: int = unet_pass.DRAFT
    changes: dict[str, object] = field(default_factory=dict)


WAYS = (
    Way(name="in full"),
    Way(name="draft, were it every 2nd step", every=2, changes={"draft": True}),
    Way(name="**draft: every 3rd step**", changes={"draft": True}),
    Way(name="draft, were it every 4th step", every=4, changes={"draft": True}),
    Way(name="guided on 20 to 80 % of the way", changes={"guidance_interval": (0.2, 0.8)}),
    Way(name="guided on 20 to 90 % of the way", changes={"guidance_interval": (0.2, 0.9)}),
    Way(name="draft, guided on 20 to 90 %", changes={"draft": True, "guidance_interval": (0.2, 0.9)}),
    Way(name="half the steps", changes={"steps": STEPS // 2}),
)


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


@dataclass(frozen=True)
class Timed:
    """An engine and what is looked at to tell how long it takes."""

    engine: Engine
    clock: Clock

    def run(self, request: Request) -> tuple[Result, float]:
        began = self.clock()
        result = self.engine.run(request, RecordingHooks())
        return result, self.clock() - began


# Other pictures for less


def paint_ways(timed: Timed, plain: Request) -> list[tuple[Pixels, float]]:
    """A picture and its seconds, for each way."""
    done = []
    try:
        for way in WAYS:
            generate.DRAFT = way.every
            result, seconds = timed.run(replace(plain, **way.changes))  # type: ignore[arg-type]
            done.append((result.image, seconds))
    finally:
        generate.DRAFT = unet_pass.DRAFT
    return done


# The same picture again, without all of the work


@dataclass(frozen=True)
class Again:
    """``share``: of the steps that are computed. ``full``, ``less``: seconds. ``same``: bit for bit, where both can be
    had."""

    name: str
    share: float
    full: float
    less: float
    same: bool


def do_again(timed: Timed, plain: Request, times: int) -> list[Again]:
    """Each way once, live mode so many ``times``: there it is little that is saved."""
    first, full = timed.run(plain)
    assert first.trail is not None
    done = []
    for step in (STEPS // 4, STEPS // 2, 3 * STEPS // 4):
        branch = Branch(first.trail, step)
        _, less = timed.run(replace(plain, prompt=OTHER, resume=branch))
        same = bool((timed.run(replace(plain, resume=branch))[0].image == first.image).all())
        done.append(Again(f"another prompt from step {step} of {STEPS}", 1 - step / STEPS, full, less, same))
    return [*done, _paste_again(timed, plain), _live_again(timed, plain, times)]


def _paste_again(timed: Timed, plain: Request) -> Again:
    """Another ring and no colour match, after the painting."""
    side = plain.size.width
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 255
    task = Inpaint(image=some_picture(plain.size), mask=mask)
    asked = replace(plain, task=task)
    changed = replace(asked, task=replace(task, seam=Seam(ring=8, colour_match=False)))
    _, full = timed.run(asked)
    pasted, less = timed.run(changed)
    same = bool((timed.run(changed)[0].image == pasted.image).all())  # asked for twice, it is painted anew
    return Again("another ring, another colour match", 0.0, full, less, same)


def _live_again(timed: Timed, plain: Request, times: int) -> Again:
    """Live mode after a word was changed and changed back: text and source are kept. Against nothing kept."""
    fulls, lesses, same = [], [], True
    for number in range(times):
        task = ImageToImage(image=some_picture(plain.size, seed=50 + number), strength=0.6)
        asked = replace(plain, prompt=f"{plain.prompt}, {number}", task=task, steps=LIVE_STEPS)
        fresh, full = timed.run(asked)  # neither the text nor the source was seen before
        kept, less = timed.run(asked)
        fulls.append(full)
        lesses.append(less)
        same = same and bool((kept.image == fresh.image).all())
    name = "live mode, text and source as before"
    return Again(name, 1.0, statistics.median(fulls), statistics.median(lesses), same)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--full-size", type=Path, metavar="FOLDER", help="also on a full-size model, made there")
    parser.add_argument("--full-side", type=int, default=256)
    parser.add_argument("--strip", type=Path, default=Path("build/bench/saving.png"))
    given = parser.parse_args()
    timed = Timed(Engine(), time.process_time)
    painted: list[list[tuple[Pixels, float]]] = []
    again: list[list[Again]] = []
    for number in range(given.pictures):
        plain = Request(prompt=PROMPTS[number % len(PROMPTS)], model=str(STARTER), size=Size(given.side, given.side),
                        seed=number, steps=STEPS)  # fmt: skip
        timed.run(replace(plain, steps=1, prompt=f"warm-up {number}"))
        painted.append(paint_ways(timed, plain))
        again.append(do_again(timed, replace(plain, prompt=f"{plain.prompt}, once more"), 5))
    rows = [np.concatenate([picture for picture, _ in one], axis=1) for one in painted]
    given.strip.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(given.strip)
    full_ways: list[float] = []
    full_again: list[Again] = []
    if given.full_size is not None:
        full_ways, full_again = _full_size(given.full_size, given.full_side)
    print(f"The starter, {given.side} px, {STEPS} steps, {given.pictures} pictures, processor time.")
    if full_ways:
        print(f"Full size: {given.full_side} px, one picture, by the clock; in full {full_ways[0]:.1f} s.")
    _print_ways(painted, full_ways)
    _print_again(again, full_again)
    print(f"A strip of the first table's pictures, a column for each way: {given.strip}.")


def _full_size(folder: Path, side: int) -> tuple[list[float], list[Again]]:
    from tests.bench.full_size import make_full_size

    timed = Timed(Engine(), time.perf_counter)
    plain = Request(prompt=PROMPTS[0], model=str(make_full_size(folder)), size=Size(side, side), seed=1, steps=STEPS)
    timed.run(replace(plain, steps=1, prompt="warm-up"))
    return [seconds for _, seconds in paint_ways(timed, plain)], do_again(timed, replace(plain, prompt=PROMPTS[1]), 1)


def _print_ways(painted: list[list[tuple[Pixels, float]]], full_size: list[float]) -> None:
    print("| way | speed-up | PSNR, dB | SSIM |" + " full size, speed-up |" * bool(full_size))
    print("|---|---|---|---|" + "---|" * bool(full_size))
    whole = statistics.median(one[0][1] for one in painted)
    for number, way in enumerate(WAYS):
        pairs = [(one[number][0], one[0][0]) for one in painted]
        cells = [f"{whole / statistics.median(one[number][1] for one in painted):.2f}"]
        cells += ["", ""] if number == 0 else [
            f"{statistics.mean(psnr(*pair) for pair in pairs):.1f}",
            f"{statistics.mean(ssim(*pair) for pair in pairs):.3f}",
        ]  # fmt: skip
        cells += [f"{full_size[0] / full_size[number]:.2f}"] if full_size else []
        print(f"| {way.name} | {' | '.join(cells)} |")


def _print_again(again: list[list[Again]], full_size: list[Again]) -> None:
    print("\n| nothing computed again | steps computed | speed-up | picture |" + " full size |" * bool(full_size))
    print("|---|---|---|---|" + "---|" * bool(full_size))
    for number, row in enumerate(again[0]):
        ways = [one[number] for one in again]
        gain = statistics.median(way.full for way in ways) / statistics.median(way.less for way in ways)
        whole = full_size[number : number + 1]
        same = "the same, bit for bit" if all(way.same for way in [*ways, *whole]) else "**another one**"
        more = f" {whole[0].full / max(1e-4, whole[0].less):.2f} |" if whole else ""
        print(f"| {row.name} | {row.share:.0%} | {gain:.2f} | {same} |{more}")


if __name__ == "__main__":
    main()

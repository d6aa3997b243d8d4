"""How well a repainted part joins its picture: Limner against diffusers' own inpaint pipeline on the starter model.

``python tests/bench/quality.py [--masks 60] [--first 1000] [--steps 20] [--model starter] [--out FILE.md]`` repaints
seeded parts of held-out drawings in each way and prints one table. Drawings, masks, prompts, seeds, model, sampler and
guidance are the same for all. Limner's ring and colour match were chosen on the masks 0 to 59: the default is others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging" / "starter")]

import diffusers  # noqa: E402
from dataset import sample  # noqa: E402

from app.core.geometry import Size  # noqa: E402
from app.core.request import Inpaint, Request  # noqa: E402
from app.core.samplers import DEFAULT_SAMPLER, SAMPLERS  # noqa: E402
from app.core.seam import PLAIN, Seam  # noqa: E402
from app.diffusion.engine import Engine  # noqa: E402
from app.diffusion.placement import Placement  # noqa: E402
from tests.engine_tools import RecordingHooks  # noqa: E402

MODELS = ROOT / "resources" / "models"
HELD_OUT = 4711
"""A seed of the drawings' world that no training used."""
GUIDANCE = 5.0
Picture = NDArray[np.uint8]
Field = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One picture, the part of it to repaint (0 or 255), and the words for it."""

    number: int
    picture: Picture
    mask: Picture
    prompt: str


def make_case(number: int) -> Case:
    """A drawing and a hard-edged blob on it, both from the number alone."""
    picture, captions, _ = sample(HELD_OUT, number)
    return Case(number, picture, blob(np.random.default_rng([HELD_OUT, number]), picture.shape[0]), captions[0])


def blob(rng: np.random.Generator, side: int) -> Picture:
    """An ellipse or a polygon of a twentieth to a third of the picture, not aligned to anything, its edge hard."""
    canvas = Image.new("L", (side, side))
    x, y = rng.uniform(0.3, 0.7, 2) * side
    rx, ry = rng.uniform(0.16, 0.32, 2) * side
    if rng.random() < 0.5:
        ImageDraw.Draw(canvas).ellipse((x - rx, y - ry, x + rx, y + ry), fill=255)
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        ways = rng.uniform(0.75, 1.1, 9)
        corners = [(x + rx * w * np.cos(a), y + ry * w * np.sin(a)) for a, w in zip(angles, ways, strict=True)]
        ImageDraw.Draw(canvas).polygon(corners, fill=255)
    return np.asarray(canvas)


# What is measured


@dataclass(frozen=True)
class Score:
    """``changed``: pixels outside the mask that differ from the picture. ``step``: distance of the mean colours of
    the strips on both sides of the edge, Oklab x 100; ``nearby``: the same at a line that runs 8 px outside the edge,
    so that what softens the whole picture gains nothing by it. ``visibility``: contrast across the edge over contrast
    nearby; 1 cannot be told from the rest of the picture."""

    changed: float
    step: float
    nearby: float
    visibility: float


STRIP = 3
"""Pixels on each side of the mask's edge over which a colour is averaged."""
STRETCH = 8
"""Side of the blocks into which the edge is cut, so that a step up here and a step down there do not cancel."""


def score(case: Case, result: Picture) -> Score:
    kept = case.mask == 0
    changed = int(((result != case.picture).any(axis=2) & kept).sum())
    colours, away = oklab(result), distance(case.mask)
    step, nearby = colour_step(colours, away), colour_step(colours, away + STRETCH)
    return Score(changed, step, nearby, visibility(colours, away))


def colour_step(colours: Field, away: Field) -> float:
    """Mean over stretches of the edge of the colour distance between the strips inside and outside."""
    rows, columns = np.indices(away.shape) // STRETCH
    steps, weights = [], []
    for block in np.unique(rows * 1000 + columns):
        here = rows * 1000 + columns == block
        inner, outer = here & (away > 0) & (away <= STRIP), here & (away < 0) & (away >= -STRIP)
        if min(inner.sum(), outer.sum()) >= STRETCH:
            steps.append(np.linalg.norm(colours[inner].mean(axis=0) - colours[outer].mean(axis=0)))
            weights.append(min(inner.sum(), outer.sum()))
    return 100 * float(np.average(steps, weights=weights))


def visibility(colours: Field, away: Field) -> float:
    """Mean contrast between neighbours on two sides of the edge, over that between neighbours 4 to 10 px from it."""
    across, near = [], []
    for here, there in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        contrast = np.linalg.norm(colours[here] - colours[there], axis=2)
        least = np.minimum(np.abs(away[here]), np.abs(away[there]))
        same_side = away[here] * away[there] > 0
        across.append(contrast[~same_side])
        near.append(contrast[same_side & (least >= 4) & (least <= 10)])
    return float(np.concatenate(across).mean() / np.concatenate(near).mean())


def distance(mask: Picture) -> Field:
    """Pixels to the mask's edge: positive inside, negative outside, never 0."""
    points = np.argwhere(edge_of(mask)) + 0.0
    rows, columns = np.indices(mask.shape)
    squared = np.full(mask.shape, np.inf)
    for y, x in points:
        squared = np.minimum(squared, (rows - y) ** 2 + (columns - x) ** 2)
    away = np.sqrt(squared)
    return np.where(mask > 0, away + 1, -np.maximum(away, 1))


def edge_of(mask: Picture) -> NDArray[np.bool_]:
    """Masked pixels with a neighbour that is not."""
    inside = np.pad(mask > 0, 1, constant_values=True)
    all_round = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return (mask > 0) & ~all_round


def oklab(picture: Picture) -> Field:
    """sRGB bytes to Oklab (Björn Ottosson, 2020, https://bottosson.github.io/posts/oklab/)."""
    unit = picture / 255.0
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    to_lms = np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    )  # fmt: skip
    to_lab = np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    )  # fmt: skip
    return np.cbrt(linear @ to_lms.T) @ to_lab.T


# The ways


Way = Callable[[Case], Picture]


def limner(model: Path, steps: int, seam: Seam) -> Way:
    engine = Engine(Placement(torch.device("cpu"), torch.float32))

    def paint(case: Case) -> Picture:
        height, width = case.mask.shape
        request = Request(
            prompt=case.prompt,
            model=str(model),
            size=Size(width, height),
            seed=case.number,
            steps=steps,
            guidance=GUIDANCE,
            task=Inpaint(image=case.picture, mask=case.mask, seam=seam),
        )
        return engine.run(request, RecordingHooks()).image

    return paint


def stock(model: Path, steps: int) -> Way:
    diffusers.utils.logging.set_verbosity_error()  # it warns of the small autoencoder, which it does take
    pipe = diffusers.StableDiffusionInpaintPipeline.from_pretrained(
        model, safety_checker=None, local_files_only=True, torch_dtype=torch.float32
    )
    row = SAMPLERS[DEFAULT_SAMPLER]
    pipe.scheduler = getattr(diffusers, row.scheduler).from_config(pipe.scheduler.config, **row.options)
    pipe.set_progress_bar_config(disable=True)

    def paint(case: Case) -> Picture:
        height, width = case.mask.shape
        made = pipe(
            case.prompt,
            image=Image.fromarray(case.picture),
            mask_image=Image.fromarray(case.mask),
            height=height,
            width=width,
            strength=1.0,
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            generator=torch.Generator().manual_seed(case.number),
        )
        return np.asarray(made.images[0])

    return paint


def pasted(way: Way) -> Way:
    """What a script around the pipeline does: put the picture back wherever the mask is black."""
    return lambda case: np.where(case.mask[..., None] > 0, way(case), case.picture)


def rebuilt(model: Path) -> Way:
    """Nothing repainted: what the autoencoder alone makes of the picture."""
    vae = diffusers.AutoencoderTiny.from_pretrained(model / "vae", local_files_only=True).float().eval()

    @torch.no_grad()
    def paint(case: Case) -> Picture:
        pixels = torch.from_numpy(case.picture.copy()).permute(2, 0, 1)[None] / 127.5 - 1
        made = vae.decode(vae.encode(pixels).latents).sample.clamp(-1, 1)
        return ((made[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()

    return paint


def ways(model: Path, steps: int) -> dict[str, Way]:
    peer = remembered(stock(model, steps))
    return {
        "the picture itself": lambda case: case.picture,
        "the picture through the autoencoder": rebuilt(model),
        "diffusers": peer,
        "diffusers, picture pasted back": pasted(peer),
        "Limner, mask as painted (no seam)": limner(model, steps, PLAIN),
        "Limner, no colour match": limner(model, steps, Seam(colour_match=False)),
        "**Limner**": limner(model, steps, Seam()),
    }


def remembered(way: Way) -> Way:
    """The same case is painted once."""
    made: dict[int, Picture] = {}

    def paint(case: Case) -> Picture:
        if case.number not in made:
            made[case.number] = way(case)
        return made[case.number]

    return paint


# The table


def table(scores: dict[str, list[Score]]) -> str:
    lines = [
        "| | px changed outside the mask | colour step at its edge | over the step 8 px outside | edge visibility |",
        "|---|---|---|---|---|",
    ]
    for name, row in scores.items():
        changed, step, nearby, seen = np.mean([(s.changed, s.step, s.nearby, s.visibility) for s in row], axis=0)
        lines.append(f"| {name} | {changed:.0f} | {step:.2f} | {step / nearby:.2f} | {seen:.2f} |")
    return "\n".join(lines)


def measure(model: Path, numbers: range, steps: int) -> dict[str, list[Score]]:
    cases = [make_case(number) for number in numbers]
    scores = {}
    for name, way in ways(model, steps).items():
        scores[name] = [score(case, way(case)) for case in cases]
        print(f"{name}: done", file=sys.stderr, flush=True)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masks", type=int, default=60)
    parser.add_argument("--first", type=int, default=1000, help="number of the first mask")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--model", choices=["starter", "starter-inpaint"], default="starter")
    parser.add_argument("--out", type=Path, help="also write the table there")
    given = parser.parse_args()
    numbers = range(given.first, given.first + given.masks)
    text = table(measure(MODELS / given.model, numbers, given.steps))
    label = SAMPLERS[DEFAULT_SAMPLER].label
    print(f"{given.model}: {given.masks} masks, {given.steps} steps, {label}, guidance {GUIDANCE:g}\n")
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()

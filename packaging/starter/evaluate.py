"""Measures the starter models on held-out captions. Run as `python packaging/starter/evaluate.py`."""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import autoencoder
import judge
import numpy as np
import painter
import text
import torch
from captions import describe
from dataset import QUESTIONS, answers, render
from diffusers import AutoencoderTiny, UNet2DConditionModel
from judge import Answers, Judge
from make import SEED
from numpy.typing import NDArray
from palette import PAINTS
from sheets import save_sheet
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer
from world import COLOURED, STYLES, UNCOLOURED, Scene, paint, plan

from app.core.geometry import Size
from app.core.job import Phase, Preview, Result
from app.core.request import Inpaint, Request
from app.diffusion.engine import Engine

HERE = Path(__file__).resolve().parent
JUDGE = HERE / "judge.safetensors"
HELD_OUT = SEED + 1
GUIDANCE, STEPS, THREADS = 4.5, 20, 2
SWEEP = (1.0, 2.5, 4.5, 7.0, 10.0)
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
Pictures = NDArray[np.uint8]
Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many pictures each measurement takes."""

    held_out: int = 512
    painted: int = 160
    swept: int = 32
    negated: int = 48
    inpainted: int = 35
    sheet: int = 64


SMOKE = Sizes(held_out=16, painted=4, swept=2, negated=2, inpainted=1, sheet=4)


class Starter:
    """An exported folder, loaded for batches of pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vae = AutoencoderTiny.from_pretrained(folder / "vae").float().eval()
        self.unet = UNet2DConditionModel.from_pretrained(folder / "unet").float().eval()
        self.encoder = CLIPTextModel.from_pretrained(folder / "text_encoder").float().eval()
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")

    def _embed(self, prompts: Sequence[str]) -> Tensor:
        return painter.embed(self.encoder, text.tokens_of(self.tokenizer, list(prompts)))

    @torch.no_grad()
    def paint(self, prompts: Sequence[str], *, guidance: float = GUIDANCE, negative: str = "") -> Pictures:
        """One picture for each prompt, as the app samples them: DPM++ 2M, 20 steps; seeds in order from 0."""
        made = []
        for start in range(0, len(prompts), 16):
            known, empty = self._embed(prompts[start : start + 16]), self._embed([negative])
            x = painter.sample(self.unet, known, empty, steps=STEPS, guidance=guidance, seed=start)
            out = self.vae.decode(x / self.vae.config.scaling_factor).sample.clamp(-1, 1)
            made.append(((out + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
        return np.concatenate(made)


def _percent(right: Sequence[bool] | NDArray[np.bool_]) -> float:
    return 100 * float(np.mean(right)) if len(right) else float("nan")


def scored(found: Answers, scenes: Sequence[Scene]) -> Figures:
    """How often the judge sees what the captions say."""
    names = list(QUESTIONS)
    truth = np.array([answers(scene) for scene in scenes])
    right = found == truth
    figures: Figures = {name: _percent(right[:, names.index(name)]) for name in ("time", "terrain", "ground")}
    present: list[bool] = []
    coloured: list[bool] = []
    placed: list[bool] = []
    doubled: list[bool] = []
    for kind in (*COLOURED, *UNCOLOURED):
        side = names.index(f"{kind} side")
        asked = truth[:, side] > 0
        # A thing is there when the judge sees a place for it; a coloured one also has to have a colour.
        seen = found[:, side] > 0
        figures[kind] = _percent(seen[asked])
        present += seen[asked].tolist()
        placed += right[asked & seen, side].tolist()
        if kind in COLOURED:
            colour = names.index(f"{kind} colour")
            both = seen & right[:, colour]  # a colour without a place is no thing
            coloured += both[asked].tolist()
            figures[f"{kind} in its colour"] = _percent(both[asked])
        if f"{kind} count" in names:
            count = names.index(f"{kind} count")
            doubled += right[truth[:, count] == 2, count].tolist()
    figures["things present"] = _percent(present)
    figures["present and in their colour"] = _percent(coloured)
    figures["on the side asked for"] = _percent(placed)
    figures["two where two were asked for"] = _percent(doubled)
    for name in ("weather", "style"):
        at = names.index(name)
        figures[name] = _percent(right[truth[:, at] > 0, at])
    return figures


def held_out_prompts(count: int) -> tuple[list[Scene], list[str]]:
    """Scenes that no training saw, and captions that say all of them."""
    scenes, prompts = [], []
    for i in range(count):
        scene = plan(np.random.default_rng([HELD_OUT, i]))
        scenes.append(scene)
        prompts.append(describe(scene, np.random.default_rng([HELD_OUT, i, 2]), gaps=0.0))
    return scenes, prompts


def _ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity (Wang et al., 2004) over 7 x 7 boxes, for pictures in 0..1."""

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 7, 1)

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean((1, 2, 3))


@torch.no_grad()
def rebuilt(vae: AutoencoderTiny, pictures: Pictures, styles: NDArray[np.int64]) -> Figures:
    """PSNR and SSIM of held-out renders through the autoencoder."""
    figures: Figures = {"PSNR": autoencoder.psnr(vae, pictures)}
    for i, style in enumerate(STYLES):
        if (styles == i).any():
            figures[f"PSNR {style}"] = autoencoder.psnr(vae, pictures[styles == i])
    values = []
    for start in range(0, len(pictures), 32):
        x = autoencoder.as_tensor(pictures[start : start + 32])
        out = vae.decode(vae.encode(x).latents).sample.clamp(-1, 1)
        values.append(_ssim((x + 1) / 2, (out + 1) / 2))
    figures["SSIM"] = float(torch.cat(values).mean())
    return figures


def negated(starter: Starter, critic: Judge, count: int) -> Figures:
    """How often trees grow without and with a negative prompt against them: where the prompt names them, and where it
    does not."""
    lands = ("a green meadow, hills", "hills and a lake", "a meadow, mountains", "a river, hills")
    times = ("noon", "dawn", "overcast", "sunset")
    names = list(QUESTIONS)
    figures: Figures = {}
    for way, said in (("named", ", trees"), ("unnamed", "")):
        prompts = [f"{lands[i % 4]}{said}, {times[i // 4 % 4]}" for i in range(count)]
        for name, negative in (("without", ""), ("with", "trees, pines")):
            found = judge.judged(critic, starter.paint(prompts, negative=negative))
            grown = (found[:, names.index("trees side")] > 0) | (found[:, names.index("pines side")] > 0)
            figures[f"{way} {name}"] = _percent(grown)
    return figures


class _Quiet:
    """Hooks that nobody listens to."""

    def cancelled(self) -> bool:
        return False

    def entered(self, phase: Phase) -> None:
        pass

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        pass

    def made(self, candidate: Result) -> None:
        pass


def _empty_skies(count: int) -> list[tuple[Pictures, str]]:
    """Held-out pictures with nothing in the sky, and a colour that a balloon there is to have."""
    found: list[tuple[Pictures, str]] = []
    i = 0
    while len(found) < count:
        rng = np.random.default_rng([HELD_OUT + 1, i])
        scene = plan(rng)
        i += 1
        if scene.style == "flat" and not scene.weather and not {t.kind for t in scene.things} & {"balloon", "birds"}:
            found.append((paint(scene, rng), list(PAINTS)[len(found) % len(PAINTS)]))
    return found


def repainted(engine: Engine, folder: Path, critic: Judge, count: int) -> tuple[Figures, Pictures]:
    """ "A red balloon" into a masked sky, by the app's own engine."""
    names, size = list(QUESTIONS), painter.NATIVE_LATENTS * 8
    rows, columns = np.mgrid[0:size, 0:size]
    made, asked, touched = [], [], 0
    for i, (picture, colour) in enumerate(_empty_skies(count)):
        x = size * (1 + 2 * (i % 3)) / 6
        mask = np.where(((columns - x) / 24) ** 2 + ((rows - 36) / 34) ** 2 <= 1, 255, 0).astype(np.uint8)
        request = Request(
            prompt=f"a{'n' if colour[0] == 'o' else ''} {colour} balloon",
            model=str(folder),
            size=Size(size, size),
            seed=i,
            steps=STEPS,
            guidance=GUIDANCE,
            task=Inpaint(image=picture, mask=mask),
        )
        image = engine.run(request, _Quiet()).image
        touched += int((image != picture).any(-1)[mask == 0].sum())
        made.append(image)
        asked.append(list(PAINTS).index(colour) + 1)
    found = judge.judged(critic, np.stack(made))
    seen = found[:, names.index("balloon side")] > 0
    figures: Figures = {
        "present": _percent(seen),
        "present and in its colour": _percent(seen & (found[:, names.index("balloon colour")] == np.array(asked))),
        "pixels touched outside": float(touched),
    }
    return figures, np.stack(made)


def seconds_a_picture(engine: Engine, folder: Path) -> float:
    """The best of five, at the native size, as the app does it; the first one also loads the model."""
    size = painter.NATIVE_LATENTS * 8
    taken = []
    for seed in range(6):
        request = Request(
            prompt=painter.VIEWED[0],
            model=str(folder),
            size=Size(size, size),
            seed=seed,
            steps=STEPS,
            guidance=GUIDANCE,
        )
        start = time.monotonic()
        engine.run(request, _Quiet())
        taken.append(time.monotonic() - start)
    return min(taken[1:])


def _own_accuracy(critic: Judge, pictures: Pictures, scenes: Sequence[Scene]) -> Figures:
    return scored(judge.judged(critic, pictures), scenes)


def _row(name: str, *values: float, form: str = "{:.0f} %") -> str:
    return "| " + " | ".join([name, *(form.format(value) for value in values)]) + " |"


def table(told: dict[str, Figures], sizes: Sizes) -> str:
    """All figures as the model card shows them."""
    painted, own, sweep = told["painted"], told["judge"], told["sweep"]
    kinds = (*COLOURED, *UNCOLOURED)
    asked = ("time", "terrain", "ground", "weather", "style", "things present", "present and in their colour")
    lines = [
        f"{sizes.painted} held-out captions, one picture each, seeds in order, guidance {GUIDANCE}; a small classifier",
        "trained on rendered pictures looks for what the caption says. Beside it, what it finds in held-out renders.",
        "",
        "| | painted | judge on renders |",
        "|---|---|---|",
        *(_row(name, painted[name], own[name]) for name in asked),
        *(_row(kind, painted[kind], own[kind]) for kind in kinds),
        *(_row(name, painted[name], own[name]) for name in ("on the side asked for", "two where two were asked for")),
        "",
        "| guidance | " + " | ".join(f"{g:g}" for g in SWEEP) + " |",
        "|---|" + "---|" * len(SWEEP),
        _row("time, terrain and ground", *(sweep[f"land {g:g}"] for g in SWEEP)),
        _row("present and in their colour", *(sweep[f"things {g:g}"] for g in SWEEP)),
        "",
        f'| inpainting: "a red balloon" into {sizes.inpainted} masked skies, seven colours in turn | starter (blend) '
        "| starter-inpaint |",
        "|---|---|---|",
        _row("present", told["blend"]["present"], told["concat"]["present"]),
        _row(
            "present and in its colour",
            told["blend"]["present and in its colour"],
            told["concat"]["present and in its colour"],
        ),
        _row(
            "pixels touched outside the mask",
            told["blend"]["pixels touched outside"],
            told["concat"]["pixels touched outside"],
            form="{:.0f}",
        ),
        "",
        "| | |",
        "|---|---|",
        *(
            f"| trees with “trees, pines” as negative prompt, {said}, in {sizes.negated} pictures "
            f"| {told['negative'][f'{way} without']:.0f} % → {told['negative'][f'{way} with']:.0f} % |"
            for way, said in (("named", "where the prompt names them"), ("unnamed", "where it does not"))
        ),
        f"| autoencoder on {sizes.held_out} held-out renders | {told['vae']['PSNR']:.1f} dB PSNR, "
        f"SSIM {told['vae']['SSIM']:.3f} |",
        "| the same by style | "
        + ", ".join(
            f"{style} {told['vae'][f'PSNR {style}']:.1f} dB" for style in STYLES if f"PSNR {style}" in told["vae"]
        )
        + " |",
        f"| one picture, {STEPS} steps, guidance {GUIDANCE}, CPU threads: {THREADS} "
        f"| {told['speed']['seconds']:.1f} s |",
    ]
    return "\n".join(lines)


def write_into(card: Path, figures: str) -> None:
    """Puts the figures between their two marks."""
    before, rest = card.read_text().split(BEGIN)
    after = rest.split(END)[1]
    card.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("resources/models/starter"), help="-inpaint lies beside it")
    parser.add_argument("--work", type=Path, default=Path("build/starter-eval"), help="held-out renders and sheets")
    parser.add_argument("--judge", type=Path, default=JUDGE, help="the classifier's weights")
    parser.add_argument("--write", action="store_true", help="put the figures into the model card")
    parser.add_argument("--sheet", type=Path, help="where a sheet of the first 64 pictures goes")
    parser.add_argument("--smoke", action="store_true", help="a few pictures, to see that it runs")
    return parser.parse_args()


def measure(options: argparse.Namespace, sizes: Sizes) -> dict[str, Figures]:
    critic = judge.load(options.judge)
    starter, inpainting = Starter(options.model), options.model.with_name(options.model.name + "-inpaint")
    held_out = render(options.work / "held-out", sizes.held_out, HELD_OUT)
    told: dict[str, Figures] = {}
    scenes, prompts = held_out_prompts(max(sizes.painted, sizes.held_out))
    told["judge"] = _own_accuracy(critic, held_out.pictures[: sizes.held_out], scenes[: sizes.held_out])
    told["vae"] = rebuilt(starter.vae, held_out.pictures, held_out.answers[:, list(QUESTIONS).index("style")])
    pictures = starter.paint(prompts[: sizes.painted])
    told["painted"] = scored(judge.judged(critic, pictures), scenes[: sizes.painted])
    save_samples(options.work / "samples.png", pictures[: sizes.sheet], prompts)
    if options.sheet:
        save_samples(options.sheet, pictures[: sizes.sheet])
    told["sweep"] = {}
    for guidance in SWEEP:
        found = judge.judged(critic, starter.paint(prompts[: sizes.swept], guidance=guidance))
        figures = scored(found, scenes[: sizes.swept])
        told["sweep"][f"land {guidance:g}"] = float(np.mean([figures[k] for k in ("time", "terrain", "ground")]))
        told["sweep"][f"things {guidance:g}"] = figures["present and in their colour"]
    told["negative"] = negated(starter, critic, sizes.negated)
    engine = Engine()
    for name, folder in (("blend", options.model), ("concat", inpainting)):
        told[name], made = repainted(engine, folder, critic, sizes.inpainted)
        save_samples(options.work / f"{name}.png", made)
    told["speed"] = {"seconds": seconds_a_picture(engine, options.model)}
    return told


def save_samples(path: Path, pictures: Pictures, prompts: Sequence[str] = ()) -> None:
    save_sheet(path, autoencoder.as_tensor(pictures), columns=8, captions=prompts[: len(pictures)])


def main() -> None:
    options = _arguments()
    torch.set_num_threads(THREADS)
    sizes = SMOKE if options.smoke else Sizes()
    told = measure(options, sizes)
    options.work.mkdir(parents=True, exist_ok=True)
    (options.work / "figures.json").write_text(json.dumps(told, indent=2) + "\n")
    figures = table(told, sizes)
    print(figures)
    if options.write:
        write_into(options.model / "README.md", figures)


if __name__ == "__main__":
    main()

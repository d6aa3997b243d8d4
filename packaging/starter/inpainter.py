"""The inpainting UNet: the painter, widened to see a mask and what is around it, and trained on with random masks."""

from pathlib import Path

import numpy as np
import torch
from autoencoder import as_tensor
from dataset import QUESTIONS, Dataset
from diffusers import AutoencoderTiny, UNet2DConditionModel
from numpy.random import Generator
from numpy.typing import NDArray
from painter import BATCH, Noising, embed, sample, some_dropped
from palette import PAINTS
from PIL import Image, ImageDraw
from sheets import save_sheet
from text import pick_captions, tokens_of
from torch import Tensor
from torch.nn import functional
from training import Trainer, device, worker
from transformers import CLIPTextModel, CLIPTokenizer
from world import COLOURED, SIDES, UNCOLOURED

WHOLE = 0.12  # share of masks that cover everything: painting from words alone stays known
AIMED = 0.5  # share of masks that cover one thing of the scene, if there is one
HEIGHTS = {"balloon": 0.26, "birds": 0.2, "lighthouse": 0.6, "boat": 0.78}  # where a thing's middle is, in heights
PLURALS = {"pines": "pines", "trees": "trees", "birds": "birds"}


def widen(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The same UNet with five more input channels, which at first change nothing."""
    wide = UNet2DConditionModel.from_config({**unet.config, "in_channels": 9})
    weights = unet.state_dict()
    known = weights["conv_in.weight"]
    weights["conv_in.weight"] = torch.cat([known, torch.zeros_like(known).repeat(1, 2, 1, 1)[:, :5]], 1)
    wide.load_state_dict(weights)
    return wide


def _blot(rng: Generator, size: int, x: float, y: float, wide: float, tall: float) -> NDArray[np.bool_]:
    """A box, an ellipse, or a broad stroke around a place; 1 is to be repainted."""
    picture = Image.new("L", (size, size))
    draw = ImageDraw.Draw(picture)
    kind = int(rng.integers(3))
    edges = (x - wide, y - tall, x + wide, y + tall)
    if kind == 0:
        draw.rectangle(edges, fill=1)
    elif kind == 1:
        draw.ellipse(edges, fill=1)
    else:
        points = [(x + float(rng.normal(0, wide * 0.6)), y + float(rng.normal(0, tall * 0.6))) for _ in range(5)]
        draw.line(points, fill=1, width=int(max(8, min(wide, tall))), joint="curve")
        for px, py in points:
            r = min(wide, tall) * 0.6
            draw.ellipse((px - r, py - r, px + r, py + r), fill=1)
    return np.asarray(picture).astype(bool)


def random_mask(rng: Generator, size: int) -> NDArray[np.bool_]:
    """Anything from a spot to the whole picture."""
    if rng.random() < WHOLE:
        return np.ones((size, size), bool)
    x, y = rng.uniform(0.1, 0.9, 2) * size
    wide, tall = rng.uniform(0.1, 0.45, 2) * size
    return _blot(rng, size, float(x), float(y), float(wide), float(tall))


def _present(answers: NDArray[np.int64]) -> list[tuple[str, str, int]]:
    """Kind, colour ("" where it has none) and side (0..2) of every thing in a scene."""
    told = dict(zip(QUESTIONS, answers.tolist(), strict=True))
    paints = list(PAINTS)
    found = []
    for kind in (*COLOURED, *UNCOLOURED):
        side = told[f"{kind} side"]
        if side:
            colour = paints[told[f"{kind} colour"] - 1] if kind in COLOURED else ""
            found.append((kind, colour, side - 1))
    return found


def aimed_mask(rng: Generator, size: int, kind: str, side: int) -> NDArray[np.bool_]:
    x = size * (side / len(SIDES) + 1 / 6 + rng.uniform(-0.06, 0.06))
    y = size * (HEIGHTS.get(kind, 0.72) + rng.uniform(-0.06, 0.06))
    wide, tall = size * rng.uniform(0.2, 0.3), size * rng.uniform(0.24, 0.34)
    return _blot(rng, size, float(x), float(y), float(wide), float(tall))


def hidden(pictures: Tensor, masks: Tensor) -> Tensor:
    """What the model is told of a picture: masked pixels grey, as in the original inpainting models."""
    return pictures * (1 - masks)


class Tasks:
    """Draws inpainting tasks: scenes, masks over them, and words for the whole or for what the mask hides."""

    def __init__(self, data: Dataset, rng: Generator) -> None:
        self.data, self.rng = data, rng

    def draw(self, count: int, among: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[str]]:
        at: NDArray[np.int64] = self.rng.integers(0, among, count)
        captions = pick_captions(self.rng, self.data, at)
        size = self.data.pictures.shape[1]
        masks = []
        for k, i in enumerate(at):
            things = _present(self.data.answers[i])
            if not things or self.rng.random() > AIMED:
                masks.append(random_mask(self.rng, size))
                continue
            kind, colour, side = things[int(self.rng.integers(len(things)))]
            masks.append(aimed_mask(self.rng, size, kind, side))
            if self.rng.random() < 0.5:
                name = " ".join(part for part in (colour, kind) if part)
                captions[k] = name if kind in PLURALS or self.rng.random() < 0.4 else _with_article(name)
        return at, np.stack(masks), captions


def _with_article(name: str) -> str:
    return ("an " if name[0] in "aeiou" else "a ") + name


@torch.no_grad()
def told_channels(vae: AutoencoderTiny, pictures: NDArray[np.uint8], masks: NDArray[np.bool_]) -> Tensor:
    """N x 5 x h x w: the mask by area, then the latents of what is left of the picture."""
    cover = torch.from_numpy(masks).to(device()).float()[:, None]
    left = hidden(as_tensor(pictures), cover).contiguous(memory_format=torch.channels_last)
    with torch.autocast(device().type, torch.bfloat16):
        latents = vae.encode(left).latents
    return torch.cat([functional.avg_pool2d(cover, 8), latents.float() * vae.config.scaling_factor], 1)


def train(
    work: Path,
    data: Dataset,
    held_out: Dataset,
    latents: Tensor,
    vae: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
    painter: UNet2DConditionModel,
    *,
    minutes: float,
    smoke: bool,
) -> UNet2DConditionModel:
    latents = latents * vae.config.scaling_factor
    unet = widen(painter).to(device(), memory_format=torch.channels_last)
    trainer = Trainer("inpainter", unet, work, minutes=minutes, rate=1e-3, half_life=200)
    rng = np.random.default_rng([8, trainer.steps, worker()])
    noising, tasks = Noising(), Tasks(data, rng)

    def loss_of(done: float) -> Tensor:
        at, masks, captions = tasks.draw(4 if smoke else BATCH, len(latents))
        text = embed(encoder, tokens_of(tokenizer, some_dropped(rng, captions)))
        clean = latents[torch.from_numpy(at)].to(device()).contiguous(memory_format=torch.channels_last)
        return noising.loss(unet, clean, text, told_channels(vae, data.pictures[at], masks))

    def look() -> None:
        view(work / "sheets" / "inpainter.png", held_out, trainer.ema, vae, tokenizer, encoder)

    trainer.run(loss_of, look)
    return trainer.ema


@torch.no_grad()
def view(
    path: Path,
    data: Dataset,
    unet: UNet2DConditionModel,
    vae: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
) -> None:
    """Pairs of what the model is given and what it makes of it."""
    at, masks, prompts = Tasks(data, np.random.default_rng(9)).draw(12, len(data))
    told = told_channels(vae, data.pictures[at], masks)
    known, empty = embed(encoder, tokens_of(tokenizer, prompts)), embed(encoder, tokens_of(tokenizer, [""]))
    made = vae.decode(sample(unet, known, empty, steps=20, guidance=5.0, seed=7, told=told) / vae.config.scaling_factor)
    cover = torch.from_numpy(masks).to(device()).float()[:, None]
    given = as_tensor(data.pictures[at])
    pasted = given * (1 - cover) + made.sample * cover
    pairs = torch.stack([hidden(given, cover), pasted], 1).flatten(0, 1)
    save_sheet(path, pairs, columns=8, captions=prompts)

"""The UNet: learns to take noise away from latents, told by the caption what is under it."""

from pathlib import Path

import numpy as np
import torch
from dataset import Dataset
from diffusers import AutoencoderTiny, DDIMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from sheets import save_sheet
from text import pick_captions, tokens_of
from torch import Tensor
from training import Trainer, device, in_half, worker
from transformers import CLIPTextModel, CLIPTokenizer

NATIVE_LATENTS = 16
NOISE_LEVELS = {  # Stable Diffusion v1's own
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "prediction_type": "epsilon",
}
BATCH = 32  # in each process
DROPPED = 0.1  # share of captions replaced by the empty prompt, for classifier-free guidance
SNR_CAP = 5.0  # min-SNR weighting, arXiv 2303.09556
VIEWED = (
    "a red house on the left, snowy mountains at sunset",
    "night, lake, yellow balloon",
    "a green sailing boat on a lake, hills, noon, the sun",
    "dunes, sand, dawn, a purple balloon on the right",
    "pine trees and a white house, snow, mountains, overcast",
    "a red lighthouse, sea cliffs, a lake, noon, clouds",
    "a full moon, stars, snowy mountains, a river at night",
    "two orange balloons and a blue tent, green meadow, noon",
    "a watercolour of a white sailing boat, sunset, mountains, lake",
    "an ink drawing of a yellow house by a river, hills",
    "a flock of birds over cliffs in fog at dawn, trees",
    "pixel art, falling snow, pines, overcast, a red balloon",
)


def ddim() -> DDIMScheduler:
    return DDIMScheduler(**NOISE_LEVELS, clip_sample=False, set_alpha_to_one=False)


def build(text_width: int, smoke: bool) -> UNet2DConditionModel:
    """Attention only at an eighth of the work: 8 x 8 and the 4 x 4 middle."""
    return UNet2DConditionModel(
        sample_size=NATIVE_LATENTS,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 16, 16) if smoke else (64, 128, 160),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=4,
        norm_num_groups=16,
    )


@torch.no_grad()
def embed(encoder: CLIPTextModel, tokens: Tensor) -> Tensor:
    return encoder(input_ids=tokens.to(device())).last_hidden_state


@torch.no_grad()
def sample(
    unet: UNet2DConditionModel,
    known: Tensor,
    empty: Tensor,
    *,
    steps: int,
    guidance: float,
    seed: int,
    told: Tensor | None = None,
) -> Tensor:
    """Scaled latents painted by DPM++ 2M for embedded prompts (N x 77 x width); told: see Noising.loss."""
    scheduler = DPMSolverMultistepScheduler(**NOISE_LEVELS)
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((len(known), 4, NATIVE_LATENTS, NATIVE_LATENTS), generator=generator).to(device())
    both = torch.cat([empty.expand_as(known), known])
    for t in scheduler.timesteps:
        seen = x if told is None else torch.cat([x, told], 1)
        without, asked = unet(torch.cat([seen, seen]), t, both).sample.chunk(2)
        x = scheduler.step(without + guidance * (asked - without), t, x).prev_sample
    return x


class Noising:
    """Random levels of noise on clean latents, and the loss of a prediction of that noise."""

    def __init__(self) -> None:
        self.alphas = ddim().alphas_cumprod.to(device())
        snr = self.alphas / (1 - self.alphas)
        self.weights = snr.clamp(max=SNR_CAP) / snr

    def loss(self, unet: UNet2DConditionModel, clean: Tensor, text: Tensor, told: Tensor | None = None) -> Tensor:
        """clean: N x 4 x h x w; told: further channels that the UNet sees as they are."""
        # Stratified: every batch covers all levels evenly.
        spread = torch.arange(len(clean), device=clean.device) + torch.rand(len(clean), device=clean.device)
        t = (spread * (len(self.alphas) / len(clean))).long().clamp(max=len(self.alphas) - 1)
        keep = self.alphas[t][:, None, None, None]
        noise = torch.randn_like(clean)
        noised = keep.sqrt() * clean + (1 - keep).sqrt() * noise
        with in_half():
            guess = unet(noised if told is None else torch.cat([noised, told], 1), t, text).sample.float()
        return (self.weights[t] * (guess - noise).square().mean((1, 2, 3))).mean()


def some_dropped(rng: np.random.Generator, captions: list[str]) -> list[str]:
    return ["" if rng.random() < DROPPED else c for c in captions]


def train(
    work: Path,
    data: Dataset,
    latents: Tensor,
    vae: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
    start: Path | None,
    *,
    minutes: float,
    smoke: bool,
) -> UNet2DConditionModel:
    """Trains on latents computed once; the text encoder is already taught and stays as it is."""
    latents = latents * vae.config.scaling_factor
    unet = build(encoder.config.hidden_size, smoke)
    if start is not None:
        unet.load_state_dict(UNet2DConditionModel.from_pretrained(start / "unet").float().state_dict())
    unet = unet.to(device(), memory_format=torch.channels_last)
    trainer = Trainer("painter", unet, work, minutes=minutes, rate=1.5e-3, half_life=250)
    rng = np.random.default_rng([5, trainer.steps, worker()])
    noising = Noising()

    def loss_of(done: float) -> Tensor:
        at: NDArray[np.int64] = rng.integers(0, len(latents), 4 if smoke else BATCH)
        text = embed(encoder, tokens_of(tokenizer, some_dropped(rng, pick_captions(rng, data, at))))
        clean = latents[torch.from_numpy(at)].to(device()).contiguous(memory_format=torch.channels_last)
        return noising.loss(unet, clean, text)

    def look() -> None:
        view(work / "sheets" / "painter.png", trainer.ema, vae, tokenizer, encoder)

    trainer.run(loss_of, look)
    return trainer.ema


@torch.no_grad()
def view(
    path: Path,
    unet: UNet2DConditionModel,
    vae: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
    *,
    steps: int = 20,
    guidance: float = 5.0,
    seed: int = 7,
) -> None:
    """A sheet of two pictures for each viewed prompt."""
    prompts = [p for p in VIEWED for _ in range(2)]
    known, empty = embed(encoder, tokens_of(tokenizer, prompts)), embed(encoder, tokens_of(tokenizer, [""]))
    x = sample(unet, known, empty, steps=steps, guidance=guidance, seed=seed)
    save_sheet(path, vae.decode(x / vae.config.scaling_factor).sample, columns=8, captions=prompts)

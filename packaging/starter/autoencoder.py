"""The autoencoder: pictures to 4-channel latents an eighth as large, and back."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from dataset import Dataset
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from sheets import save_sheet
from torch import Tensor
from torch.nn import functional
from training import Trainer, device, in_half, worker

# No ReLU blocks at full resolution: there the last two convolutions act as a sub-pixel head, which is four
# times cheaper on a CPU and as sharp. Encoder blocks start at a quarter, where 48 channels hold 4 x 4 x 3 pixels.
SHAPE = {"width": 48, "encoder": (0, 0, 2, 3), "decoder": (4, 4, 1, 0)}
SMOKE_SHAPE = {"width": 8, "encoder": (0, 0, 0, 1), "decoder": (1, 0, 0, 0)}


def build(smoke: bool) -> AutoencoderTiny:
    shape = SMOKE_SHAPE if smoke else SHAPE
    width = (shape["width"],) * 4
    return AutoencoderTiny(
        encoder_block_out_channels=width,
        decoder_block_out_channels=width,
        num_encoder_blocks=shape["encoder"],
        num_decoder_blocks=shape["decoder"],
        scaling_factor=1.0,
    )


def as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """N x H x W x 3 bytes to N x 3 x H x W in -1..1."""
    return torch.from_numpy(np.array(pictures)).to(device()).permute(0, 3, 1, 2).float() / 127.5 - 1


def _edges(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def reconstruction_loss(out: Tensor, target: Tensor) -> Tensor:
    """L1 on pixels and on their differences; the differences are what makes edges crisp."""
    loss = functional.l1_loss(out, target)
    for ours, theirs in zip(_edges(out), _edges(target), strict=True):
        loss = loss + functional.l1_loss(ours, theirs)
    return loss


def spread_loss(z: Tensor) -> Tensor:
    """Draws every latent channel towards mean 0 and variance 1, as the noise schedule expects."""
    mean, std = z.mean((0, 2, 3)), z.std((0, 2, 3))
    return (mean.square() + (std - 1).square()).mean()


def preview_loss(z: Tensor, target: Tensor) -> Tensor:
    """How far the best linear map from latents is from the mean colour of each 8 x 8 block (N x 3 x H x W in -1..1).

    Keeps colour where a cheap preview finds it; the map itself is solved for anew in every batch.
    """
    known = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])
    known = torch.cat([known, torch.ones_like(known[:, :1])], 1)
    wanted = functional.avg_pool2d(target, 8).permute(0, 2, 3, 1).reshape(-1, 3)
    with torch.no_grad():
        ridge = 1e-3 * len(known) * torch.eye(known.shape[1], device=z.device)
        fit = torch.linalg.solve(known.T @ known + ridge, known.T @ wanted)
    return (known @ fit - wanted).square().mean()


def crops(rng: np.random.Generator, data: Dataset, count: int, size: int) -> NDArray[np.uint8]:
    """Random windows at multiples of 8, so that latents see the same grid as in whole pictures."""
    whole = data.pictures.shape[1]
    picked = []
    for i in rng.integers(0, len(data), count):
        y, x = rng.integers(0, (whole - size) // 8 + 1, 2) * 8
        window = data.pictures[i, y : y + size, x : x + size]
        picked.append(window[:, ::-1] if rng.random() < 0.5 else window)
    return np.stack(picked)


@torch.no_grad()
def psnr(vae: AutoencoderTiny, pictures: NDArray[np.uint8]) -> float:
    """Mean over pictures, in dB, after rounding to bytes."""
    values = []
    for start in range(0, len(pictures), 32):
        x = as_tensor(pictures[start : start + 32])
        out = vae.decode(vae.encode(x).latents).sample.clamp(-1, 1)
        error = ((out - x) / 2).square().mean((1, 2, 3))
        values.append(-10 * error.log10())
    return float(torch.cat(values).mean())


@torch.no_grad()
def encode_all(vae: AutoencoderTiny, data: Dataset, path: Path) -> Tensor:
    """Latents of all pictures (N x 4 x 16 x 16), computed once and kept beside the checkpoints."""
    if path.exists():
        return torch.load(path, map_location="cpu", weights_only=True)
    print(f"latents: encoding {len(data)} pictures", flush=True)
    parts = []
    for start in range(0, len(data), 64):
        x = as_tensor(data.pictures[start : start + 64]).contiguous(memory_format=torch.channels_last)
        with in_half():
            parts.append(vae.encode(x).latents.float().cpu())
    latents = torch.cat(parts)
    torch.save(latents, path)
    return latents


def sharpen(
    work: Path, data: Dataset, held_out: Dataset, vae: AutoencoderTiny, latents: Tensor, *, minutes: float, smoke: bool
) -> None:
    """Trains the decoder alone on finished latents, so that it can go on while the UNet learns those latents."""
    decoder = vae.decoder.to(memory_format=torch.channels_last)
    trainer = Trainer("decoder", decoder, work, minutes=minutes, rate=1.5e-3, half_life=400)
    rng = np.random.default_rng([6, trainer.steps, worker()])
    window = 2 if smoke else 8  # latent pixels

    def loss_of(done: float) -> Tensor:
        pictures, codes = [], []
        for i in rng.integers(0, len(latents), 6):
            y, x = (int(v) for v in rng.integers(0, latents.shape[-1] - window + 1, 2))
            codes.append(latents[i, :, y : y + window, x : x + window])
            pictures.append(data.pictures[i, y * 8 : (y + window) * 8, x * 8 : (x + window) * 8])
        z = torch.stack(codes).to(device()).contiguous(memory_format=torch.channels_last)
        # Half of the windows see clean latents, half see some of the UNet's imprecision.
        amount = 0.06 * torch.rand(len(z), 1, 1, 1, device=z.device).round()
        with in_half():
            out = decoder(z + amount * torch.randn_like(z))
        return reconstruction_loss(out.float(), as_tensor(np.stack(pictures)))

    def look() -> None:
        ours = deepcopy(vae)
        ours.decoder.load_state_dict(trainer.ema.state_dict())
        _look(work / "sheets" / "decoder.png", ours, held_out)

    trainer.run(loss_of, look)


def _look(path: Path, vae: AutoencoderTiny, held_out: Dataset) -> None:
    print(f"{path.stem}: {psnr(vae, held_out.pictures[:64]):.2f} dB on held-out pictures", flush=True)
    x = as_tensor(held_out.pictures[:12])
    with torch.no_grad():
        out = vae.decode(vae.encode(x).latents).sample
    save_sheet(path, torch.cat([x, out]), columns=6)


def train(
    work: Path, data: Dataset, held_out: Dataset, start: Path | None, *, minutes: float, smoke: bool
) -> AutoencoderTiny:
    """Crops first, whole pictures for the last part; from nothing, or from the weights of an older model."""
    vae = build(smoke)
    if start is not None:
        vae.load_state_dict(AutoencoderTiny.from_pretrained(start / "vae").float().state_dict())
    vae = vae.to(device(), memory_format=torch.channels_last)
    trainer = Trainer("autoencoder", vae, work, minutes=minutes, rate=2e-3)
    rng = np.random.default_rng([3, trainer.steps, worker()])

    def loss_of(done: float) -> Tensor:
        count, size = (6, 64) if done < 0.85 else (2, data.pictures.shape[1])
        x = as_tensor(crops(rng, data, count, size)).contiguous(memory_format=torch.channels_last)
        with in_half():
            z = vae.encode(x).latents
            # A little noise makes the decoder forgive what the UNet gets slightly wrong.
            out = vae.decode(z + 0.05 * torch.randn_like(z)).sample
        loss = reconstruction_loss(out.float(), x) + 0.1 * spread_loss(z.float())
        return loss + 0.3 * preview_loss(z.float(), x)

    def look() -> None:
        _look(work / "sheets" / "autoencoder.png", trainer.ema, held_out)

    trainer.run(loss_of, look)
    return trainer.ema

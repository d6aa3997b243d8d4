"""The judge: a small classifier that looks at a picture and says what is in it, to measure the models with."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from dataset import QUESTIONS, Dataset
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from training import Trainer, device, in_half, worker

WIDTHS = (24, 48, 96, 128, 128)
Answers = NDArray[np.int64]


class Judge(nn.Module):
    """Five convolutions that halve the picture, then one linear answer sheet over what is left, 4 x 4 places."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in WIDTHS:
            layers += [nn.Conv2d(before, width, 3, 2, 1), nn.GroupNorm(8, width), nn.SiLU()]
            before = width
        self.look = nn.Sequential(*layers)
        self.answer = nn.Linear(before * 16, sum(QUESTIONS.values()))

    def forward(self, x: Tensor) -> Tensor:
        """N x 3 x 128 x 128 in -1..1 to logits, all questions side by side."""
        return self.answer(self.look(x).flatten(1))


def split(logits: Tensor) -> Iterator[Tensor]:
    yield from logits.split(list(QUESTIONS.values()), 1)


def as_seen(pictures: NDArray[np.uint8]) -> Tensor:
    """N x H x W x 3 bytes to N x 3 x H x W in -1..1."""
    return torch.from_numpy(np.array(pictures)).to(device()).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def judged(judge: Judge, pictures: NDArray[np.uint8]) -> Answers:
    """N x questions: the likeliest answer to each."""
    found = []
    for start in range(0, len(pictures), 64):
        logits = judge(as_seen(pictures[start : start + 64]))
        found.append(torch.stack([part.argmax(1) for part in split(logits)], 1).cpu().numpy())
    return np.concatenate(found)


def _softened(x: Tensor) -> Tensor:
    """Half of the time as blurred as a small autoencoder may make it, so that blur is not taken for an answer."""
    if torch.rand(()) < 0.5:
        small = functional.interpolate(x, scale_factor=0.5, mode="area")
        soft = functional.interpolate(small, scale_factor=2.0, mode="bilinear")
        x = torch.lerp(x, soft, float(torch.rand(())))
    return x + 0.04 * torch.randn_like(x)


def train(work: Path, data: Dataset, *, minutes: float, smoke: bool) -> Judge:
    judge = Judge().to(device(), memory_format=torch.channels_last)
    trainer = Trainer("judge", judge, work, minutes=minutes, rate=1.5e-3)
    rng = np.random.default_rng([10, trainer.steps, worker()])

    def loss_of(done: float) -> Tensor:
        at = rng.integers(0, len(data), 8 if smoke else 48)
        x = _softened(as_seen(data.pictures[at])).contiguous(memory_format=torch.channels_last)
        with in_half():
            logits = judge(x)
        truth = torch.from_numpy(data.answers[at]).to(device())
        parts = zip(split(logits.float()), truth.T, strict=True)
        return torch.stack([functional.cross_entropy(part, answer) for part, answer in parts]).sum()

    trainer.run(loss_of)
    return trainer.ema


def save(judge: Judge, path: Path) -> None:
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, path)


def load(path: Path) -> Judge:
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return judge.to(device()).eval()

"""One training loop for all parts: a time budget, a learning rate over it, EMA, checkpoints, progress lines."""

import math
import os
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from muon import Muon
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

CHECKPOINT_SECONDS = 150.0
LOOK_SECONDS = 540.0
WARMUP_STEPS = 100
COOLDOWN = 0.5  # the last half of the budget brings the rate down


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def worker() -> int:
    """Which of several processes this is, 0 where there is only one: every one of them draws its own samples."""
    return dist.get_rank() if dist.is_initialized() else 0


def in_half() -> torch.autocast:
    """Forward passes in bfloat16: on CPUs that have it much faster, and as good here; losses stay in full."""
    return torch.autocast(device().type, torch.bfloat16)


def latest(name: str, module: nn.Module, work: Path) -> nn.Module:
    """Puts the averaged weights of the last checkpoint, if there is one, into module."""
    path = work / f"{name}.pt"
    if path.exists():
        module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["ema"])
    else:
        print(f"{name}: no checkpoint yet, untrained weights", flush=True)
    return module.to(device()).eval()


def spent_minutes(name: str, work: Path) -> float:
    """Wall-clock minutes of training behind the last checkpoint."""
    path = work / f"{name}.pt"
    return float(torch.load(path, map_location="cpu", weights_only=True)["elapsed"]) / 60 if path.exists() else 0.0


class Trainer:
    """Trains a module for a number of minutes that counts across interruptions; `ema` is what to use afterwards.

    Where several processes train together, all see the mean of their gradients and so stay the same; the first one
    keeps the time, the checkpoints and the progress lines.
    """

    def __init__(
        self, name: str, module: nn.Module, work: Path, *, minutes: float, rate: float, half_life: float = 200.0
    ) -> None:
        self.name, self.module, self.minutes, self.rate, self.half_life = name, module, minutes, rate, half_life
        self.ema = deepcopy(module).requires_grad_(False).eval()
        self.optimiser = Muon(module, rate=rate)
        self.path = work / f"{name}.pt"
        self.elapsed, self.steps, self._last = 0.0, 0, 0.0
        if self.path.exists():
            self._resume()
        torch.manual_seed(1000 * self.steps + worker())

    def _resume(self) -> None:
        state = torch.load(self.path, map_location=device(), weights_only=True)
        self.module.load_state_dict(state["module"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.elapsed, self.steps = state["elapsed"], state["steps"]
        self._say(f"resumed at step {self.steps}, {self.elapsed / 60:.1f} min")

    def _say(self, text: str) -> None:
        if worker() == 0:
            print(f"{self.name}: {text}", flush=True)

    def save(self) -> None:
        if worker():
            return
        state: dict[str, Any] = {
            "module": self.module.state_dict(),
            "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "elapsed": self.elapsed,
            "steps": self.steps,
        }
        beside = self.path.with_suffix(".part")
        torch.save(state, beside)
        os.replace(beside, self.path)

    @property
    def done(self) -> float:
        """How much of the budget is used, 0..1."""
        return min(1.0, self.elapsed / (self.minutes * 60))

    def _rate(self) -> float:
        warm = min(1.0, (self.steps + 1) / WARMUP_STEPS)
        cool = max(0.0, (self.done - 1 + COOLDOWN) / COOLDOWN)
        return self.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * cool)))

    def _average(self) -> None:
        # Young averages forget faster, so that the start does not linger.
        keep = 0.5 ** (1 / min(self.half_life, 1 + self.steps / 4))
        ours = list(self.ema.parameters())
        torch._foreach_lerp_(ours, [p.detach() for p in self.module.parameters()], 1 - keep)

    def _share(self) -> None:
        """Gradients become their mean over all processes, and all take the first one's clock."""
        now = time.monotonic()
        self.elapsed, self._last = self.elapsed + now - self._last, now
        if not dist.is_initialized():
            return
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.module.parameters()]
        clock = torch.tensor([self.elapsed if worker() == 0 else 0.0])
        flat = _flatten_dense_tensors([*gradients, clock])
        dist.all_reduce(flat)
        self.elapsed = float(flat[-1])
        flat /= dist.get_world_size()
        for p, mean in zip(self.module.parameters(), _unflatten_dense_tensors(flat[:-1], gradients), strict=True):
            p.grad = mean.contiguous(memory_format=torch.channels_last) if p.ndim == 4 else mean

    def _step(self, loss_of: Callable[[float], Tensor]) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        loss = loss_of(self.done)
        loss.backward()
        self._share()
        nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.module.zero_grad(set_to_none=True)
        self._average()
        self.steps += 1
        return float(loss.detach())

    def run(self, loss_of: Callable[[float], Tensor], looked_at: Callable[[], None] | None = None) -> None:
        """Steps until the budget is used; loss_of gets the used share; looked_at draws samples at checkpoints."""
        self.module.train()
        saved = looked = self._last = time.monotonic()
        losses: list[float] = []
        while self.done < 1:
            losses.append(self._step(loss_of))
            if len(losses) == 50:
                spent = f"{self.elapsed / 60:.1f}/{self.minutes:.1f} min"
                self._say(f"step {self.steps}, {spent}, loss {sum(losses) / len(losses):.4f}")
                losses = []
            if self._last - saved > CHECKPOINT_SECONDS and worker() == 0:
                self.save()
                saved = time.monotonic()
                if looked_at is not None and saved - looked > LOOK_SECONDS:
                    looked_at()
                    looked = time.monotonic()
                self._last = time.monotonic()  # saving and drawing are not training time
        self.save()
        if looked_at is not None and worker() == 0:
            looked_at()

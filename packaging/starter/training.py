"""One training loop for all parts: a time budget, a learning rate over it, EMA, checkpoints, progress lines."""

import math
import os
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from muon import Muon
from torch import Tensor, nn

CHECKPOINT_SECONDS = 150.0
LOOK_SECONDS = 540.0
WARMUP_STEPS = 100
COOLDOWN = 0.5  # the last half of the budget brings the rate down


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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
    """Trains a module for a number of minutes that counts across interruptions; `ema` is what to use afterwards."""

    def __init__(
        self, name: str, module: nn.Module, work: Path, *, minutes: float, rate: float, half_life: float = 200.0
    ) -> None:
        self.name, self.module, self.minutes, self.rate, self.half_life = name, module, minutes, rate, half_life
        self.ema = deepcopy(module).requires_grad_(False).eval()
        self.optimiser = Muon(module, rate=rate)
        self.path = work / f"{name}.pt"
        self.elapsed, self.steps = 0.0, 0
        if self.path.exists():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.path, map_location=device(), weights_only=True)
        self.module.load_state_dict(state["module"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.elapsed, self.steps = state["elapsed"], state["steps"]
        print(f"{self.name}: resumed at step {self.steps}, {self.elapsed / 60:.1f} min", flush=True)

    def save(self) -> None:
        state = {
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

    def run(self, loss_of: Callable[[float], Tensor], looked_at: Callable[[], None] | None = None) -> None:
        """Steps until the budget is used; loss_of gets the used share; looked_at draws samples at checkpoints."""
        self.module.train()
        saved = looked = last = time.monotonic()
        total, count = 0.0, 0
        while self.done < 1:
            for group in self.optimiser.param_groups:
                group["lr"] = self._rate()
            loss = loss_of(self.done)
            loss.backward()
            nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
            self.optimiser.step()
            self.module.zero_grad(set_to_none=True)
            self._average()
            now = time.monotonic()
            self.elapsed, last, self.steps = self.elapsed + now - last, now, self.steps + 1
            total, count = total + float(loss.detach()), count + 1
            if count == 50:
                print(
                    f"{self.name}: step {self.steps}, {self.elapsed / 60:.1f}/{self.minutes:.1f} min, "
                    f"loss {total / count:.4f}",
                    flush=True,
                )
                total, count = 0.0, 0
            if now - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
                if looked_at is not None and saved - looked > LOOK_SECONDS:
                    looked_at()
                    looked = time.monotonic()
                last = time.monotonic()  # saving and drawing are not training time
        self.save()
        if looked_at is not None:
            looked_at()

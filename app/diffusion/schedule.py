"""One run of a sampler: a fresh diffusers scheduler, cut for strength."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import diffusers
import torch

from app.core.errors import RequestError
from app.core.samplers import Sampler
from app.diffusion.transfers import unhurried


def steps_to_run(steps: int, strength: float) -> int:
    """How many of ``steps`` an image start at ``strength`` runs: the whole part of their product, as everywhere in
    the field, but at least one unless the strength is 0. (The small term keeps 0.29 x 100 at 29.)"""
    if strength <= 0:
        return 0
    return min(steps, max(1, int(steps * strength + 1e-6)))


NO_SIGNAL = 2.0**-24
"""How much of the picture is left where none should be: some formulas divide by its root."""


def levels_for(scheduler_class: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with levels that end without any signal (arXiv 2305.08891, algorithm 1) where it asks for that and
    the scheduler cannot work them out by itself."""
    if (
        not config.get("rescale_betas_zero_snr")
        or "rescale_betas_zero_snr" in inspect.signature(scheduler_class).parameters
    ):
        return dict(config)
    signal = diffusers.DDIMScheduler.from_config(dict(config)).alphas_cumprod.double().clamp(min=NO_SIGNAL)
    kept = torch.cat([signal[:1], signal[1:] / signal[:-1]])
    return dict(config) | {"trained_betas": (1 - kept).tolist(), "rescale_betas_zero_snr": False}


class Schedule:
    """The noise levels of one run and the rule that goes from each to the next.

    Each candidate of the run draws its numbers from its own of the ``generators``. A scheduler keeps an index and a
    history, so a Schedule serves one pass over its steps and is then spent. Its timesteps and tables lie on the
    processor, whatever the device of the latents: they are looked at in every step, and to look at a number on a
    graphics card is to wait for all that is queued there. Raises RequestError where the model knows fewer noise
    levels than steps are asked for.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        sampler: Sampler,
        steps: int,
        strength: float,
        generators: list[torch.Generator],
        device: torch.device,
    ) -> None:
        levels = int(config.get("num_train_timesteps", 1000))
        if steps > levels:
            raise RequestError(
                f"{steps} steps cannot be run: this model knows {levels} noise levels.",
                f"Choose at most {levels} steps.",
            )
        scheduler_class = getattr(diffusers, sampler.scheduler)
        self._scheduler = scheduler_class.from_config(levels_for(scheduler_class, config), **sampler.options)
        self._scheduler.set_timesteps(steps, device="cpu")
        self.device = device
        skipped = (steps - steps_to_run(steps, strength)) * self._scheduler.order
        self.timesteps: torch.Tensor = self._scheduler.timesteps[skipped:]
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(skipped)
        takes_generator = "generator" in inspect.signature(self._scheduler.step).parameters
        self._step_options: dict[str, Any] = dict(sampler.step_options)
        if takes_generator:
            self._step_options["generator"] = generators
        self._alphas: torch.Tensor = self._scheduler.alphas_cumprod.float().cpu()
        self._predicts = self._scheduler.config.get("prediction_type", "epsilon")

        self._done = 0

    def __iter__(self) -> Iterator[tuple[int, torch.Tensor]]:
        """The steps that are left: number, counted from 0, and timestep. A step that was given out is done."""
        while self._done < len(self.timesteps):
            self._done += 1
            yield self._done - 1, self.timesteps[self._done - 1]

    def __len__(self) -> int:
        return len(self.timesteps)

    def pure_noise(self, noise: torch.Tensor) -> torch.Tensor:
        """Unit noise at the level where the whole schedule begins."""
        return noise * self._scheduler.init_noise_sigma

    def noised(self, clean: torch.Tensor, noise: torch.Tensor, index: int) -> torch.Tensor:
        """``clean`` at the level of step ``index``.

        Some schedulers use their own position in place of the timestep once they run, so ask only for the first
        step before the run, and right after a step for the one that follows.
        """
        # what the scheduler makes of 1 and 0 tells how much it takes of both; given the latents themselves, it would
        # bring its tables to their device, and search in them there
        one, other = torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [1.0]])
        signal, spread = self._scheduler.add_noise(one, other, self.timesteps[index : index + 1]).flatten().tolist()
        return signal * clean + spread * noise

    def scaled(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """``x`` in the variance-preserving form that the UNet was trained on."""
        return self._scheduler.scale_model_input(x, t)

    def step(self, noise: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        with unhurried(self.device):
            return self._scheduler.step(noise, t, x, return_dict=False, **self._step_options)[0]

    def clean(self, scaled: torch.Tensor, noise: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """What the model believes the end looks like (DDIM, arXiv 2010.02502, eq. 12), from the scaled input.

        Exact where timesteps are whole numbers; the nearest level is taken where they are not.
        """
        alpha = self._alphas[round(float(t))]
        signal, spread = alpha.sqrt().item(), (1 - alpha).sqrt().item()
        if self._predicts == "v_prediction":  # arXiv 2202.00512
            return signal * scaled - spread * noise
        if self._predicts == "sample":
            return noise
        return (scaled - spread * noise) / signal

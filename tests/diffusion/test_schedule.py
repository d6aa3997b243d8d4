"""The clean estimate of the preview is the one that DDIM works with, whatever the UNet predicts."""

from __future__ import annotations

import diffusers
import pytest
import torch

from app.core.errors import RequestError
from app.core.samplers import SAMPLERS, sampler
from app.diffusion.loading import checked_schedule
from app.diffusion.schedule import Schedule

CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def _schedule(steps: int, id: str = "ddim", **config: object) -> Schedule:
    return Schedule(CONFIG | config, sampler(id), steps, 1.0, [torch.Generator()], torch.device("cpu"))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_clean_is_ddims_own_estimate(prediction: str) -> None:
    schedule = _schedule(5, prediction_type=prediction)
    peer = diffusers.DDIMScheduler(**CONFIG, prediction_type=prediction, clip_sample=False)
    peer.set_timesteps(5)
    generator = torch.Generator().manual_seed(0)
    for t in schedule.timesteps:
        x, predicted = (torch.randn(1, 4, 3, 3, generator=generator) for _ in range(2))
        theirs = peer.step(predicted, t, x).pred_original_sample
        torch.testing.assert_close(schedule.clean(x, predicted, t), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("id", list(SAMPLERS))
def test_clean_finds_the_picture_that_was_noised(id: str) -> None:
    """Noise a picture to each level, predict exactly that noise: the estimate is the picture, for every sampler."""
    schedule = _schedule(6, id)
    generator = torch.Generator().manual_seed(0)
    picture, noise = (torch.randn(1, 4, 3, 3, generator=generator) for _ in range(2))
    t = schedule.timesteps[0]
    scaled = schedule.scaled(schedule.noised(picture, noise, 0), t)
    estimate = schedule.clean(scaled, noise, t)
    # at the noisiest level a rounded timestep costs most
    assert (estimate - picture).abs().max() < 0.15


def test_more_steps_than_levels_are_refused() -> None:
    with pytest.raises(RequestError, match="10 noise levels"):
        _schedule(11, num_train_timesteps=10)


ZERO_SNR = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}


@pytest.mark.parametrize("id", list(SAMPLERS))
def test_zero_terminal_snr_is_kept_by_every_sampler(id: str) -> None:
    """At the first level nothing of a picture is left; and a UNet that knows the picture is followed to it."""
    schedule = _schedule(12, id, set_alpha_to_one=False, **ZERO_SNR)
    generator = torch.Generator().manual_seed(0)
    picture, noise = (torch.randn(1, 4, 3, 3, generator=generator) for _ in range(2))
    first = schedule.timesteps[0]
    blank = schedule.scaled(schedule.noised(torch.zeros_like(picture), noise, 0), first)
    torch.testing.assert_close(schedule.scaled(schedule.noised(picture, noise, 0), first), blank, atol=2e-3, rtol=0)
    schedule = _schedule(12, id, set_alpha_to_one=False, **ZERO_SNR)
    levels = diffusers.DDIMScheduler(**CONFIG, **ZERO_SNR).alphas_cumprod
    x = schedule.pure_noise(noise)
    for _, t in schedule:
        scaled = schedule.scaled(x, t)
        signal, spread = levels[round(float(t))].sqrt(), (1 - levels[round(float(t))]).sqrt()
        velocity = signal * (scaled - signal * picture) / spread - spread * picture
        x = schedule.step(velocity, t, x)
    assert (x - picture).abs().max() < 0.2  # what DDIM leaves, whose last level is not without noise


def test_zero_terminal_snr_asks_for_v_prediction() -> None:
    config = CONFIG | {"rescale_betas_zero_snr": True, "prediction_type": "epsilon"}
    assert not checked_schedule(config)["rescale_betas_zero_snr"]
    assert checked_schedule(CONFIG | ZERO_SNR)["rescale_betas_zero_snr"]

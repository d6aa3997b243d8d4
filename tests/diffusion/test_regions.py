"""Regions: what is held stays held, and a soft mask joins by its value."""

from __future__ import annotations

import torch

from app.core.samplers import sampler
from app.diffusion.regions import BlendMask, ConcatMask, Everywhere
from app.diffusion.schedule import Schedule

CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def _schedule(steps: int) -> Schedule:
    return Schedule(CONFIG, sampler("ddim"), steps, 1.0, [torch.Generator()], torch.device("cpu"))


def test_everywhere_changes_nothing() -> None:
    x = torch.randn(1, 4, 2, 2)
    assert Everywhere().model_input(x) is x
    assert Everywhere().after_step(x, 0) is x


def test_concat_appends_mask_then_picture() -> None:
    x, mask, masked = torch.zeros(1, 4, 2, 2), torch.ones(1, 1, 2, 2), torch.full((1, 4, 2, 2), 2.0)
    seen = ConcatMask(mask, masked).model_input(x)
    assert seen[0, :, 0, 0].tolist() == [0.0] * 4 + [1.0] + [2.0] * 4


def test_blend_puts_back_by_value_and_time() -> None:
    """Of 4 steps a latent at 0.3 joins when less than 0.3 of the steps are left: after the third."""
    mask = torch.tensor([0.0, 0.3, 0.6, 1.0]).reshape(1, 1, 1, 4)
    clean, noise = torch.zeros(1, 4, 1, 4), torch.zeros(1, 4, 1, 4)
    schedule = _schedule(4)
    region = BlendMask(mask, clean, noise, schedule)
    x = torch.ones(1, 4, 1, 4)
    free = [region.after_step(x, i)[0, 0, 0].tolist() for i in range(4)]
    assert free == [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]]


def test_what_is_put_back_has_the_noise_of_the_next_step_and_none_at_the_end() -> None:
    schedule = _schedule(4)
    clean, noise = torch.full((1, 4, 1, 1), 2.0), torch.ones(1, 4, 1, 1)
    region = BlendMask(torch.zeros(1, 1, 1, 1), clean, noise, schedule)
    x = torch.full((1, 4, 1, 1), 99.0)
    for i in range(3):
        expected = schedule.noised(clean, noise, i + 1)
        torch.testing.assert_close(region.after_step(x, i), expected)
        assert (expected != clean).all()
    torch.testing.assert_close(region.after_step(x, 3), clean)

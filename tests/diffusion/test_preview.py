"""The linear preview shows the colours that are there, over exactly the frame's box."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from app.core.geometry import FramePlan, Rect, Size
from app.diffusion.frame import WorkingFrame
from app.diffusion.preview import PreviewMap, fit_preview_map, preview_of, shown_through


class _BlockAverage:
    """A stand-in autoencoder whose latents are the 8 x 8 block colours and their mean, so that the map is known."""

    class config:  # noqa: N801 - as diffusers names it
        block_out_channels = (1, 1, 1, 1)
        latent_channels = 4
        scaling_factor = 2.0

    device, dtype = torch.device("cpu"), torch.float32

    def encode(self, picture: torch.Tensor) -> object:
        blocks = torch.nn.functional.avg_pool2d(picture, 8)
        latents = torch.cat([blocks, torch.sin(7 * blocks[:, :1])], dim=1)
        return type("Output", (), {"latents": latents})()


def test_the_fit_recovers_a_linear_code() -> None:
    fitted = fit_preview_map(_BlockAverage())
    expected = torch.cat([torch.eye(3) / 2, torch.zeros(1, 3)])
    torch.testing.assert_close(fitted.matrix, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(fitted.bias, torch.zeros(3), atol=1e-4, rtol=0)


RED = PreviewMap(torch.tensor([[1.0, -1, -1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]), torch.zeros(3))


def test_colours_and_alpha() -> None:
    frame = WorkingFrame(FramePlan(Rect(10, 20, 30, 16), Size(30, 16)), Size(32, 16))
    clean = torch.zeros((1, 4, 2, 4))
    clean[:, 0] = 1
    mask = torch.zeros((1, 1, 2, 4))
    mask[..., 2:] = 1
    preview = preview_of(RED.colours(clean).numpy(), shown_through(mask), 8, frame)
    assert preview.box == Rect(10, 20, 30, 16)
    assert preview.pixels.shape == (2, 4, 4)
    seen = preview.pixels[preview.pixels[..., 3] > 0]
    assert len(seen) >= 4
    assert (seen[:, :3] == (255, 0, 0)).all()
    assert preview.pixels[0, 0, 3] == 0
    assert preview.pixels[0, -1, 3] == 255


def test_padding_is_not_shown() -> None:
    """Of a canvas of 2 latents the picture covers one and a quarter: the second one's colour fills little."""
    frame = WorkingFrame(FramePlan(Rect(0, 0, 10, 8), Size(10, 8)), Size(16, 8))
    clean = torch.full((1, 4, 1, 2), -1.0)
    clean[:, :, :, 1] = 1
    shown = preview_of(RED.colours(clean).numpy(), None, 8, frame).pixels
    wide = np.asarray(Image.fromarray(shown[..., :3]).resize((100, 1), Image.Resampling.NEAREST))
    assert wide[0, 0, 0] < 20
    assert wide[0, :, 0].mean() < 128

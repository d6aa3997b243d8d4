"""Inpainting from end to end on tiny models: strength by the pixel, the start, the seam, and what it costs."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.core.edges import mixing
from app.core.geometry import Rect, Size
from app.core.job import Result
from app.core.request import FrameChoice, Inpaint
from app.core.seam import PLAIN, Fill, Seam
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.generate import generate, make_schedule, working_frame
from app.diffusion.kept import Kept
from app.diffusion.placement import Placement
from app.diffusion.start import Start, prepare_start
from tests.engine_tools import RecordingHooks, aligned_mask, final_latents, request_for, some_picture
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
SIZE = Size(64, 48)
PICTURE = some_picture(SIZE)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return load_bundle(make_tiny_model(tmp_path_factory.mktemp("inpainting") / "plain"), CPU)


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return load_bundle(make_tiny_model(tmp_path_factory.mktemp("inpainting") / "nine", TinyShape(channels_in=9)), CPU)


@pytest.fixture(params=["plain", "nine"])
def bundle(request: pytest.FixtureRequest) -> ModelBundle:
    made: ModelBundle = request.getfixturevalue(request.param)
    return made


def _ask(mask: np.ndarray, seam: Seam = PLAIN, strength: float = 1.0, **changes: Any) -> Any:
    task = Inpaint(image=PICTURE, mask=mask, strength=strength, seam=seam)
    return request_for(Path("unused"), task=task, **changes)


def _run(bundle: ModelBundle, request: Any) -> Result:
    return generate(bundle, request, RecordingHooks())


@torch.inference_mode()
def _start(bundle: ModelBundle, request: Any) -> Start:
    generators = [torch.Generator().manual_seed(request.seed)]
    schedule = make_schedule(bundle, request, generators)
    return prepare_start(bundle, request, working_frame(bundle, request), schedule, generators)


# Strength by the pixel


def test_a_mask_value_says_how_much_is_changed(bundle: ModelBundle) -> None:
    """Four strips of the picture at four strengths: the change grows with the value, and 0 changes nothing."""
    mask = np.repeat(np.array([0, 90, 170, 255], np.uint8), 16)[None].repeat(48, axis=0)
    latents, _ = final_latents(bundle, _ask(mask, steps=10))
    source, _ = final_latents(bundle, _ask(np.where(mask > 0, np.uint8(1), np.uint8(0)), steps=10))
    change = (latents - source).abs().mean(dim=(0, 1, 2)).reshape(4, 2).mean(dim=1).tolist()
    assert change[0] == 0
    assert change[1] < change[2] < change[3]


def test_half_a_mask_value_is_reduced_to_half_a_latent_and_never_to_all_or_nothing(bundle: ModelBundle) -> None:
    """One half of each 8 x 8 block: by area its latent is 0.5, which nearest neighbour would make 0 or 1."""
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 4:12] = 255
    painted = _start(bundle, _ask(mask)).mask
    assert painted is not None
    assert painted[0, 0, 0, :3].tolist() == [0.5, 0.5, 0.0]


def test_the_9_channel_model_is_shown_the_soft_mask(nine: ModelBundle) -> None:
    mask = np.repeat(np.array([0, 64, 128, 255], np.uint8), 16)[None].repeat(48, axis=0)
    region = _start(nine, _ask(mask)).region
    seen = region.model_input(torch.zeros(1, 4, 6, 8))[0, 4, 0]
    torch.testing.assert_close(seen * 255, torch.tensor([0.0, 0, 64, 64, 128, 128, 255, 255]))


def test_a_binary_mask_on_the_latents_grid_is_the_plain_blend_with_any_plan(plain: ModelBundle) -> None:
    """What the seam plans is neutral when its widths are: the same latents, bit for bit."""
    mask = aligned_mask(SIZE)
    plainly, _ = final_latents(plain, _ask(mask))
    neutral, _ = final_latents(plain, _ask(mask, Seam(grow=0, feather=0, ring=7, colour_match=True)))
    torch.testing.assert_close(neutral, plainly, rtol=0, atol=0)


# The two masks


def test_the_model_may_change_more_than_the_picture_does(bundle: ModelBundle) -> None:
    """Grown and feathered, latents beyond the mask change; in the picture not one pixel does."""
    mask = aligned_mask(SIZE)
    narrow, _ = final_latents(bundle, _ask(mask))
    request = _ask(mask, Seam(grow=8, feather=8, ring=4))
    wide, _ = final_latents(bundle, request)
    beside = np.s_[..., 1, 3:7]  # the row of latents above the mask
    assert (wide[beside] - narrow[beside]).abs().max() > 0.1
    result = _run(bundle, request)
    np.testing.assert_array_equal(result.image[mask == 0], PICTURE[mask == 0])
    assert (result.changed_outside, result.ring) == (0, 4)


@pytest.mark.parametrize("ring", [0, 3, 6])
def test_the_result_is_mixed_over_the_ring_and_whole_beyond_it(plain: ModelBundle, ring: int) -> None:
    mask = aligned_mask(SIZE)
    seam = Seam(grow=0, feather=0, ring=ring, colour_match=False)
    whole = _run(plain, _ask(mask, PLAIN)).image.astype(float)
    result = _run(plain, _ask(mask, seam))
    assert result.ring == ring
    alpha = mixing(mask, ring, (False,) * 4)[..., None] / 255
    assert np.abs(result.image - (PICTURE + (whole - PICTURE) * alpha)).max() <= 0.51
    deep = alpha[..., 0] == 1
    assert deep.any()
    np.testing.assert_array_equal(result.image[deep], whole[deep])


def test_colour_match_changes_colours_under_the_mask_alone(plain: ModelBundle) -> None:
    mask = aligned_mask(SIZE)
    off, on = (_run(plain, _ask(mask, Seam(colour_match=match))).image for match in (False, True))
    np.testing.assert_array_equal(on[mask == 0], PICTURE[mask == 0])
    assert (on[mask > 0] != off[mask > 0]).any()


# What it starts from

FILLS = [fill for fill in Fill if fill is not Fill.TELEA]  # that one needs OpenCV, see test_fill.py


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_each_filling_is_a_start_of_its_own_under_the_mask(bundle: ModelBundle, strength: float) -> None:
    mask = aligned_mask(SIZE)
    starts = {
        fill: _start(bundle, _ask(mask, Seam(grow=0, feather=0, fill=fill, colour=(255, 0, 0)), strength)).x
        for fill in FILLS
    }
    original = starts.pop(Fill.ORIGINAL)
    if strength == 1.0:
        # all is noise already: the filling "noise" changes nothing more
        torch.testing.assert_close(starts.pop(Fill.NOISE), original, rtol=0, atol=0)
    seen = [original]
    for x in starts.values():
        assert all((x - other)[..., 2:5, 3:7].abs().mean() > 1e-5 for other in seen)
        seen.append(x)


def test_what_is_filled_in_shows_in_the_result_the_more_the_less_is_changed(plain: ModelBundle) -> None:
    mask = aligned_mask(SIZE)

    def far_apart(strength: float) -> float:
        black, white = (
            _run(plain, _ask(mask, Seam(fill=Fill.COLOUR, colour=(c, c, c)), strength, steps=10)).image.astype(float)
            for c in (0, 255)
        )
        return float(np.abs(black - white)[mask > 0].mean())

    assert far_apart(0.2) > far_apart(0.9)


@pytest.mark.parametrize("fill", FILLS)
def test_the_same_request_gives_the_same_picture_with_any_filling(bundle: ModelBundle, fill: Fill) -> None:
    request = _ask(aligned_mask(SIZE), Seam(fill=fill), 0.7, steps=3, sampler="euler_a")
    np.testing.assert_array_equal(_run(bundle, request).image, _run(bundle, request).image)


# What it costs


class _Sizes:
    """Remembers the sizes of what the networks are given."""

    def __init__(self, bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[tuple[str, tuple[int, ...]]] = []
        for name, network, method in (
            ("unet", bundle.unet, "forward"),
            ("encode", bundle.vae, "encode"),
            ("decode", bundle.vae, "decode"),
        ):
            monkeypatch.setattr(network, method, self._told(name, getattr(network, method)))

    def _told(self, name: str, method: Any) -> Any:
        def call(x: torch.Tensor, *args: Any, **options: Any) -> Any:
            self.seen.append((name, tuple(x.shape)))
            return method(x, *args, **options)

        return call


def test_a_small_mask_in_a_huge_picture_costs_what_a_native_picture_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """128 px of 4096: every pixel that is encoded, painted, decoded, matched or mixed lies in the frame."""
    bundle = load_bundle(make_tiny_model(tmp_path / "native 512", TinyShape(sample_size=64)), CPU)
    sizes = _Sizes(bundle, monkeypatch)
    mixed: list[tuple[int, ...]] = []
    for name in ("app.diffusion.join.mixing", "app.diffusion.join.match_colours", "app.diffusion.frame.faded"):
        _watch(monkeypatch, name, mixed)

    def run(side: int) -> Result:
        picture = np.zeros((side, side, 3), np.uint8)
        picture[::16] = 200
        mask = np.zeros((side, side), np.uint8)
        mask[side // 2 : side // 2 + 128, side // 2 : side // 2 + 128] = 255
        task = Inpaint(image=picture, mask=mask)
        request = request_for(tmp_path, size=Size(side, side), steps=1, task=task, frame=FrameChoice.AUTO)
        return generate(replace(bundle, kept=Kept(most=0)), request, RecordingHooks())

    native = run(512)
    cost = (list(sizes.seen), list(mixed))
    sizes.seen.clear()
    mixed.clear()
    huge = run(4096)
    assert (sizes.seen, mixed) == cost
    assert max(max(shape) for shape in mixed) == 512
    assert native.working == huge.working == Size(512, 512)
    assert huge.frame.size == Size(512, 512)
    assert huge.image.shape == (4096, 4096, 3)
    assert huge.changed_outside == 0


def _watch(monkeypatch: pytest.MonkeyPatch, name: str, seen: list[tuple[int, ...]]) -> None:
    module, function = name.rsplit(".", 1)
    original = getattr(importlib.import_module(module), function)

    def call(array: np.ndarray, *args: Any) -> Any:
        seen.append(array.shape)
        return original(array, *args)

    monkeypatch.setattr(name, call)


def test_a_frame_of_ones_own(plain: ModelBundle) -> None:
    mask = aligned_mask(SIZE)
    result = _run(plain, _ask(mask, Seam(), frame=Rect(16, 8, 40, 24)))
    assert (result.frame, result.working) == (Rect(16, 8, 40, 24), Size(83, 50))  # near the native 64 x 64
    outside = np.ones_like(mask, dtype=bool)
    outside[8:32, 16:56] = False
    np.testing.assert_array_equal(result.image[outside], PICTURE[outside])

"""Every sampler in every way of working ends in the latents of diffusers' own pipelines, bit for bit."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from PIL import Image

from app.core.request import ImageToImage, Inpaint, Request, TextToImage
from app.core.samplers import SAMPLERS, Sampler
from app.core.seam import PLAIN
from app.diffusion.bundle import ModelBundle
from tests.engine_tools import aligned_mask, final_latents, request_for, some_picture

STEPS = 10
SIZE = request_for(Path("unused")).size
PICTURE = some_picture(SIZE)
MASK = aligned_mask(SIZE)


def _pipeline(kind: Any, bundle: ModelBundle, sampler: Sampler) -> Any:
    scheduler = getattr(diffusers, sampler.scheduler).from_config(dict(bundle.scheduler_config), **sampler.options)
    pipe = kind(
        vae=bundle.vae,
        text_encoder=bundle.text_encoder,
        tokenizer=bundle.tokenizer,
        unet=bundle.unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _peer_latents(kind: Any, bundle: ModelBundle, request: Request, **inputs: Any) -> torch.Tensor:
    pipe = _pipeline(kind, bundle, SAMPLERS[request.sampler])
    with contextlib.redirect_stdout(io.StringIO()):
        return pipe(
            prompt=request.prompt,
            negative_prompt=request.negative,
            num_inference_steps=request.steps,
            guidance_scale=request.guidance,
            generator=torch.Generator().manual_seed(request.seed),
            eta=SAMPLERS[request.sampler].step_options.get("eta", 0.0),
            output_type="latent",
            **inputs,
        ).images


def _assert_same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert torch.isfinite(ours).all()
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@pytest.fixture(params=list(SAMPLERS))
def ask(request: pytest.FixtureRequest) -> Callable[..., Request]:
    def make(**changes: Any) -> Request:
        return request_for(Path("unused"), steps=STEPS, sampler=request.param, **changes)

    return make


def test_text_to_image(ask: Callable[..., Request], plain: ModelBundle) -> None:
    request = ask(task=TextToImage())
    theirs = _peer_latents(diffusers.StableDiffusionPipeline, plain, request, height=SIZE.height, width=SIZE.width)
    _assert_same(final_latents(plain, request)[0], theirs)


def test_text_to_image_without_guidance(ask: Callable[..., Request], plain: ModelBundle) -> None:
    request = ask(task=TextToImage(), guidance=1.0)
    theirs = _peer_latents(diffusers.StableDiffusionPipeline, plain, request, height=SIZE.height, width=SIZE.width)
    _assert_same(final_latents(plain, request)[0], theirs)


def test_image_to_image(ask: Callable[..., Request], plain: ModelBundle) -> None:
    request = ask(task=ImageToImage(image=PICTURE, strength=0.6))
    theirs = _peer_latents(
        diffusers.StableDiffusionImg2ImgPipeline, plain, request, image=Image.fromarray(PICTURE), strength=0.6
    )
    _assert_same(final_latents(plain, request)[0], theirs)


@pytest.mark.parametrize("strength", [1.0, 0.6])
@pytest.mark.parametrize("model", ["plain", "nine"], ids=["blend", "9-channel"])
def test_inpaint(ask: Callable[..., Request], model: str, strength: float, request: pytest.FixtureRequest) -> None:
    bundle: ModelBundle = request.getfixturevalue(model)
    asked = ask(task=Inpaint(image=PICTURE, mask=MASK, strength=strength, seam=PLAIN))
    theirs = _peer_latents(
        diffusers.StableDiffusionInpaintPipeline,
        bundle,
        asked,
        image=Image.fromarray(PICTURE),
        mask_image=Image.fromarray(MASK),
        height=SIZE.height,
        width=SIZE.width,
        strength=strength,
    )
    _assert_same(final_latents(bundle, asked)[0], theirs)

"""Prompt embeddings, VAE encode and decode, and step counts against the pipelines' own."""

from __future__ import annotations

from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from app.core.geometry import Size
from app.core.request import ImageToImage, Inpaint
from app.core.samplers import SAMPLERS
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.conditioning import encode_prompts
from app.diffusion.engine import Engine
from app.diffusion.latents import decode, encode, to_pixels, to_tensor
from app.diffusion.schedule import steps_to_run
from tests.engine_tools import RecordingHooks, aligned_mask, final_latents, request_for, some_picture
from tests.parity.conftest import CPU
from tests.tiny_models import TinyShape, make_tiny_model

SIZE = Size(64, 48)


@pytest.fixture(scope="module")
def pipe(plain_folder: Path) -> diffusers.StableDiffusionPipeline:
    return diffusers.StableDiffusionPipeline.from_pretrained(
        plain_folder, safety_checker=None, local_files_only=True, use_safetensors=True
    )


@pytest.mark.parametrize("prompt", ["", "a red house on the hill", "Snow, LAKE; night!", "猫 🚀 naïve", "a " * 12])
@pytest.mark.parametrize("clip_skip", [1, 2])
def test_prompt_embeddings(
    pipe: diffusers.StableDiffusionPipeline,
    plain: ModelBundle,
    prompt: str,
    clip_skip: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # diffusers 0.42 asks for a layer under the name that transformers 5 gave up, and fails without it
    monkeypatch.setattr(type(pipe.text_encoder), "text_model", property(lambda encoder: encoder), raising=False)
    request = request_for(Path("unused"), prompt=prompt, negative="the balloon", clip_skip=clip_skip)
    ours = encode_prompts(plain, request)
    # diffusers counts the layers that are left out
    with_prompt, without = pipe.encode_prompt(prompt, "cpu", 1, True, "the balloon", clip_skip=clip_skip - 1 or None)
    if clip_skip > 1:  # it skips layers of the prompt alone
        without = pipe.encode_prompt("the balloon", "cpu", 1, False, clip_skip=clip_skip - 1)[0]
    torch.testing.assert_close(ours.texts, torch.cat([without, with_prompt]), rtol=0, atol=0)


def test_guidance_of_one_embeds_the_prompt_alone(plain: ModelBundle) -> None:
    guidance = encode_prompts(plain, request_for(Path("unused"), guidance=1.0))
    assert guidance.texts.shape[0] == 1


@torch.inference_mode()
@pytest.mark.parametrize("kind", ["AutoencoderKL", "AutoencoderTiny"])
def test_vae_round_trip(tmp_path: Path, kind: str) -> None:
    folder = make_tiny_model(tmp_path / "model", TinyShape(vae=kind, seed=3))
    bundle = load_bundle(folder, CPU)
    pipe = diffusers.StableDiffusionImg2ImgPipeline.from_pretrained(
        folder, safety_checker=None, local_files_only=True, use_safetensors=True
    )
    picture = some_picture(SIZE)
    theirs_in = pipe.image_processor.preprocess(Image.fromarray(picture))
    ours_in = to_tensor(picture)
    torch.testing.assert_close(ours_in, theirs_in, rtol=0, atol=0)
    output = pipe.vae.encode(theirs_in)
    drawn = output.latents if kind == "AutoencoderTiny" else output.latent_dist.sample(torch.Generator().manual_seed(5))
    latents = encode(bundle.vae, ours_in, [torch.Generator().manual_seed(5)])
    torch.testing.assert_close(latents, drawn * pipe.vae.config.scaling_factor, rtol=0, atol=0)
    decoded = pipe.vae.decode(latents / pipe.vae.config.scaling_factor, return_dict=False)[0]
    theirs = np.asarray(pipe.image_processor.postprocess(decoded, output_type="pil")[0])
    np.testing.assert_array_equal(to_pixels(decode(bundle.vae, latents)), theirs)


def test_strength_080_of_20_steps_runs_16(plain: ModelBundle) -> None:
    request = request_for(Path("unused"), steps=20, task=ImageToImage(image=some_picture(SIZE), strength=0.8))
    assert final_latents(plain, request)[1] == 16


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_steps_that_run_follow_the_strength(plain: ModelBundle, sampler: str) -> None:
    task = Inpaint(image=some_picture(SIZE), mask=aligned_mask(SIZE), strength=0.5)
    _, ran = final_latents(plain, request_for(Path("unused"), steps=8, sampler=sampler, task=task))
    expected = {"heun": 7, "dpm2": 7, "pndm": 5}  # second-order samplers look twice; PLMS repeats its first step
    assert ran == expected.get(sampler, 4)


@pytest.mark.parametrize(
    ("steps", "strength", "run"),
    [
        (20, 1.0, 20),
        (20, 0.8, 16),
        (100, 0.29, 29),
        (100, 0.07, 7),
        (10, 0.6, 6),
        (10, 0.05, 1),
        (3, 0.0, 0),
        (1, 0.5, 1),
    ],
)
def test_steps_to_run(steps: int, strength: float, run: int) -> None:
    assert steps_to_run(steps, strength) == run


def test_the_whole_engine_gives_the_pixels_of_the_pipeline(
    pipe: diffusers.StableDiffusionPipeline, plain_folder: Path
) -> None:
    request = request_for(plain_folder, sampler="pndm", size=Size(64, 64))
    ours = Engine(CPU).run(request, RecordingHooks()).image
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(
        request.prompt,
        negative_prompt=request.negative,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        generator=torch.Generator().manual_seed(request.seed),
        height=64,
        width=64,
    ).images[0]
    np.testing.assert_array_equal(ours, np.asarray(theirs))

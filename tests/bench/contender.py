"""One engine in a process of its own, told what to do line by line: ``python -m tests.bench.contender ENGINE MODEL``.

It reads {"stage": ..., "width": ..., "height": ..., "steps": ..., "keep": file} and answers with seconds and memory;
{"only": "prepare"} makes it ready for that and no more.
Engines: limner, limner-lean (no memory for Winograd), limner-exact (nothing packed), diffusers, openvino.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from app.core.environment import prepare_environment

prepare_environment()

import numpy as np  # noqa: E402 - the environment stands first
import torch  # noqa: E402
from PIL import Image  # noqa: E402

PROMPT, NEGATIVE = "a red house on a hill above a lake at dusk", "fog"
T = 501
STAGES = ("text", "encode", "unet", "decode", "preview", "paste", "picture", "inpaint", "inpaint-whole")
MASK, CONTEXT = 256, 128
"""The mask that is repainted in the middle of a picture, and what is seen around it: Limner's own choice for it."""
Work = Callable[[], Any]


class Limner:
    def __init__(self, model: Path, kind: str) -> None:
        from app.diffusion import quick
        from app.diffusion.bundle import load_bundle
        from app.diffusion.placement import choose_placement

        if kind == "lean":
            quick.MOST_EXTRA_UNET = quick.MOST_EXTRA_VAE = 0.0
        load = load_bundle if kind == "exact" else quick.load_quickened
        self.bundle = load(model, choose_placement())

    def text(self) -> torch.Tensor:
        from app.diffusion.texts import embed

        return embed(self.bundle, [NEGATIVE, PROMPT], 1, {})

    def unet(self, x: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        from app.diffusion.conditioning import Guidance, predict_noise
        from app.diffusion.unet_pass import SharedPass

        unet = SharedPass(self.bundle.unet) if self.bundle.shares else self.bundle.unet
        return predict_noise(unet, x, torch.tensor(T), Guidance(texts, 7.0))

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        return self.bundle.vae.encode(picture).latent_dist.mean

    def decode(self, x: torch.Tensor) -> torch.Tensor:
        from app.diffusion.latents import decode

        return decode(self.bundle.vae, x)

    def preview(self, x: torch.Tensor) -> np.ndarray:
        from app.core.geometry import FramePlan, Rect, Size
        from app.diffusion.frame import WorkingFrame
        from app.diffusion.preview import preview_of

        size = Size(x.shape[3] * 8, x.shape[2] * 8)
        frame = WorkingFrame(FramePlan(Rect(0, 0, size.width, size.height), size), size)
        return preview_of(self.bundle.preview.colours(x).numpy(), None, 8, frame).pixels

    def paste(self, width: int, height: int) -> np.ndarray:
        """A 256 px mask in the picture, its frame pasted back."""
        from app.diffusion.generate import finish, working_frame

        request = self._masked(width, height, 1)
        frame = working_frame(self.bundle, request)
        canvas = np.full((frame.canvas.height, frame.canvas.width, 3), 128, np.uint8)
        return finish(request, frame, canvas).image

    def picture(self, width: int, height: int, steps: int) -> np.ndarray:
        return self._run(self._request(width, height, steps))

    def inpaint(self, width: int, height: int, steps: int, whole: bool = False) -> np.ndarray:
        """In Limner's frame, also where the peer is given the ``whole`` picture."""
        return self._run(self._masked(width, height, steps))

    def _run(self, request: Any) -> np.ndarray:
        from app.diffusion.generate import generate
        from app.diffusion.kept import Kept
        from tests.engine_tools import RecordingHooks

        return generate(replace(self.bundle, kept=Kept()), request, RecordingHooks()).image

    def _request(self, width: int, height: int, steps: int, **more: Any) -> Any:
        from app.core.geometry import Size
        from app.core.request import Request

        return Request(
            prompt=PROMPT, negative=NEGATIVE, model="x", size=Size(width, height), steps=steps, sampler="ddim", **more
        )

    def _masked(self, width: int, height: int, steps: int) -> Any:
        from app.core.request import FrameChoice, Inpaint

        task = Inpaint(image=np.full((height, width, 3), 90, np.uint8), mask=masked(width, height))
        return self._request(width, height, steps, task=task, frame=FrameChoice.AUTO)


class Diffusers:
    """The pipelines as they come."""

    def __init__(self, model: Path) -> None:
        import diffusers

        self._diffusers, self._inpainting = diffusers, None
        self.pipe = diffusers.StableDiffusionPipeline.from_pretrained(
            model, local_files_only=True, safety_checker=None, requires_safety_checker=False
        )
        self.pipe.scheduler = diffusers.DDIMScheduler.from_config(self.pipe.scheduler.config)
        self.pipe.set_progress_bar_config(disable=True)
        self.unet_model, self.vae = self.pipe.unet, self.pipe.vae

    def text(self) -> torch.Tensor:
        texts, negative = self.pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt=NEGATIVE)
        return torch.cat([negative, texts])

    def unet(self, x: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        batch = torch.cat([x, x])
        predicted = self.unet_model(batch, torch.tensor(T), encoder_hidden_states=texts, return_dict=False)[0]
        without, with_prompt = predicted.chunk(2)
        return without + 7.0 * (with_prompt - without)

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        return self.vae.encode(picture).latent_dist.mean

    def decode(self, x: torch.Tensor) -> torch.Tensor:
        return self.vae.decode(x / self.vae.config.scaling_factor, return_dict=False)[0]

    def picture(self, width: int, height: int, steps: int) -> np.ndarray:
        return self._run(self.pipe, width=width, height=height, steps=steps)

    def inpaint(self, width: int, height: int, steps: int, whole: bool = False) -> np.ndarray:
        """At the model's own size around the mask (``padding_mask_crop``), or the ``whole`` picture at its size."""
        pipe = self._inpaint_pipe()
        image, mask = Image.new("RGB", (width, height), (90, 90, 90)), Image.fromarray(masked(width, height))
        given: dict[str, Any] = {"image": image, "mask_image": mask, "steps": steps}
        if whole:
            return self._run(pipe, width=width, height=height, **given)
        made = self._run(pipe, width=512, height=512, padding_mask_crop=CONTEXT, output_type="pil", **given)
        return np.asarray(made)

    def paste(self, width: int, height: int) -> np.ndarray:
        """What its inpaint pipeline does with a crop when it is painted."""
        processor = self._inpaint_pipe().image_processor
        image, mask = Image.new("RGB", (width, height), (90, 90, 90)), Image.fromarray(masked(width, height))
        crop = self._inpaint_pipe().mask_processor.get_crop_region(mask, 512, 512, pad=CONTEXT)
        return np.asarray(processor.apply_overlay(mask, image, Image.new("RGB", (512, 512), (128, 128, 128)), crop))

    def _inpaint_pipe(self) -> Any:
        if self._inpainting is None:
            kind = self._diffusers.StableDiffusionInpaintPipeline
            self._inpainting = kind(**self.pipe.components, requires_safety_checker=False)
            self._inpainting.set_progress_bar_config(disable=True)
        return self._inpainting

    def _run(self, pipe: Any, *, steps: int, output_type: str = "np", **given: Any) -> Any:
        generator = torch.Generator().manual_seed(0)
        return pipe(
            PROMPT,
            negative_prompt=NEGATIVE,
            num_inference_steps=steps,
            guidance_scale=7.0,
            generator=generator,
            output_type=output_type,
            **given,
        ).images[0]


def masked(width: int, height: int) -> np.ndarray:
    """The mask, H x W."""
    mask = np.zeros((height, width), np.uint8)
    top, left = (height - MASK) // 2, (width - MASK) // 2
    mask[top : top + MASK, left : left + MASK] = 255
    return mask


def make(engine: str, model: Path) -> Any:
    if engine == "diffusers":
        return Diffusers(model)
    if engine == "openvino":
        from tests.bench.openvino_engine import OpenVino

        return OpenVino(model, PROMPT, NEGATIVE)
    return Limner(model, engine.partition("-")[2])


def work(engine: Any, asked: dict[str, Any]) -> Work:
    """What a stage does, its inputs made beforehand: the same for every engine."""
    width, height, steps = asked["width"], asked["height"], asked.get("steps", 1)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((1, 4, height // 8, width // 8), generator=generator)
    stage = asked["stage"]
    match stage:
        case "unet":
            return partial(engine.unet, x, torch.randn((2, 77, 768), generator=generator))
        case "decode" | "preview":
            return partial(getattr(engine, stage), x)
        case "encode":
            return partial(engine.encode, torch.rand((1, 3, height, width), generator=generator) * 2 - 1)
        case "paste":
            return partial(engine.paste, width, height)
        case "picture" | "inpaint":
            return partial(getattr(engine, stage), width, height, steps)
        case "inpaint-whole":
            return partial(engine.inpaint, width, height, steps, whole=True)
        case _:
            return engine.text


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is no answer
    began = time.perf_counter()
    engine = make(sys.argv[1], Path(sys.argv[2]))
    _answer(answers, seconds=time.perf_counter() - began)
    for line in sys.stdin:
        asked = json.loads(line)
        _forget_peak()
        try:
            with torch.inference_mode() if sys.argv[1].startswith("limner") else torch.no_grad():
                began = time.perf_counter()
                if hasattr(engine, "prepare"):
                    engine.prepare(asked["stage"], asked["width"], asked["height"])
                prepared = time.perf_counter() - began
                if asked.get("only") == "prepare":
                    _answer(answers, prepared=prepared)
                    continue
                task = work(engine, asked)
                began = time.perf_counter()
                made = task()
                seconds = time.perf_counter() - began
        except Exception as error:
            _answer(answers, error=f"{type(error).__name__}: {str(error)[:200]}")
            continue
        if asked.get("keep"):
            np.save(asked["keep"], np.asarray(made))
        _answer(answers, seconds=seconds)


def _answer(answers: Any, **told: Any) -> None:
    """``stage_peak``: the most memory since it was last asked for something; ``peak``: the most that is known."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(told | {"peak": peak, "stage_peak": _peak() or peak}), file=answers, flush=True)


def _forget_peak() -> None:
    """Linux counts the most memory anew from here on."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()

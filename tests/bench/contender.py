"""One engine in a process of its own, told what to do line by line: ``python -m tests.bench.contender ENGINE MODEL``.

It reads {"stage": ..., "width": ..., "height": ..., "steps": ..., "keep": file} and answers with seconds and memory.
Engines: limner, limner-lean (no memory for Winograd), limner-exact (nothing packed), diffusers, openvino.
"""

from __future__ import annotations

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

PROMPT, NEGATIVE = "a red house on a hill above a lake at dusk", "fog"
T = 501
STAGES = ("text", "encode", "unet", "decode", "preview", "paste", "picture", "inpaint")
Work = Callable[[], Any]


class Limner:
    def __init__(self, model: Path, kind: str) -> None:
        from app.diffusion import quick
        from app.diffusion.bundle import load_bundle
        from app.diffusion.placement import choose_placement

        if kind == "lean":
            quick.MOST_EXTRA_UNET = quick.MOST_EXTRA_VAE = 0.0
        bundle = load_bundle(model, choose_placement())
        self.bundle = bundle if kind == "exact" else quick.quickened(bundle)

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
        return preview_of(self.bundle.preview, 8, frame, x, None).pixels

    def paste(self, width: int, height: int) -> np.ndarray:
        """A 256 px mask in the picture, its frame pasted back."""
        from app.diffusion.generate import finish, working_frame

        request = self._masked(width, height, 1)
        frame = working_frame(self.bundle, request)
        canvas = np.full((frame.canvas.height, frame.canvas.width, 3), 128, np.uint8)
        return finish(request, frame, canvas)[0]

    def picture(self, width: int, height: int, steps: int) -> np.ndarray:
        return self._run(self._request(width, height, steps))

    def inpaint(self, width: int, height: int, steps: int) -> np.ndarray:
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

        mask = np.zeros((height, width), np.uint8)
        mask[height // 2 - 128 : height // 2 + 128, width // 2 - 128 : width // 2 + 128] = 255
        task = Inpaint(image=np.full((height, width, 3), 90, np.uint8), mask=mask)
        return self._request(width, height, steps, task=task, frame=FrameChoice.AUTO)


class Diffusers:
    """The pipelines as they come."""

    def __init__(self, model: Path) -> None:
        import diffusers

        self._diffusers = diffusers
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

    def inpaint(self, width: int, height: int, steps: int) -> np.ndarray:
        pipe = self._diffusers.StableDiffusionInpaintPipeline(**self.pipe.components, requires_safety_checker=False)
        pipe.set_progress_bar_config(disable=True)
        mask = np.zeros((height, width), np.float32)
        mask[height // 2 - 128 : height // 2 + 128, width // 2 - 128 : width // 2 + 128] = 1
        image = np.full((1, height, width, 3), 90 / 255, np.float32)
        return self._run(pipe, image=image, mask_image=mask, width=width, height=height, steps=steps)

    def _run(self, pipe: Any, *, steps: int, **given: Any) -> np.ndarray:
        generator = torch.Generator().manual_seed(0)
        return pipe(
            PROMPT,
            negative_prompt=NEGATIVE,
            num_inference_steps=steps,
            guidance_scale=7.0,
            generator=generator,
            output_type="np",
            **given,
        ).images[0]


class OpenVino:
    """UNet and VAE converted from diffusers' own, in float32, compiled for each size."""

    def __init__(self, model: Path) -> None:
        import openvino

        self._openvino, self._model = openvino, model
        self._compiled: dict[Any, Any] = {}

    def unet(self, x: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        def network() -> Any:
            import diffusers

            return diffusers.UNet2DConditionModel.from_pretrained(self._model / "unet", local_files_only=True)

        batch = torch.cat([x, x])
        predicted = self._call("unet", network, _UNet, (batch, torch.tensor(T), texts))
        without, with_prompt = predicted.chunk(2)
        return without + 7.0 * (with_prompt - without)

    def decode(self, x: torch.Tensor) -> torch.Tensor:
        def network() -> Any:
            import diffusers

            return diffusers.AutoencoderKL.from_pretrained(self._model / "vae", local_files_only=True)

        return self._call("decode", network, _Decoder, (x,))

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        def network() -> Any:
            import diffusers

            return diffusers.AutoencoderKL.from_pretrained(self._model / "vae", local_files_only=True)

        return self._call("encode", network, _Encoder, (picture,))

    def _call(self, name: str, network: Work, wrap: Any, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        key = (name, *(tuple(one.shape) for one in inputs))
        if key not in self._compiled:
            self._compiled.clear()  # two sizes at once do not fit beside the other engines
            converted = self._openvino.convert_model(
                wrap(network().eval()), example_input=inputs, input=[tuple(one.shape) for one in inputs]
            )
            settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
            self._compiled[key] = self._openvino.compile_model(converted, "CPU", settings)
        return torch.from_numpy(self._compiled[key]([one.numpy() for one in inputs])[0])


class _UNet(torch.nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        return self.network(x, t, encoder_hidden_states=texts, return_dict=False)[0]


class _Decoder(_UNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return self.network.decode(x / self.network.config.scaling_factor, return_dict=False)[0]


class _Encoder(_UNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return self.network.encode(x).latent_dist.mean


def make(engine: str, model: Path) -> Any:
    if engine == "diffusers":
        return Diffusers(model)
    if engine == "openvino":
        return OpenVino(model)
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
        try:
            with torch.inference_mode() if sys.argv[1].startswith("limner") else torch.no_grad():
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(told | {"peak": peak, "cpu": time.process_time()}), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""A Backend that the tests can script: it paints flat colours, waits, fails or obeys a cancel, without torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from app.core.errors import Cancelled
from app.core.geometry import Rect, Size
from app.core.job import Hooks, Mode, Phase, Preview, Result
from app.core.request import ImageToImage, Inpaint, Request, TextToImage
from app.core.trail import Trail

COLOUR = (200, 60, 40)


def painted(request: Request, colour: tuple[int, int, int] = COLOUR) -> np.ndarray:
    """What the fake paints: one colour, blended into the source by strength or mask."""
    flat = np.empty((request.size.height, request.size.width, 3), np.uint8)
    flat[:] = colour
    match request.task:
        case TextToImage():
            return flat
        case ImageToImage(image=image, strength=strength):
            return (image * (1 - strength) + flat * strength).round().astype(np.uint8)
        case Inpaint(image=image, mask=mask):
            alpha = mask[..., None] / 255.0
            return (image * (1 - alpha) + flat * alpha).round().astype(np.uint8)


def result_of(request: Request, image: np.ndarray | None = None, **changes: object) -> Result:
    """A Result as a real Backend would give it."""
    box = Rect.whole(request.size)
    mode = Mode.TEXT_TO_IMAGE
    if isinstance(request.task, ImageToImage):
        mode = Mode.IMAGE_TO_IMAGE
    if isinstance(request.task, Inpaint):
        mode = Mode.INPAINT_BLEND
        rows, columns = np.nonzero(request.task.mask)
        x, y = int(columns.min()), int(rows.min())
        box = Rect(x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y)
    values: dict[str, object] = {
        "image": painted(request) if image is None else image,
        "request": request,
        "mode": mode,
        "box": box,
        "frame": Rect.whole(request.size),
        "working": request.size,
        "steps": request.steps,
        "seconds": 0.1,
        "seconds_per_step": 0.01,
        "model_name": "fake",
        "device": "fake",
        "changed_outside": 0 if mode is Mode.INPAINT_BLEND else None,
        "ring": 2 if mode is Mode.INPAINT_BLEND else None,
    }
    return Result(**(values | changes))


def some_trail(request: Request | None = None, steps: int = 3, **changes: object) -> Trail:
    """Kept steps as a real run of the Request would leave them, if a pixel were a latent."""
    request = request or Request(prompt="", model="m", size=Size(16, 8), seed=7, steps=steps)
    shape = (4, request.size.height, request.size.width)
    random = np.random.default_rng(request.seed)
    values: dict[str, object] = {
        "latents": random.standard_normal((request.steps + 1, *shape), np.float32),
        "noise": random.standard_normal((request.steps, *shape), np.float32),
        "channels_last": ((False,) * (request.steps + 1), (True,) * request.steps),
        "sampler": request.sampler,
        "steps": request.steps,
        "strength": request.strength,
        "seed": request.seed,
        "size": request.size,
        "box": Rect.whole(request.size),
        "working": request.size,
        "reseeded": ((1, 5),),
    }
    return Trail(**(values | changes))  # type: ignore[arg-type]


@dataclass
class FakeBackend:
    """Runs ``steps`` scripted steps for each Request.

    ``gate``: when set, every step waits for one ``release()``, so that a test decides when the job goes on.
    ``error``: raised at step ``fail_at``. ``requests``: what was asked, in order.
    """

    error: BaseException | None = None
    fail_at: int = 1
    gated: bool = False
    colour: tuple[int, int, int] = COLOUR
    make_result: Callable[[Request], Result] | None = None
    requests: list[Request] = field(default_factory=list)
    steps_done: int = 0
    _gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def release(self, steps: int = 1) -> None:
        self._gate.release(steps)

    def run(self, request: Request, hooks: Hooks) -> Result:
        self.requests.append(request)
        hooks.entered(Phase.LOADING)
        results = [self._paint(request, number, hooks) for number in range(request.count)]
        return replace(results[0], more=tuple(results[1:]))

    def _paint(self, whole: Request, number: int, hooks: Hooks) -> Result:
        request, before = whole.alone(number), number * whole.steps
        hooks.entered(Phase.DENOISING)
        for step in range(1, request.steps + 1):
            self._wait(hooks)
            if self.error is not None and before + step == self.fail_at:
                raise self.error
            self.steps_done += 1
            hooks.stepped(before + step, whole.count * request.steps, self._preview(request, step))
        hooks.entered(Phase.DECODING)
        if self.make_result is not None:
            result = self.make_result(request)
        else:
            result = result_of(request, painted(request, self.colour))
        hooks.made(result)
        return result

    def _wait(self, hooks: Hooks) -> None:
        while True:
            if hooks.cancelled():
                raise Cancelled
            if not self.gated or self._gate.acquire(timeout=0.01):
                return

    def _preview(self, request: Request, step: int) -> Preview:
        pixels = np.full((8, 8, 4), 255, np.uint8)
        pixels[..., :3] = np.array(self.colour) * step // request.steps
        return Preview(pixels, Rect.whole(request.size))

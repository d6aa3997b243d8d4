"""What is told while a picture is being made: a bar on the terminal, and one preview file a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np

from app.cli.interrupts import Interrupts
from app.core.geometry import Rect
from app.core.job import Phase, Preview, Result
from app.core.request import ImageToImage, Inpaint, Pixels, Request
from app.library.pictures import resized, save_png

_BAR = 24


class Progress:
    """One line that is drawn over and over on a terminal, and nothing at all anywhere else."""

    def __init__(self, stream: TextIO, pictures: int) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._pictures = pictures
        self._picture = 1
        self._length = 0
        self._since = 0.0

    def begin(self) -> None:
        """The steps are counted anew."""
        self._since = 0.0

    def picture(self, number: int) -> None:
        """Picture ``number`` of all, counted from 1, begins."""
        self._picture = number

    def phase(self, phase: Phase) -> None:
        if phase is Phase.DENOISING and not self._since:
            self._since = time.monotonic()
        self._draw(self._head(phase.value))

    def step(self, step: int, total: int) -> None:
        filled = _BAR * step // total
        each = (time.monotonic() - self._since) / step
        left = each * (total - step)
        bar = "#" * filled + "." * (_BAR - filled)
        self._draw(f"{self._head('Painting')} [{bar}] {step}/{total}  {each:.2f} s a step, {left:.0f} s left")

    def clear(self) -> None:
        if self._length:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()
            self._length = 0

    def _head(self, doing: str) -> str:
        return doing if self._pictures == 1 else f"{self._picture} of {self._pictures}: {doing}"

    def _draw(self, line: str) -> None:
        if self._shown:
            self._stream.write(f"\r{line:{self._length}}")  # padded over what was longer before
            self._stream.flush()
            self._length = len(line)


class RenderHooks:
    """The Hooks of one Request: moves the bar, writes the previews, hands on each picture that is ready, and Ctrl-C."""

    def __init__(
        self,
        progress: Progress,
        interrupts: Interrupts,
        previews: Callable[[int], PreviewFiles | None],
        save: Callable[[Result], None],
    ) -> None:
        """``previews``: for the picture of this number, counted from 0, where its previews go."""
        self._progress = progress
        self._interrupts = interrupts
        self._previews = previews
        self._save = save
        self._made = 0
        self._before = 0  # steps of the pictures that are ready
        self._step = 0

    def cancelled(self) -> bool:
        return self._interrupts.received is not None

    def entered(self, phase: Phase) -> None:
        self._progress.phase(phase)

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self._step = step
        self._progress.step(step, total)
        files = self._previews(self._made)
        if files is not None and preview is not None:
            with self._interrupts.held():
                files.write(step - self._before, preview)

    def made(self, candidate: Result) -> None:
        self._save(candidate)
        self._made += 1
        self._before = self._step


class PreviewFiles:
    """Writes the state after each step as a PNG of the picture's own size, so that they can be leafed through."""

    def __init__(self, folder: Path, prefix: str, request: Request) -> None:
        self._folder = folder
        self._prefix = prefix
        self._request = request

    def write(self, step: int, preview: Preview) -> None:
        """Raises PictureError."""
        save_png(self._folder / f"{self._prefix}step-{step:03}.png", composed(self._request, preview))


def composed(request: Request, preview: Preview) -> Pixels:
    """The preview, enlarged to its box, on the picture that it changes (black where there is none)."""
    size = request.size
    if isinstance(request.task, ImageToImage | Inpaint):
        picture = request.task.image.copy()
    else:
        picture = np.zeros((size.height, size.width, 3), np.uint8)
    box: Rect = preview.box
    large = resized(preview.pixels, box.size)
    alpha = large[..., 3:].astype(np.float32) / 255.0
    under = picture[box.slices]
    picture[box.slices] = (under + (large[..., :3] - under.astype(np.float32)) * alpha).round().astype(np.uint8)
    return picture

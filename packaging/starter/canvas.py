"""A picture to draw on in native pixels, kept twice as large so that edges come out smooth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from palette import RGB
from PIL import Image, ImageDraw

Point = tuple[float, float]
OVERSAMPLING = 2


def _ink(colour: RGB) -> tuple[int, int, int]:
    r, g, b = (int(min(255, max(0, c))) for c in colour)
    return (r, g, b)


class Canvas:
    """Draws shapes given in native pixels; y grows downwards."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.scale = OVERSAMPLING
        self.image = Image.new("RGB", (size * self.scale, size * self.scale))
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[Point], colour: RGB) -> None:
        s = self.scale
        self._draw.polygon([(x * s, y * s) for x, y in points], fill=_ink(colour))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: RGB) -> None:
        s = self.scale
        self._draw.ellipse(((x - rx) * s, (y - ry) * s, (x + rx) * s, (y + ry) * s), fill=_ink(colour))

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def gradient(self, top: float, bottom: float, stops: Sequence[RGB]) -> None:
        """Fills the rows from top to bottom with evenly spaced stops."""
        s = self.scale
        first, last = int(top * s), int(bottom * s)
        at = np.linspace(0, len(stops) - 1, max(1, last - first))
        rows = np.stack([np.interp(at, range(len(stops)), [c[i] for c in stops]) for i in range(3)], -1)
        band = np.repeat(rows[:, None].clip(0, 255).astype(np.uint8), self.size * s, 1)
        self.image.paste(Image.fromarray(band), (0, first))

    def glow(self, x: float, y: float, radius: float, colour: RGB, strength: float) -> None:
        """Adds light that falls off from a centre."""
        pixels = self.pixels()
        n = self.size * self.scale
        rows, columns = np.mgrid[0:n, 0:n].astype(np.float32) / self.scale
        fall = strength * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * radius**2))[..., None]
        self.replace(pixels + (np.array(colour, np.float32) - pixels) * fall)

    def pixels(self) -> NDArray[np.float32]:
        return np.asarray(self.image).astype(np.float32)

    def replace(self, pixels: NDArray[np.float32]) -> None:
        self.image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        self._draw = ImageDraw.Draw(self.image)

    def finished(self) -> NDArray[np.uint8]:
        """Size x size x 3, averaged down from the oversampled drawing."""
        return np.asarray(self.image.reduce(self.scale))

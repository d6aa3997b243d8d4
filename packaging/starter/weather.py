"""What the air and the painter's hand do to a finished scene: fog, rain, falling snow; watercolour, pixels, ink."""

import numpy as np
from canvas import Canvas
from numpy.random import Generator
from numpy.typing import NDArray
from palette import Light, mix
from PIL import Image, ImageFilter

Picture = NDArray[np.uint8]
PAPER = np.array((252, 247, 234), np.float32)
INK = np.array((34, 30, 44), np.float32)


def veil(canvas: Canvas, light: Light, horizon: float, strength: float) -> None:
    """Mist that is thickest where land meets sky."""
    pixels = canvas.pixels()
    rows = np.arange(len(pixels), dtype=np.float32)[:, None, None] / canvas.scale
    below = np.exp(-(((rows - horizon) / (canvas.size * 0.3)) ** 2))
    mist = np.array(mix(light.horizon, (226, 230, 234), 0.35), np.float32)
    canvas.replace(pixels + (mist - pixels) * strength * (0.35 + 0.65 * below))


def rain(canvas: Canvas, rng: Generator, light: Light) -> None:
    """Slanting streaks, bold enough to be seen."""
    size = canvas.size
    drop = mix(light.horizon, (235, 242, 255), 0.7)
    for x, y in rng.uniform(-0.05, 1.05, (26, 2)) * size:
        long = size * float(rng.uniform(0.09, 0.13))
        lean = long * 0.3
        canvas.polygon([(x, y), (x + 1.7, y), (x + 1.7 - lean, y + long), (x - lean, y + long)], drop)


def snowfall(canvas: Canvas, rng: Generator, light: Light) -> None:
    size = canvas.size
    flake = mix(light.cloud, (255, 255, 255), 0.8)
    for x, y in rng.uniform(0, size, (36, 2)):
        radius = float(rng.uniform(1.4, 2.4))
        canvas.ellipse(x, y, radius, radius, flake)


def _slow_noise(rng: Generator, size: int, cells: int) -> NDArray[np.float32]:
    """Smooth values in -1..1, size x size."""
    small = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


def watercolour(picture: Picture, rng: Generator) -> Picture:
    """Paler, blotchy, with wobbling edges, on paper whose margin stays white."""
    size = len(picture)
    rows, columns = np.mgrid[0:size, 0:size]
    down, across = (np.rint(2.2 * _slow_noise(rng, size, 14)).astype(int) for _ in range(2))
    bent = picture[(rows + down).clip(0, size - 1), (columns + across).clip(0, size - 1)]
    soft = np.asarray(Image.fromarray(bent).filter(ImageFilter.ModeFilter(5))).astype(np.float32)
    soft = np.asarray(Image.fromarray(soft.astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))).astype(np.float32)
    blotch = 0.24 + 0.12 * _slow_noise(rng, size, 9)[..., None]
    washed = soft + (PAPER - soft) * blotch
    edge = np.minimum(np.minimum(rows, size - 1 - rows), np.minimum(columns, size - 1 - columns))
    margin = size * (0.05 + 0.022 * _slow_noise(rng, size, 12))
    paper = np.clip((margin - edge) / 2.5 + 0.5, 0, 1)[..., None]
    return (washed + (PAPER - washed) * paper).clip(0, 255).astype(np.uint8)


def pixel(picture: Picture) -> Picture:
    """A quarter of the resolution and few colours."""
    size = len(picture)
    small = Image.fromarray(picture).reduce(4).quantize(20, kmeans=1, dither=Image.Dither.NONE)
    return np.asarray(small.convert("RGB").resize((size, size), Image.Resampling.NEAREST))


def ink(picture: Picture) -> Picture:
    """Dark outlines and a thin wash of colour on paper."""
    flat = Image.fromarray(picture)
    pixels = picture.astype(np.float32)
    step = np.abs(np.diff(pixels, axis=0, prepend=pixels[:1])).max(-1)
    step = np.maximum(step, np.abs(np.diff(pixels, axis=1, prepend=pixels[:, :1])).max(-1))
    lines = Image.fromarray(((step > 30) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
    drawn = (np.asarray(lines).astype(np.float32)[..., None] / 150).clip(0, 1)
    grey = np.asarray(flat.convert("L")).astype(np.float32)[..., None]
    wash = grey + (pixels - grey) * 0.75
    wash = wash + (PAPER - wash) * 0.55
    return (wash + (INK - wash) * drawn * 0.9).clip(0, 255).astype(np.uint8)

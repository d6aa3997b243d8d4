"""What lies at the horizon and below it: mountains, hills, dunes, cliffs; lake, river, meadow, sand, snow."""

import numpy as np
from canvas import Canvas, Point
from numpy.random import Generator
from numpy.typing import NDArray
from palette import GROUNDS, RGB, Light, lit, mix

ROCK: RGB = (104, 110, 142)
SNOW: RGB = (250, 252, 255)
GRASS: RGB = (92, 162, 74)
DUNE: RGB = (238, 184, 104)
DARK_EARTH: RGB = (40, 40, 20)
CHALK: RGB = (236, 226, 206)
WATER: RGB = (36, 112, 184)


def _peak(canvas: Canvas, rng: Generator, tip: Point, half: float, base: float, rock: RGB, cap: RGB | None) -> None:
    """One mountain: a lit face, a shaded face, and snow above a zigzag line."""
    x, y = tip
    height = base - y
    left, right = (x - half, base), (x + half, base)
    foot = (x + half * rng.uniform(-0.25, 0.15), base)
    bend = (x + half * rng.uniform(0.02, 0.12), y + height * 0.45)
    canvas.polygon([tip, left, right], rock)
    canvas.polygon([tip, bend, foot, right], mix(rock, (20, 22, 50), 0.3))
    if cap is None:
        return
    depth = rng.uniform(0.36, 0.5)
    slope = half * depth
    teeth = [
        (x + slope * t, y + height * (depth + j))
        for t, j in ((1, 0), (0.55, 0.1), (0.2, -0.06), (-0.2, 0.1), (-0.55, -0.03), (-1, 0))
    ]
    canvas.polygon([tip, *teeth], cap)
    shaded = [tip, (x + slope, y + height * depth), teeth[1], (x + slope * 0.2, y + height * (depth - 0.06)), bend]
    canvas.polygon(shaded[:4], mix(cap, (70, 90, 150), 0.28))


def _mountains(canvas: Canvas, rng: Generator, light: Light, horizon: float, snowy: bool) -> None:
    size = canvas.size
    for layer, (count, low, high, haze) in enumerate(((3, 0.26, 0.42, 0.42), (3, 0.12, 0.26, 0.12))):
        rock = mix(lit(ROCK, light), light.horizon, haze)
        cap = mix(lit(SNOW, light, 0.75), light.horizon, haze * 0.4) if snowy and layer == 0 else None
        places = (np.arange(count) + rng.uniform(0.05, 0.95, count)) / count * size * 1.1 - size * 0.05
        for x in rng.permutation(places):
            height = size * rng.uniform(low, high)
            half = height * rng.uniform(0.85, 1.25)
            _peak(canvas, rng, (float(x), horizon - height), half, horizon + 2, rock, cap)


def _waves(rng: Generator, size: int, periods: float) -> NDArray[np.float64]:
    """A smooth line in 0..1 across the picture."""
    x = np.linspace(0, 2 * np.pi, size + 1)
    line = np.sin(x * periods + rng.uniform(0, 6.3)) + 0.5 * np.sin(x * periods * 1.8 + rng.uniform(0, 6.3))
    return (line / 1.5 + 1) / 2


def _hills(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    size = canvas.size
    for height, haze, periods in ((0.25, 0.5, 1.1), (0.18, 0.27, 1.4), (0.1, 0.05, 1.7)):
        line = horizon - size * height * (0.35 + 0.65 * _waves(rng, size, periods))
        colour = mix(lit(GRASS, light), light.horizon, haze)
        edge: list[Point] = [(float(x), float(y)) for x, y in enumerate(line)]
        canvas.polygon([(0, horizon + 2), *edge, (size, horizon + 2)], colour)


def _dunes(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    """Sharp crests: a long lit slope to windward, a short dark one behind."""
    size = canvas.size
    for height, haze, count in ((0.24, 0.35, 2), (0.15, 0.05, 3)):
        sand = mix(lit(DUNE, light), light.horizon, haze)
        shade = mix(lit((178, 108, 70), light), light.horizon, haze)
        canvas.box(0, horizon - size * height * 0.25, size, horizon + 2, sand)
        for k in rng.permutation(count):
            x = size * (k + rng.uniform(0.1, 0.9)) / count
            tip = horizon - size * height * rng.uniform(0.65, 1.0)
            wide = size * rng.uniform(0.35, 0.55)
            t = np.linspace(0, 1, 12)
            windward: list[Point] = [(x - wide * (1 - s), horizon + 2 + (tip - horizon - 2) * s**1.7) for s in t]
            lee: list[Point] = [(x + wide * 0.8 * s, tip + (horizon + 2 - tip) * s**0.75) for s in t]
            canvas.polygon([*windward, *lee], sand)
            canvas.polygon([*lee, (x - wide * 0.15, horizon + 2), (x - wide * 0.05, (tip + horizon) / 2)], shade)


def _cliffs(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    """A strip of sea, and pale steep headlands with grass on top that fall to it from one side, the nearest last."""
    size = canvas.size
    sea = lit(WATER, light, 0.9)
    canvas.gradient(horizon - size * 0.085, horizon + 2, [mix(sea, light.horizon, 0.35), sea])
    left = rng.random() < 0.5
    for reach, height, haze in ((0.78, 0.2, 0.42), (0.6, 0.29, 0.2), (0.42, 0.38, 0.0)):
        far = size * reach * rng.uniform(0.9, 1.1)
        top = horizon - size * height * rng.uniform(0.9, 1.1)
        rock = mix(lit(CHALK, light, 0.9), light.horizon, haze)
        shade = mix(mix(lit(CHALK, light, 0.9), (70, 76, 110), 0.42), light.horizon, haze)
        grass = mix(lit(GRASS, light), light.horizon, haze)
        foot = far + size * 0.05

        def at(x: float, y: float, left: bool = left) -> Point:
            return (x, y) if left else (size - x, y)

        dip = top + size * rng.uniform(0.02, 0.05)
        canvas.polygon([at(0, top), at(far * 0.6, dip), at(far, top), at(foot, horizon + 2), at(0, horizon + 2)], rock)
        for start in (0.22, 0.66):
            x = far * start
            canvas.polygon(
                [at(x, dip), at(x + far * 0.16, dip), at(x + far * 0.2, horizon + 2), at(x - far * 0.04, horizon + 2)],
                shade,
            )
        turf = size * 0.045
        canvas.polygon(
            [
                at(0, top - turf),
                at(far * 0.6, dip - turf),
                at(far, top - turf * 0.4),
                at(far + 1, top + 2),
                at(far * 0.6, dip + 2),
                at(0, top + 2),
            ],
            grass,
        )


def paint_terrain(canvas: Canvas, rng: Generator, kind: str, light: Light, horizon: float) -> None:
    """Draws the far land so that it stands on the horizon line."""
    if kind == "hills":
        _hills(canvas, rng, light, horizon)
    elif kind == "dunes":
        _dunes(canvas, rng, light, horizon)
    elif kind == "cliffs":
        _cliffs(canvas, rng, light, horizon)
    else:
        _mountains(canvas, rng, light, horizon, kind == "snowy mountains")


def paint_ground(canvas: Canvas, rng: Generator, kind: str, light: Light, horizon: float) -> None:
    """Meadow, sand or snow from the horizon to the lower edge, with one or two soft swells."""
    size = canvas.size
    near = lit(GROUNDS[kind], light, 0.9)
    far = mix(near, light.horizon, 0.25)
    dark = mix(near, (30, 50, 110) if kind == "snow" else (60, 60, 20), 0.2)
    canvas.gradient(horizon, size, [far, near])
    for start, colour in ((0.3, mix(near, dark, 0.45)), (0.65, dark)):
        top = horizon + (size - horizon) * start
        line = top + (size - horizon) * 0.2 * (_waves(rng, size, 0.7) - 0.5)
        edge: list[Point] = [(float(x), float(y)) for x, y in enumerate(line)]
        canvas.polygon([(0, size), *edge, (size, size)], colour)


def carve_river(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    """A river that winds from the horizon towards the lower edge, wider and wider."""
    size, depth = canvas.size, canvas.size - horizon
    water = lit((52, 134, 206), light, 0.9)
    bank = mix(lit((150, 132, 84), light, 0.9), DARK_EARTH, 0.1)
    start, phase, way = size * rng.uniform(0.35, 0.65), rng.uniform(0, 6.3), rng.uniform(0.14, 0.2)
    t = np.linspace(0, 1, 24)
    middle = start + size * way * t**0.7 * np.sin(phase + t**0.6 * 6.5)
    y = horizon + depth * t
    for extra, colour in ((1.35, bank), (1.0, water)):
        half = size * (0.012 + 0.15 * t**1.3) * extra
        left = [(float(m - h), float(v)) for m, h, v in zip(middle, half, y, strict=True)]
        right = [(float(m + h), float(v)) for m, h, v in zip(middle, half, y, strict=True)]
        canvas.polygon([*left, *right[::-1]], colour)
    shine = mix(water, light.horizon, 0.6)
    for k in (9, 14, 19):
        wide = size * (0.012 + 0.15 * t[k] ** 1.3) * 0.5
        canvas.ellipse(float(middle[k]) + rng.uniform(-2, 2), float(y[k]), wide, 0.9, shine)


def flood(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    """Turns everything below the horizon into a lake that mirrors what stands above it."""
    pixels = canvas.pixels()
    line = int(horizon * canvas.scale)
    depth = pixels.shape[0] - line
    rows = np.clip(line - 1 - (np.arange(depth) * 1.15).astype(int), 0, line - 1)
    water = np.array(lit(WATER, light, 0.9), np.float32)
    share = np.linspace(0.22, 0.5, depth, dtype=np.float32)[:, None, None]
    pixels[line:] = pixels[rows] * (1 - share) + water * share
    canvas.replace(pixels)
    for _ in range(4):
        x, y = rng.uniform(0, canvas.size), horizon + (canvas.size - horizon) * rng.uniform(0.15, 0.95)
        canvas.ellipse(x, y, rng.uniform(8, 20), 0.7, mix(lit((170, 214, 240), light, 0.8), light.horizon, 0.3))

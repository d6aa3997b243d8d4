"""The world that the starter model knows: planning a landscape, and painting it."""

from dataclasses import dataclass

import numpy as np
from canvas import Canvas
from numpy.random import Generator
from numpy.typing import NDArray
from palette import LIGHTS, PAINTS, Light, lit
from terrain import flood, paint_ground, paint_terrain
from things import balloon, boat, grove, house

TIMES = ("dawn", "noon", "sunset", "night", "overcast")
TERRAINS = ("mountains", "snowy mountains", "hills", "dunes")
GROUND_KINDS = ("lake", "meadow", "sand", "snow")
COLOURED = ("house", "balloon", "boat")
GROVES = ("pines", "trees")
SIDES = ("left", "middle", "right")
NATIVE = 128


@dataclass(frozen=True)
class Thing:
    """One thing in a scene; groves have no colour ("")."""

    kind: str
    colour: str
    side: str


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything about a landscape that a caption may name."""

    time: str
    terrain: str
    ground: str
    disc: str  # "sun", "moon" or ""
    disc_side: str
    stars: bool
    clouds: bool
    things: tuple[Thing, ...]


def _things(rng: Generator, ground: str) -> tuple[Thing, ...]:
    """Nothing to three things, each in its own third of the picture."""
    kinds = [*GROVES, "house", "balloon", "balloon"] + (["boat", "boat", "boat"] if ground == "lake" else ["house"])
    shuffled = list(dict.fromkeys(str(k) for k in rng.permutation(kinds)))
    wanted = shuffled[: int(rng.choice(4, p=(0.12, 0.4, 0.36, 0.12)))]
    sides = rng.permutation(SIDES)
    return tuple(
        Thing(kind, str(rng.choice(list(PAINTS))) if kind in COLOURED else "", str(side))
        for kind, side in zip(wanted, sides, strict=False)
    )


def plan(rng: Generator) -> Scene:
    """A random scene; snow is rare in the desert."""
    time, terrain = str(rng.choice(TIMES)), str(rng.choice(TERRAINS))
    weights = {"dunes": (0.3, 0.2, 0.45, 0.05)}.get(terrain, (0.34, 0.28, 0.14, 0.24))
    ground = str(rng.choice(GROUND_KINDS, p=weights))
    disc = {"night": "moon", "overcast": ""}.get(time, "sun")
    return Scene(
        time=time,
        terrain=terrain,
        ground=ground,
        disc=disc if rng.random() < 0.72 else "",
        disc_side=str(rng.choice(SIDES)),
        stars=time == "night" and rng.random() < 0.75,
        clouds=time == "overcast" or rng.random() < 0.4,
        things=_things(rng, ground),
    )


def _across(side: str, rng: Generator, size: int) -> float:
    return size * (SIDES.index(side) / 3 + 1 / 6 + float(rng.uniform(-0.06, 0.06)))


def _sky(canvas: Canvas, rng: Generator, scene: Scene, light: Light, horizon: float) -> None:
    size = canvas.size
    canvas.gradient(0, size, [light.zenith, light.middle, light.horizon, light.horizon])
    if scene.stars:
        for x, y in rng.uniform(0, 1, (22, 2)):
            radius = float(rng.uniform(0.6, 1.1))
            canvas.ellipse(x * size, y * horizon * 0.75, radius, radius, (236, 238, 255))
    if scene.disc:
        low = scene.time in ("dawn", "sunset")
        x = _across(scene.disc_side, rng, size)
        y = horizon - size * rng.uniform(0.2, 0.34) if low else size * rng.uniform(0.12, 0.2)
        radius = size * float(rng.uniform(0.065, 0.085))
        canvas.glow(x, y, radius * 2.2, light.glow, 0.55 if scene.disc == "sun" else 0.3)
        canvas.ellipse(x, y, radius, radius, light.glow)
    if scene.clouds:
        for _ in range(int(rng.integers(2, 4))):
            _cloud(canvas, rng, float(rng.uniform(0, size)), float(rng.uniform(0.08, 0.3)) * size, light)


def _cloud(canvas: Canvas, rng: Generator, x: float, y: float, light: Light) -> None:
    """Three round lobes on a flat base."""
    w = canvas.size * float(rng.uniform(0.09, 0.14))
    canvas.ellipse(x, y, w * 1.7, w * 0.4, light.cloud)
    for dx, lift, r in ((-0.7, 0.18, 0.5), (0.1, 0.4, 0.66), (0.85, 0.15, 0.44)):
        canvas.ellipse(x + dx * w, y - lift * w, r * w, r * w * 0.8, light.cloud)


def _standing(canvas: Canvas, rng: Generator, scene: Scene, light: Light, horizon: float) -> None:
    """Houses and groves: on the far shore of a lake, otherwise on the near ground; balloons in the sky."""
    size, lake, glowing = canvas.size, scene.ground == "lake", scene.time in ("night", "sunset")
    for thing in scene.things:
        x = _across(thing.side, rng, size)
        base = horizon if lake else horizon + (size - horizon) * float(rng.uniform(0.3, 0.75))
        if lake and thing.kind in (*GROVES, "house"):
            canvas.ellipse(x, horizon, size * 0.24, 3.0, lit((96, 150, 70), light))
        if thing.kind == "house":
            house(canvas, x, base, size * float(rng.uniform(0.23, 0.29)), thing.colour, light, glowing)
        elif thing.kind == "balloon":
            radius = size * float(rng.uniform(0.095, 0.125))
            balloon(canvas, x, float(rng.uniform(radius * 1.15, horizon - radius * 2.7)), radius, thing.colour, light)
        elif thing.kind in GROVES:
            grove(
                canvas, rng, x, base, size * float(rng.uniform(0.22, 0.28)), thing.kind, light, scene.ground == "snow"
            )


def paint(scene: Scene, rng: Generator, size: int = NATIVE) -> NDArray[np.uint8]:
    """The scene as size x size x 3; rng decides what no caption names (shapes, exact places)."""
    canvas, light = Canvas(size), LIGHTS[scene.time]
    horizon = size * float(rng.uniform(0.56, 0.68))
    _sky(canvas, rng, scene, light, horizon)
    paint_terrain(canvas, rng, scene.terrain, light, horizon)
    if scene.ground != "lake":
        paint_ground(canvas, rng, scene.ground, light, horizon)
    _standing(canvas, rng, scene, light, horizon)
    if scene.ground == "lake":
        flood(canvas, rng, light, horizon)
        for thing in scene.things:
            if thing.kind == "boat":
                base = horizon + (size - horizon) * float(rng.uniform(0.45, 0.7))
                width = size * float(rng.uniform(0.25, 0.32))
                boat(canvas, _across(thing.side, rng, size), base, width, thing.colour, light)
    return canvas.finished()

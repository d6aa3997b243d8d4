"""The world that the starter models know: planning a landscape, and painting it."""

from dataclasses import dataclass

import numpy as np
from canvas import Canvas
from numpy.random import Generator
from numpy.typing import NDArray
from palette import LIGHTS, PAINTS, Light, lit, mix, varied
from terrain import carve_river, flood, paint_ground, paint_terrain
from things import balloon, birds, boat, grove, house, lighthouse, tent
from weather import ink, pixel, rain, snowfall, veil, watercolour

TIMES = ("dawn", "noon", "sunset", "night", "overcast")
TERRAINS = ("mountains", "snowy mountains", "hills", "dunes", "cliffs")
GROUND_KINDS = ("lake", "meadow", "sand", "snow", "river")
WEATHERS = ("", "fog", "rain", "snowfall")
STYLES = ("flat", "watercolour", "pixel", "ink")
COLOURED = ("house", "balloon", "boat", "lighthouse", "tent")
UNCOLOURED = ("pines", "trees", "birds")
GROVES = ("pines", "trees")
COUNTED = {"balloon": 0.22, "boat": 0.14, "house": 0.1, "tent": 0.12}  # how often there are two
SIDES = ("left", "middle", "right")
NATIVE = 128


@dataclass(frozen=True)
class Thing:
    """Something in a scene, once or twice; groves and birds have no colour ("")."""

    kind: str
    colour: str
    side: str
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything about a landscape that a caption may name."""

    time: str
    terrain: str
    ground: str
    weather: str
    style: str
    disc: str  # "sun", "moon" or ""
    disc_side: str
    stars: bool
    clouds: bool
    things: tuple[Thing, ...]


def _things(rng: Generator, ground: str) -> tuple[Thing, ...]:
    """Nothing to three things, each in its own third of the picture; two of a kind take two thirds."""
    kinds = [*GROVES, "house", "balloon", "balloon", "lighthouse", "birds"]
    kinds += ["boat"] * 4 if ground == "lake" else ["house", "tent", "tent"]
    shuffled = list(dict.fromkeys(str(k) for k in rng.permutation(kinds)))
    wanted = shuffled[: int(rng.choice(4, p=(0.1, 0.42, 0.36, 0.12)))]
    sides = [str(side) for side in rng.permutation(SIDES)]
    made: list[Thing] = []
    for kind, side in zip(wanted, sides, strict=False):
        colour = str(rng.choice(list(PAINTS))) if kind in COLOURED else ""
        count = 2 if not made and rng.random() < COUNTED.get(kind, 0) else 1
        made.append(Thing(kind, colour, side, count))
    if made and made[0].count == 2:
        opposite = {"left": "right", "right": "left"}.get(made[0].side)
        made = made[:1] + [Thing(t.kind, t.colour, opposite) for t in made[1:2] if opposite]
    return tuple(made)


def plan(rng: Generator) -> Scene:
    """A random scene; snow is rare in the desert, and cliffs often stand by the sea."""
    time, terrain = str(rng.choice(TIMES)), str(rng.choice(TERRAINS))
    weights = {"dunes": (0.28, 0.16, 0.42, 0.05, 0.09), "cliffs": (0.4, 0.3, 0.16, 0.08, 0.06)}
    ground = str(rng.choice(GROUND_KINDS, p=weights.get(terrain, (0.3, 0.22, 0.12, 0.2, 0.16))))
    weather = str(rng.choice(WEATHERS, p=(0.85, 0.06, 0.045, 0.045)))
    disc = {"night": "moon", "overcast": ""}.get(time, "sun")
    clear = weather != "rain"
    return Scene(
        time=time,
        terrain=terrain,
        ground=ground,
        weather=weather,
        style=str(rng.choice(STYLES, p=(0.83, 0.07, 0.045, 0.055))),
        disc=disc if clear and rng.random() < 0.72 else "",
        disc_side=str(rng.choice(SIDES)),
        stars=time == "night" and clear and rng.random() < 0.7,
        clouds=time == "overcast" or rng.random() < 0.4,
        things=_things(rng, ground),
    )


def _across(side: str, rng: Generator, size: int) -> float:
    return size * (SIDES.index(side) / 3 + 1 / 6 + float(rng.uniform(-0.06, 0.06)))


def _sky(canvas: Canvas, rng: Generator, scene: Scene, light: Light, horizon: float) -> None:
    size = canvas.size
    canvas.gradient(0, size, [light.zenith, light.middle, light.horizon, light.horizon])
    if scene.stars:
        for x, y in rng.uniform(0, 1, (18, 2)):
            radius = float(rng.uniform(0.9, 1.7))
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
    """Three round lobes on a flat base that lies in shade."""
    w = canvas.size * float(rng.uniform(0.1, 0.15))
    shade = mix(light.cloud, light.middle, 0.4)
    for colour, low in ((shade, 0.14), (light.cloud, 0.0)):
        canvas.ellipse(x, y + low * w, w * 1.7, w * 0.4, colour)
        for dx, lift, r in ((-0.7, 0.18, 0.5), (0.1, 0.4, 0.66), (0.85, 0.15, 0.44)):
            canvas.ellipse(x + dx * w, y - (lift - low) * w, r * w, r * w * 0.8, colour)


def _places(thing: Thing, x: float, size: int) -> list[float]:
    """Where along the picture each of them is; two stand around the middle of their side."""
    if thing.count == 1:
        return [x]
    middle = min(max(x, size * 0.24), size * 0.76)
    return [middle - size * 0.13, middle + size * 0.13]


def _on_land(canvas: Canvas, rng: Generator, scene: Scene, thing: Thing, light: Light, horizon: float) -> None:
    """Houses, towers, tents and groves: on the far shore of a lake, otherwise on the near ground."""
    size, lake, glowing = canvas.size, scene.ground == "lake", scene.time in ("night", "sunset")
    small = 1.0 if thing.count == 1 else 0.8
    for x in _places(thing, _across(thing.side, rng, size), size):
        base = horizon if lake else horizon + (size - horizon) * float(rng.uniform(0.3, 0.72))
        if lake:
            canvas.ellipse(x, horizon, size * 0.2, 3.2, lit((96, 150, 70), light))
        if thing.kind == "house":
            house(canvas, x, base, small * size * float(rng.uniform(0.24, 0.3)), thing.colour, light, glowing)
        elif thing.kind == "lighthouse":
            tall = size * float(rng.uniform(0.42, 0.5))
            lighthouse(canvas, x, base, tall, thing.colour, light, scene.time in ("night", "sunset"))
        elif thing.kind == "tent":
            tent(canvas, x, base, small * size * float(rng.uniform(0.27, 0.33)), thing.colour, light, glowing)
        else:
            tall = size * float(rng.uniform(0.24, 0.3))
            grove(canvas, rng, x, base, tall, thing.kind, light, scene.ground == "snow")


def _in_the_sky(canvas: Canvas, rng: Generator, scene: Scene, thing: Thing, light: Light, horizon: float) -> None:
    size = canvas.size
    for x in _places(thing, _across(thing.side, rng, size), size):
        if thing.kind == "birds":
            x = min(max(x, size * 0.2), size * 0.8)
            birds(canvas, rng, x, size * float(rng.uniform(0.1, 0.26)), light, scene.time == "night")
        else:
            low, high = (0.1, 0.13) if thing.count == 1 else (0.085, 0.1)
            radius = size * float(rng.uniform(low, high))
            y = float(rng.uniform(radius * 1.15, horizon - radius * 2.7))
            balloon(canvas, x, y, radius, thing.colour, light)


def _on_water(canvas: Canvas, rng: Generator, thing: Thing, light: Light, horizon: float) -> None:
    size = canvas.size
    for x in _places(thing, _across(thing.side, rng, size), size):
        base = horizon + (size - horizon) * float(rng.uniform(0.45, 0.7))
        width = size * float(rng.uniform(0.27, 0.34)) * (1.0 if thing.count == 1 else 0.72)
        boat(canvas, x, base, width, thing.colour, light)


def _landscape(scene: Scene, rng: Generator, size: int) -> NDArray[np.uint8]:
    canvas, light = Canvas(size), varied(LIGHTS[scene.time], rng)
    horizon = size * float(rng.uniform(0.56, 0.68))
    _sky(canvas, rng, scene, light, horizon)
    paint_terrain(canvas, rng, scene.terrain, light, horizon)
    lake = scene.ground == "lake"
    if not lake:
        paint_ground(canvas, rng, "meadow" if scene.ground == "river" else scene.ground, light, horizon)
    if scene.ground == "river":
        carve_river(canvas, rng, light, horizon)
    if scene.weather == "fog":
        veil(canvas, light, horizon, 0.65)
    elif scene.weather:
        veil(canvas, light, horizon, 0.2)
    for thing in scene.things:
        if thing.kind in ("balloon", "birds"):
            _in_the_sky(canvas, rng, scene, thing, light, horizon)
        elif thing.kind != "boat":
            _on_land(canvas, rng, scene, thing, light, horizon)
    if lake:
        flood(canvas, rng, light, horizon)
    for thing in scene.things:
        if thing.kind == "boat":
            _on_water(canvas, rng, thing, light, horizon)
    if scene.weather == "rain":
        rain(canvas, rng, light)
    elif scene.weather == "snowfall":
        snowfall(canvas, rng, light)
    return canvas.finished()


def paint(scene: Scene, rng: Generator, size: int = NATIVE) -> NDArray[np.uint8]:
    """The scene as size x size x 3; rng decides what no caption names (shapes, exact places)."""
    picture = _landscape(scene, rng, size)
    if scene.style == "watercolour":
        return watercolour(picture, rng)
    if scene.style == "pixel":
        return pixel(picture)
    return ink(picture) if scene.style == "ink" else picture

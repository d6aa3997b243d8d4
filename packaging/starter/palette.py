"""Colours of the starter world: the light of each time of day, and the paint of things."""

from dataclasses import dataclass, replace

from numpy.random import Generator

RGB = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Light:
    """Sky from zenith to horizon, and the tint that this light multiplies onto everything below it."""

    zenith: RGB
    middle: RGB
    horizon: RGB
    tint: RGB
    glow: RGB  # discs in the sky and their halo
    cloud: RGB


LIGHTS: dict[str, Light] = {
    "dawn": Light(
        zenith=(120, 150, 222),
        middle=(246, 178, 196),
        horizon=(255, 226, 178),
        tint=(0.98, 0.84, 0.86),
        glow=(255, 244, 196),
        cloud=(255, 222, 224),
    ),
    "noon": Light(
        zenith=(44, 126, 220),
        middle=(120, 190, 244),
        horizon=(214, 238, 250),
        tint=(1.0, 1.0, 0.98),
        glow=(255, 246, 170),
        cloud=(255, 255, 255),
    ),
    "sunset": Light(
        zenith=(86, 52, 142),
        middle=(228, 84, 106),
        horizon=(255, 188, 84),
        tint=(0.92, 0.64, 0.62),
        glow=(255, 226, 130),
        cloud=(255, 160, 128),
    ),
    "night": Light(
        zenith=(8, 14, 50),
        middle=(22, 38, 98),
        horizon=(60, 88, 152),
        tint=(0.36, 0.42, 0.62),
        glow=(250, 246, 220),
        cloud=(70, 88, 136),
    ),
    "overcast": Light(
        zenith=(132, 142, 154),
        middle=(172, 182, 190),
        horizon=(208, 214, 216),
        tint=(0.74, 0.77, 0.8),
        glow=(230, 230, 230),
        cloud=(196, 202, 208),
    ),
}

PAINTS: dict[str, RGB] = {
    "red": (222, 44, 42),
    "orange": (246, 138, 30),
    "yellow": (250, 214, 46),
    "green": (44, 164, 78),
    "blue": (42, 92, 214),
    "purple": (142, 62, 184),
    "white": (248, 246, 240),
}

GROUNDS: dict[str, RGB] = {
    "meadow": (112, 182, 66),
    "sand": (240, 204, 132),
    "snow": (240, 246, 255),
}


def mix(a: RGB, b: RGB, t: float) -> RGB:
    """From a (t = 0) to b (t = 1)."""
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def lit(colour: RGB, light: Light, strength: float = 1.0) -> RGB:
    """The colour under this light; strength below 1 keeps things readable where the light is weak."""
    r, g, b = mix((1, 1, 1), light.tint, strength)
    return (colour[0] * r, colour[1] * g, colour[2] * b)


def varied(light: Light, rng: Generator) -> Light:
    """The same time of day on another day: every part of the sky a little different."""

    def near(colour: RGB) -> RGB:
        r, g, b = (float(v) for v in rng.normal(0, 7, 3))
        return (colour[0] + r, colour[1] + g, colour[2] + b)

    return replace(light, zenith=near(light.zenith), middle=near(light.middle), horizon=near(light.horizon))

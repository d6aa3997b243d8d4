"""Things that stand, float or fly in a starter scene: house, hot-air balloon, sailing boat, pines, trees."""

from canvas import Canvas
from numpy.random import Generator
from palette import PAINTS, RGB, Light, lit, mix

WOOD: RGB = (112, 70, 40)
DARK: RGB = (30, 20, 40)


def _paint(colour: str, light: Light) -> RGB:
    """Things keep more of their own colour than the land does, so that a red house is red at night."""
    return lit(PAINTS[colour], light, 0.62)


def house(canvas: Canvas, x: float, base: float, width: float, colour: str, light: Light, glowing: bool) -> None:
    """A gabled house whose door and window glow after dark."""
    wall, half, tall = _paint(colour, light), width / 2, width * 0.6
    roof = mix(wall, lit((84, 44, 40), light, 0.6), 0.72)
    window: RGB = (255, 226, 120) if glowing else mix(wall, (40, 60, 110), 0.72)
    canvas.box(x - half, base - tall, x + half, base, wall)
    canvas.box(x + half * 0.55, base - tall, x + half, base, mix(wall, DARK, 0.16))
    canvas.box(x + half * 0.3, base - tall * 1.6, x + half * 0.58, base - tall, mix(roof, DARK, 0.2))
    canvas.polygon([(x - half * 1.2, base - tall), (x, base - tall * 1.75), (x + half * 1.2, base - tall)], roof)
    canvas.box(x - half * 0.7, base - tall * 0.74, x - half * 0.16, base - tall * 0.3, window)
    canvas.box(x + half * 0.14, base - tall * 0.66, x + half * 0.56, base, mix(wall, DARK, 0.66))


def balloon(canvas: Canvas, x: float, y: float, radius: float, colour: str, light: Light) -> None:
    """A hot-air balloon with lighter gores; y is the middle of the envelope."""
    skin = _paint(colour, light)
    stripe = mix(skin, (255, 255, 255), 0.42) if colour != "white" else mix(skin, (110, 130, 180), 0.35)
    r = radius
    canvas.polygon(
        [
            (x - r * 0.9, y + r * 0.42),
            (x + r * 0.9, y + r * 0.42),
            (x + r * 0.22, y + r * 1.5),
            (x - r * 0.22, y + r * 1.5),
        ],
        skin,
    )
    canvas.ellipse(x, y, r, r, skin)
    canvas.ellipse(x, y, r * 0.46, r, stripe)
    canvas.polygon(
        [
            (x - r * 0.42, y + r * 0.42),
            (x + r * 0.42, y + r * 0.42),
            (x + r * 0.1, y + r * 1.5),
            (x - r * 0.1, y + r * 1.5),
        ],
        stripe,
    )
    canvas.box(x - r * 0.22, y + r * 1.62, x + r * 0.22, y + r * 2.0, lit(WOOD, light, 0.6))


def boat(canvas: Canvas, x: float, base: float, width: float, colour: str, light: Light) -> None:
    """A sailing boat with a coloured main sail, and its broken mirror image below."""
    sail, half, tall = _paint(colour, light), width / 2, width * 0.95
    hull = lit(WOOD, light, 0.6)
    deck = base - width * 0.2
    for part in (0.1, 0.24, 0.38):
        canvas.ellipse(x, base + tall * part, half * (0.75 - part), 0.9, mix(sail, (40, 80, 130), 0.45))
    canvas.polygon([(x - half, deck), (x + half, deck), (x + half * 0.66, base), (x - half * 0.66, base)], hull)
    canvas.box(x - 0.6, deck - tall, x + 0.6, deck, mix(hull, DARK, 0.4))
    canvas.polygon([(x + 1.2, deck - tall), (x + 1.2, deck - 1.5), (x + half * 0.92, deck - 1.5)], sail)
    canvas.polygon(
        [(x - 1.2, deck - tall * 0.86), (x - 1.2, deck - 1.5), (x - half * 0.7, deck - 1.5)],
        mix(sail, (255, 255, 255), 0.35),
    )


def pine(canvas: Canvas, x: float, base: float, tall: float, light: Light, snowy: bool) -> None:
    """Three stacked triangles on a short trunk."""
    leaf = lit((26, 92, 66), light, 0.85)
    canvas.box(x - tall * 0.05, base - tall * 0.14, x + tall * 0.05, base, lit(WOOD, light, 0.85))
    for j in range(3):
        half, low = tall * (0.27 - 0.06 * j), base - tall * (0.12 + 0.26 * j)
        canvas.polygon([(x - half, low), (x + half, low), (x, low - tall * 0.38)], mix(leaf, (90, 150, 90), 0.1 * j))
    if snowy:
        canvas.polygon(
            [(x - tall * 0.08, base - tall * 0.84), (x + tall * 0.08, base - tall * 0.84), (x, base - tall * 1.02)],
            lit((245, 250, 255), light, 0.85),
        )


def tree(canvas: Canvas, x: float, base: float, tall: float, light: Light) -> None:
    """A round crown with a lighter shoulder on a brown trunk."""
    leaf = lit((66, 142, 52), light, 0.85)
    canvas.box(x - tall * 0.06, base - tall * 0.45, x + tall * 0.06, base, lit(WOOD, light, 0.85))
    canvas.ellipse(x, base - tall * 0.66, tall * 0.34, tall * 0.34, leaf)
    canvas.ellipse(x - tall * 0.1, base - tall * 0.76, tall * 0.17, tall * 0.16, mix(leaf, (200, 230, 110), 0.3))


def grove(
    canvas: Canvas, rng: Generator, x: float, base: float, tall: float, kind: str, light: Light, snowy: bool
) -> None:
    """Three to five trees side by side around x, the further ones first."""
    count = int(rng.integers(3, 6))
    spots = sorted((float(rng.uniform(-1.5, 3.5)), k) for k in range(count))
    for dy, k in spots:
        at = x + (k - (count - 1) / 2) * tall * 0.42
        size = tall * float(rng.uniform(0.78, 1.08))
        if kind == "pines":
            pine(canvas, at, base + dy, size, light, snowy)
        else:
            tree(canvas, at, base + dy, size * 0.92, light)

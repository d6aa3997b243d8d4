"""Things that stand, float or fly in a starter scene, each big enough for a small autoencoder to keep."""

from canvas import Canvas
from numpy.random import Generator
from palette import PAINTS, RGB, Light, lit, mix

WOOD: RGB = (112, 70, 40)
DARK: RGB = (30, 20, 40)
WARM: RGB = (255, 226, 120)


def _paint(colour: str, light: Light) -> RGB:
    """Things keep more of their own colour than the land does, so that a red house is red at night."""
    return lit(PAINTS[colour], light, 0.5)


def house(canvas: Canvas, x: float, base: float, width: float, colour: str, light: Light, glowing: bool) -> None:
    """A gabled house whose door and window glow after dark."""
    wall, half, tall = _paint(colour, light), width / 2, width * 0.6
    roof = mix(wall, lit((84, 44, 40), light, 0.6), 0.72)
    window: RGB = WARM if glowing else mix(wall, (40, 60, 110), 0.72)
    canvas.box(x - half, base - tall, x + half, base, wall)
    canvas.box(x + half * 0.62, base - tall, x + half, base, mix(wall, DARK, 0.16))
    canvas.box(x + half * 0.3, base - tall * 1.6, x + half * 0.58, base - tall, mix(roof, DARK, 0.2))
    canvas.polygon([(x - half * 1.2, base - tall), (x, base - tall * 1.75), (x + half * 1.2, base - tall)], roof)
    canvas.box(x - half * 0.7, base - tall * 0.74, x - half * 0.16, base - tall * 0.3, window)
    canvas.box(x + half * 0.14, base - tall * 0.66, x + half * 0.56, base, mix(wall, DARK, 0.66))


def lighthouse(canvas: Canvas, x: float, base: float, tall: float, colour: str, light: Light, glowing: bool) -> None:
    """A white tower with two coloured bands and a lamp; a white one has grey bands."""
    plain = lit((248, 246, 240), light, 0.55)
    band = _paint(colour, light) if colour != "white" else mix(plain, (120, 130, 150), 0.4)
    wide, top = tall * 0.15, base - tall * 0.76

    def across(share: float) -> float:
        return wide * (1 - 0.34 * share)

    def ring(low: float, high: float, paint: RGB) -> None:
        bottom, upper = base - (base - top) * low, base - (base - top) * high
        a, b = across(low), across(high)
        canvas.polygon([(x - a, bottom), (x + a, bottom), (x + b, upper), (x - b, upper)], paint)
        canvas.polygon(
            [(x + a * 0.45, bottom), (x + a, bottom), (x + b, upper), (x + b * 0.45, upper)], mix(paint, DARK, 0.18)
        )

    if glowing:
        canvas.glow(x, top - tall * 0.07, tall * 0.3, WARM, 0.5)
    for k in range(4):
        ring(k / 4, (k + 1) / 4, band if k in (0, 2) else plain)
    canvas.box(x - wide * 0.85, top - tall * 0.02, x + wide * 0.85, top + tall * 0.02, mix(band, DARK, 0.45))
    canvas.box(x - wide * 0.5, top - tall * 0.13, x + wide * 0.5, top - tall * 0.02, WARM)
    canvas.polygon(
        [(x - wide * 0.75, top - tall * 0.12), (x, top - tall * 0.24), (x + wide * 0.75, top - tall * 0.12)], band
    )


def tent(canvas: Canvas, x: float, base: float, width: float, colour: str, light: Light, glowing: bool) -> None:
    """A ridge tent seen from a corner: a bright front with a dark door, and one shaded side."""
    cloth, half, tall = _paint(colour, light), width / 2, width * 0.62
    tip, back = (x - half * 0.25, base - tall), (x + half * 0.7, base - tall * 0.9)
    canvas.polygon([tip, back, (x + half * 1.15, base - tall * 0.06), (x + half * 0.4, base)], mix(cloth, DARK, 0.24))
    canvas.polygon([tip, (x - half, base), (x + half * 0.4, base)], cloth)
    door = WARM if glowing else mix(cloth, DARK, 0.75)
    canvas.polygon(
        [(x - half * 0.26, base - tall * 0.72), (x - half * 0.56, base), (x - half * 0.02, base)],
        door,
    )


def balloon(canvas: Canvas, x: float, y: float, radius: float, colour: str, light: Light) -> None:
    """A hot-air balloon with lighter gores; y is the middle of the envelope."""
    skin = _paint(colour, light)
    stripe = mix(skin, (255, 255, 255), 0.42) if colour != "white" else mix(skin, (110, 130, 180), 0.35)
    r = radius
    for half, foot, paint in ((0.9, 0.22, skin), (0.42, 0.1, stripe)):
        canvas.ellipse(x, y, r * half / 0.9, r, paint)
        canvas.polygon(
            [
                (x - r * half, y + r * 0.42),
                (x + r * half, y + r * 0.42),
                (x + r * foot, y + r * 1.5),
                (x - r * foot, y + r * 1.5),
            ],
            paint,
        )
    canvas.box(x - r * 0.24, y + r * 1.56, x + r * 0.24, y + r * 2.0, lit(WOOD, light, 0.6))


def boat(canvas: Canvas, x: float, base: float, width: float, colour: str, light: Light) -> None:
    """A sailing boat with a coloured main sail, and its broken mirror image below."""
    sail, half, tall = _paint(colour, light), width / 2, width * 0.95
    hull = lit(WOOD, light, 0.6)
    deck = base - width * 0.2
    for part in (0.12, 0.28):
        canvas.ellipse(x, base + tall * part, half * (0.75 - part), 1.2, mix(sail, (40, 80, 130), 0.45))
    canvas.polygon([(x - half, deck), (x + half, deck), (x + half * 0.66, base), (x - half * 0.66, base)], hull)
    canvas.box(x - 0.8, deck - tall, x + 0.8, deck, mix(hull, DARK, 0.4))
    canvas.polygon([(x + 1.2, deck - tall), (x + 1.2, deck - 1.5), (x + half * 0.92, deck - 1.5)], sail)
    canvas.polygon(
        [(x - 1.2, deck - tall * 0.86), (x - 1.2, deck - 1.5), (x - half * 0.7, deck - 1.5)],
        mix(sail, (255, 255, 255), 0.35),
    )


def birds(canvas: Canvas, rng: Generator, x: float, y: float, light: Light, dark: bool) -> None:
    """Four birds in a loose row, each two bent wings."""
    ink = mix(light.cloud, (255, 255, 255), 0.5) if dark else mix(light.horizon, DARK, 0.82)
    wing = canvas.size * float(rng.uniform(0.05, 0.06))
    for column, row in ((-1.5, 0.9), (-0.5, 0), (0.5, 0.8), (1.5, 0.2)):
        cx = x + column * wing * 2.0 + float(rng.uniform(-1.5, 1.5))
        cy = y + row * wing * 1.3 + float(rng.uniform(-1, 1))
        for side in (-1, 1):
            canvas.polygon(
                [
                    (cx, cy + 0.4),
                    (cx + side * wing * 0.55, cy - wing * 0.62),
                    (cx + side * wing, cy - wing * 0.2),
                    (cx + side * wing * 0.5, cy - wing * 0.16),
                    (cx, cy + 2.8),
                ],
                ink,
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
    """Three or four trees side by side around x, the further ones first."""
    count = int(rng.integers(3, 5))
    spots = sorted((float(rng.uniform(-1.5, 3.5)), k) for k in range(count))
    for dy, k in spots:
        at = x + (k - (count - 1) / 2) * tall * 0.42
        size = tall * float(rng.uniform(0.78, 1.08))
        if kind == "pines":
            pine(canvas, at, base + dy, size, light, snowy)
        else:
            tree(canvas, at, base + dy, size * 0.92, light)

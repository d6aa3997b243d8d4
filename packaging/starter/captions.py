"""Captions for scenes, in many wordings, so that prompts can be written freely."""

from numpy.random import Generator
from palette import PAINTS
from world import Scene, Thing

# The plain word comes first and is the one most prompts will use.
WORDS: dict[str, tuple[str, ...]] = {
    "dawn": ("dawn", "sunrise", "early morning", "daybreak"),
    "noon": ("noon", "midday", "a sunny day", "daytime", "a bright day"),
    "sunset": ("sunset", "evening", "dusk", "a golden evening"),
    "night": ("night", "midnight", "a dark night"),
    "overcast": ("overcast", "a grey day", "a cloudy sky", "dull weather", "a gray sky"),
    "mountains": ("mountains", "rocky mountains", "peaks", "a mountain range", "high mountains"),
    "snowy mountains": ("snowy mountains", "snow-capped mountains", "snowy peaks", "white mountains"),
    "hills": ("hills", "green hills", "rolling hills"),
    "dunes": ("dunes", "sand dunes", "desert dunes"),
    "cliffs": ("cliffs", "sea cliffs", "white cliffs", "cliffs by the sea", "a rocky coast"),
    "lake": ("a lake", "lake", "a calm lake", "water", "a lake with reflections", "still water"),
    "meadow": ("a meadow", "meadow", "grass", "a green field", "a green meadow"),
    "sand": ("sand", "a beach", "sandy ground", "a desert"),
    "snow": ("snow", "a snowy field", "snowy ground", "a winter field"),
    "river": ("a river", "river", "a winding river", "a stream"),
    "fog": ("fog", "mist", "a foggy day", "misty air"),
    "rain": ("rain", "rainy weather", "a rainy day", "falling rain"),
    "snowfall": ("snowfall", "falling snow", "a snowstorm", "snowflakes"),
    "house": ("house", "cottage", "cabin", "hut"),
    "balloon": ("balloon", "hot-air balloon", "hot air balloon"),
    "boat": ("boat", "sailing boat", "sailboat"),
    "lighthouse": ("lighthouse", "lighthouse", "tower"),
    "tent": ("tent", "camping tent"),
    "pines": ("pines", "pine trees", "fir trees", "a few pines", "a pine forest"),
    "trees": ("trees", "round trees", "leafy trees", "a few trees"),
    "birds": ("birds", "a flock of birds", "flying birds", "a bird flock", "seagulls"),
    "sun": ("the sun", "sun", "a bright sun"),
    "moon": ("the moon", "moon", "a full moon"),
    "stars": ("stars", "a starry sky"),
    "clouds": ("clouds", "white clouds", "some clouds"),
}
SIDE_WORDS = {
    "left": ("on the left", "to the left", "at the left"),
    "middle": ("in the middle", "in the centre", "in the center"),
    "right": ("on the right", "to the right", "at the right"),
}
# How a time of day or weather ends a sentence where "at" does not fit.
WHEN = {
    "early morning": "in early morning",
    "evening": "in the evening",
    "a sunny day": "on a sunny day",
    "a bright day": "on a bright day",
    "a golden evening": "on a golden evening",
    "a dark night": "in a dark night",
    "a grey day": "on a grey day",
    "a gray sky": "under a gray sky",
    "a cloudy sky": "under a cloudy sky",
    "dull weather": "in dull weather",
    "overcast": "on an overcast day",
    "a foggy day": "on a foggy day",
    "a rainy day": "on a rainy day",
    "a snowstorm": "in a snowstorm",
    **{key: f"in {key}" for key in ("fog", "mist", "misty air", "rain", "rainy weather", "falling rain")},
    **{key: f"in {key}" for key in ("snowfall", "falling snow", "snowflakes")},
}
# A style as one part of a list, and as an opening.
STYLE_WORDS = {
    "flat": (("flat illustration", "flat style", "vector art"), ("a flat illustration of ", "an illustration of ")),
    "watercolour": (
        ("watercolour", "watercolor", "soft watercolour", "watercolour painting"),
        ("a watercolour of ", "a watercolor painting of ", "a soft watercolour of "),
    ),
    "pixel": (("pixel art", "pixels", "pixel style"), ("pixel art of ", "a pixel picture of ")),
    "ink": (("ink drawing", "ink", "ink sketch", "pen and ink"), ("an ink drawing of ", "an ink sketch of ")),
}
OPENINGS = ("a landscape with ", "a picture of ", "a painting of ", "a view of ", "a scene with ")
VERBS = {
    "balloon": ("floating over", "above", "flying over"),
    "birds": ("flying over", "above"),
    "boat": ("sailing on", "on"),
    "house": ("by", "near", "in front of", "next to"),
    "lighthouse": ("by", "near", "in front of"),
    "tent": ("by", "near", "in front of"),
    "pines": ("by", "near", "in front of"),
    "trees": ("by", "near", "in front of"),
}
SHORT = 0.1
SMALL_WORDS = {
    *("a", "an", "and", "at", "by", "in", "of", "on", "over", "the", "to", "under", "with"),
    *("above", "front", "near", "next"),
}


def _say(rng: Generator, key: str) -> str:
    words = WORDS[key]
    return words[0] if rng.random() < 0.4 else str(rng.choice(words))


def _with_article(name: str) -> str:
    return ("an " if name[0] in "aeiou" else "a ") + name


def _thing(rng: Generator, thing: Thing, gaps: float = 1.0) -> str:
    name = _say(rng, thing.kind)
    if thing.colour:
        name = f"{thing.colour} {name}" if rng.random() >= 0.05 * gaps else name
        if thing.count == 2:
            name = f"two {name}s"
        elif rng.random() < 0.65:
            name = _with_article(name)
    if rng.random() < 0.4:
        name += " " + str(rng.choice(SIDE_WORDS[thing.side]))
    return name


def _details(rng: Generator, scene: Scene) -> list[str]:
    """Sky details are often left unsaid, as people do."""
    said = [
        key
        for key in (scene.disc, "stars" * scene.stars, "clouds" * (scene.clouds and scene.time != "overcast"))
        if key and rng.random() < 0.65
    ]
    return [_say(rng, key) for key in said]


def _as_list(rng: Generator, parts: list[str]) -> str:
    """Comma-separated, in any order."""
    return ", ".join(str(part) for part in rng.permutation(parts))


def _ending(part: str) -> str:
    return " " + WHEN.get(part, f"at {part}") if part else ""


def _as_sentence(rng: Generator, things: list[str], land: list[str], endings: list[str]) -> str:
    """As in: a red house and pines, hills and a lake at sunset in fog."""
    first, second = (things, land) if rng.random() < 0.6 else (land, things)
    joined = [" and ".join(group) for group in (first, second) if group]
    link = ", " if rng.random() < 0.5 else " with "
    return link.join(joined) + "".join(_ending(part) for part in endings)


def _as_story(rng: Generator, scene: Scene, told: list[str], land: list[str], endings: list[str]) -> str:
    """As in: a yellow balloon floating over a lake, snowy mountains at dawn."""
    verb = str(rng.choice(VERBS[scene.things[0].kind]))
    # What stands or floats is told against the ground; the terrain may come first where there is no ground.
    where, rest = land[-1], [*told[1:], *land[:-1]]
    return f"{told[0]} {verb} {', '.join([where, *rest])}" + "".join(_ending(part) for part in endings)


def _in_short(rng: Generator, scene: Scene) -> str:
    """A single part of the scene, as people write to try something out or to repaint a spot."""
    parts = [_thing(rng, thing) for thing in scene.things] * 3
    parts += [_say(rng, key) for key in (scene.terrain, scene.ground, scene.time, scene.weather) if key]
    return str(rng.choice(parts))


def describe(scene: Scene, rng: Generator, gaps: float = 1.0) -> str:
    """One caption; parts are left out now and then, but never all of them. With gaps = 0 only sky details are."""

    def kept(share: float) -> bool:
        return rng.random() >= (1 - share) * gaps

    if not kept(1 - SHORT):
        return _in_short(rng, scene)
    time = _say(rng, scene.time) if kept(0.88) else ""
    weather = _say(rng, scene.weather) if scene.weather and kept(0.95) else ""
    endings = [part for part in (time, weather) if part]
    land = [_say(rng, key) for key in (scene.terrain, scene.ground) if kept(0.88)]
    told = [_thing(rng, thing, gaps) for thing in scene.things if kept(0.96)]
    details = _details(rng, scene)
    if not (land or told or details):
        land = [_say(rng, scene.terrain)]
    parts, openings = STYLE_WORDS[scene.style]
    styled = rng.random() < 0.12 if scene.style == "flat" else kept(0.96)
    style = str(rng.choice(parts)) if styled else ""
    if rng.random() < 0.5:
        return _as_list(rng, [*land, *told, *details, *endings, *([style] if style else [])])
    if land and len(told) == len(scene.things) > 0 and rng.random() < 0.45:
        sentence = _as_story(rng, scene, [*told, *details], land, endings)
    else:
        sentence = _as_sentence(rng, told + details, land, endings)
    if style and rng.random() < 0.5:
        return str(rng.choice(openings)) + sentence
    if style:
        return f"{sentence}, {style}" if rng.random() < 0.6 else f"{style}, {sentence}"
    return (str(rng.choice(OPENINGS)) if rng.random() < 0.4 else "") + sentence


def known_words() -> list[str]:
    """Every word that a caption may use, sorted; hyphenated ones whole and in parts."""
    said = [*(w for words in WORDS.values() for w in words), *OPENINGS, *PAINTS, *WHEN.values(), "two"]
    said += [w for words in (*SIDE_WORDS.values(), *VERBS.values()) for w in words]
    said += [w for both in STYLE_WORDS.values() for words in both for w in words]
    said += [f"{name}s" for kind in ("balloon", "boat", "house", "tent") for name in WORDS[kind]]
    whole = {word for phrase in said for word in phrase.split()}
    parts = {part for word in whole for part in word.split("-")}
    return sorted((whole | parts) - SMALL_WORDS)

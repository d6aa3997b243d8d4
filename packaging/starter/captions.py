"""Captions for scenes, in many wordings, so that prompts can be written freely."""

from numpy.random import Generator
from palette import PAINTS
from world import Scene, Thing

WORDS: dict[str, tuple[str, ...]] = {
    "dawn": ("dawn", "sunrise", "early morning"),
    "noon": ("noon", "midday", "a sunny day", "daytime"),
    "sunset": ("sunset", "evening", "dusk"),
    "night": ("night", "midnight", "a dark night"),
    "overcast": ("overcast", "a grey day", "a cloudy sky", "dull weather"),
    "mountains": ("mountains", "rocky mountains", "peaks", "a mountain range"),
    "snowy mountains": ("snowy mountains", "snow-capped mountains", "snowy peaks"),
    "hills": ("hills", "green hills", "rolling hills"),
    "dunes": ("dunes", "sand dunes", "desert dunes"),
    "lake": ("a lake", "lake", "a calm lake", "water", "a lake with reflections"),
    "meadow": ("a meadow", "meadow", "grass", "a green field", "a green meadow"),
    "sand": ("sand", "a beach", "sandy ground", "a desert"),
    "snow": ("snow", "a snowy field", "snowy ground", "a winter field"),
    "house": ("house", "cottage", "cabin"),
    "balloon": ("balloon", "hot-air balloon", "hot air balloon"),
    "boat": ("boat", "sailing boat", "sailboat"),
    "pines": ("pines", "pine trees", "fir trees", "a few pines"),
    "trees": ("trees", "round trees", "leafy trees", "a few trees"),
    "sun": ("the sun", "sun", "a bright sun"),
    "moon": ("the moon", "moon", "a full moon"),
    "stars": ("stars", "a starry sky"),
    "clouds": ("clouds", "white clouds", "some clouds"),
}
SIDE_WORDS = {
    "left": ("on the left", "to the left"),
    "middle": ("in the middle", "in the centre"),
    "right": ("on the right", "to the right"),
}
# How a time of day ends a sentence where "at" does not fit.
WHEN = {
    "early morning": "in early morning",
    "evening": "in evening",
    "a sunny day": "on a sunny day",
    "a dark night": "in a dark night",
    "a grey day": "on a grey day",
    "a cloudy sky": "under a cloudy sky",
    "dull weather": "in dull weather",
    "overcast": "on an overcast day",
}
SMALL_WORDS = {"a", "an", "and", "at", "in", "of", "on", "the", "to", "under", "with"}
OPENINGS = ("", "", "", "", "a landscape with ", "a picture of ", "a painting of ")


def _say(rng: Generator, key: str) -> str:
    words = WORDS[key]
    # The plain word comes first and is the one most prompts will use.
    return words[0] if rng.random() < 0.4 else str(rng.choice(words))


def _thing(rng: Generator, thing: Thing) -> str:
    name = _say(rng, thing.kind)
    if thing.colour:
        name = f"{thing.colour} {name}" if rng.random() < 0.95 else name
        if rng.random() < 0.6:
            name = ("an " if name[0] in "aeiou" else "a ") + name
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


def _as_list(rng: Generator, parts: list[str], time: str) -> str:
    """Comma-separated, the time of day anywhere."""
    everything = parts + ([time] if time else [])
    return ", ".join(str(p) for p in rng.permutation(everything))


def _as_sentence(rng: Generator, things: list[str], land: list[str], time: str) -> str:
    """As in: a red house and pines, hills and a lake at sunset."""
    first, second = (things, land) if rng.random() < 0.6 else (land, things)
    joined = [" and ".join(group) for group in (first, second) if group]
    link = ", " if rng.random() < 0.5 else " with "
    return link.join(joined) + (" " + WHEN.get(time, f"at {time}") if time else "")


def describe(scene: Scene, rng: Generator) -> str:
    """One caption; parts are left out now and then, but never all of them."""
    time = _say(rng, scene.time) if rng.random() < 0.88 else ""
    land = [_say(rng, key) for key in (scene.terrain, scene.ground) if rng.random() < 0.88]
    things = [_thing(rng, thing) for thing in scene.things if rng.random() < 0.94] + _details(rng, scene)
    if not (land or things):
        land = [_say(rng, scene.terrain)]
    if rng.random() < 0.6:
        return _as_list(rng, land + things, time)
    return str(rng.choice(OPENINGS)) + _as_sentence(rng, things, land, time)


def known_words() -> list[str]:
    """Every word that a caption may use, sorted; hyphenated ones whole and in parts."""
    said = [*(w for words in WORDS.values() for w in words), *OPENINGS, *PAINTS, *WHEN.values()]
    said += [w for words in SIDE_WORDS.values() for w in words]
    whole = {word for phrase in said for word in phrase.split()}
    parts = {part for word in whole for part in word.split("-")}
    return sorted((whole | parts) - SMALL_WORDS)

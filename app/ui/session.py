"""What the window remembers from one start to the next, read with suspicion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QByteArray

from app.core.additions import MOST_EMBEDDINGS, MOST_LORAS, EmbeddingUse, LoraUse, check_additions
from app.core.errors import RequestError
from app.core.geometry import Size
from app.core.params import Intent, Params
from app.core.recipe import Recipe
from app.core.request import MOST_SEED, FrameChoice
from app.core.samplers import SAMPLERS
from app.core.seam import Fill, Seam
from app.core.variation import Variation
from app.document.strokes import LEAST_SIZE, MOST_SIZE
from app.ui.params import LEAST_SIDE, MOST_CLIP_SKIP, MOST_COUNT, MOST_GUIDANCE, MOST_SIDE, MOST_STEPS

Values = Mapping[str, Any]
Use = TypeVar("Use")
_WIDTHS = ("grow", "feather", "ring")


def params_to_values(params: Params) -> dict[str, Any]:
    """Params as JSON can hold them; the seed is not kept, and neither is what depends on the picture of the day."""
    return {
        "prompt": params.prompt,
        "negative": params.negative,
        "strength": params.strength,
        "inpaint_strength": params.inpaint_strength,
        "guidance": params.guidance,
        "steps": params.steps,
        "count": params.count,
        "sampler": params.sampler,
        "width": params.size.width,
        "height": params.size.height,
        "model": params.model,
        "guidance_interval": list(params.guidance_interval),
        "clip_skip": params.clip_skip,
        "draft": params.draft,
        "loras": [{"file": use.file, "weight": use.weight} for use in params.loras],
        "embeddings": [{"file": use.file, "word": use.word} for use in params.embeddings],
        "vae": params.vae,
        "frame": params.frame.value,
        "seam": {
            **{name: getattr(params.seam, name) for name in _WIDTHS},
            "fill": params.seam.fill.value,
            "colour": list(params.seam.colour),
            "colour_match": params.seam.colour_match,
        },
    }


def params_to_share(params: Params, model: str) -> dict[str, Any]:
    """Params as a file holds them that is given away: whole, with names in place of paths. ``model``: its name."""
    values = params_to_values(params) | {
        "seed": params.seed,
        "seed_locked": params.seed_locked,
        "variation": {"seed": params.variation.seed, "amount": params.variation.amount},
        "stop_at": params.stop_at,
        "intent": params.intent.value,
        "model": model,
        "vae": Path(params.vae).name if params.vae else "",
    }
    for name in ("loras", "embeddings"):
        values[name] = [{**use, "file": Path(use["file"]).name} for use in values[name]]
    return values


def recipe_from_shared(values: Values) -> Recipe:
    """What ``params_to_share`` wrote, ready to be taken over."""
    params = params_from(values)
    told = {field.name: getattr(params, field.name) for field in fields(params)}
    for name in ("count", "model"):
        del told[name]
    told["seed"] = int(_number(values, "seed", params.seed, 0, MOST_SEED))
    told["seed_locked"] = values.get("seed_locked") is True
    mixed = section(values, "variation")
    told["variation"] = Variation(
        seed=int(_number(mixed, "seed", 0, 0, MOST_SEED)), amount=_number(mixed, "amount", 0.0, 0.0, 1.0)
    )
    told["stop_at"] = int(_number(values, "stop_at", 0, 0, 2 * MOST_STEPS))
    told["intent"] = next((each for each in Intent if each.value == values.get("intent")), Intent.REFINE)
    return Recipe(values=told, model_name=_text(values, "model", "")[:200])


def params_from(values: Values) -> Params:
    """The Params of a file that may hold anything: what is not usable is left at its default."""
    plain = Params()
    side = plain.size
    sampler = _text(values, "sampler", plain.sampler)
    return replace(
        plain,
        prompt=_text(values, "prompt", plain.prompt),
        negative=_text(values, "negative", plain.negative),
        intent=Intent.GENERATE,
        strength=_number(values, "strength", plain.strength, 0.0, 1.0),
        inpaint_strength=_number(values, "inpaint_strength", plain.inpaint_strength, 0.0, 1.0),
        guidance=_number(values, "guidance", plain.guidance, 1.0, MOST_GUIDANCE),
        steps=int(_number(values, "steps", plain.steps, 1, MOST_STEPS)),
        count=int(_number(values, "count", plain.count, 1, MOST_COUNT)),
        sampler=sampler if sampler in SAMPLERS else plain.sampler,
        size=_size(values, side),
        model=_text(values, "model", plain.model),
        guidance_interval=_interval(values, plain.guidance_interval),
        clip_skip=int(_number(values, "clip_skip", plain.clip_skip, 1, MOST_CLIP_SKIP)),
        draft=values.get("draft") is True,
        frame=_frame(values, plain.frame),
        seam=_seam(section(values, "seam")),
        **_additions(values),
    )


def _frame(values: Values, default: FrameChoice) -> FrameChoice:
    told = values.get("frame")
    return next((choice for choice in FrameChoice if choice.value == told), default)


def _seam(values: Values) -> Seam:
    """Each value that can be used, the others as planned."""
    seam = Seam()
    told: dict[str, Any] = {name: values.get(name) for name in _WIDTHS}
    told["fill"] = next((fill for fill in Fill if fill.value == values.get("fill")), seam.fill)
    colour = values.get("colour")
    told["colour"] = tuple(colour) if isinstance(colour, list) else seam.colour
    told["colour_match"] = values.get("colour_match") is not False
    for name, value in told.items():
        try:
            seam = replace(seam, **{name: value})
        except RequestError:
            continue
    return seam


def _interval(values: Values, default: tuple[float, float]) -> tuple[float, float]:
    pair = values.get("guidance_interval")
    if not isinstance(pair, list) or len(pair) != 2:
        return default
    ends = {str(place): end for place, end in enumerate(pair)}
    first, last = _number(ends, "0", -1, 0.0, 1.0), _number(ends, "1", -1, 0.0, 1.0)
    return (first, last) if 0 <= first < last else default


def _additions(values: Values) -> dict[str, Any]:
    """What is added to the model; all or nothing of it where it does not go together."""
    found: dict[str, Any] = {
        "loras": _uses(values, "loras", MOST_LORAS, lambda it: LoraUse(file=it["file"], weight=float(it["weight"]))),
        "embeddings": _uses(
            values, "embeddings", MOST_EMBEDDINGS, lambda it: EmbeddingUse(file=it["file"], word=it["word"])
        ),
        "vae": _text(values, "vae", ""),
    }
    try:
        check_additions(**found)
    except RequestError:
        return {}
    return found


def _uses(values: Values, name: str, most: int, make: Callable[[Values], Use]) -> tuple[Use, ...]:
    items = values.get(name)
    found = []
    for item in items[:most] if isinstance(items, list) else []:
        try:
            if all(_is_whole(value) for value in item.values() if isinstance(value, str)):
                found.append(make(item))
        except (RequestError, KeyError, TypeError, ValueError, AttributeError):
            continue
    return tuple(found)


def _size(values: Values, default: Size) -> Size:
    width = _number(values, "width", default.width, LEAST_SIDE, MOST_SIDE)
    return Size(int(width), int(_number(values, "height", default.height, LEAST_SIDE, MOST_SIDE)))


def section(values: Values, name: str) -> Values:
    """A part of the settings that is itself a table, or nothing."""
    part = values.get(name)
    return part if isinstance(part, dict) else {}


def paths(values: Values, name: str) -> list[Path]:
    """A list of paths, without what is none."""
    items = values.get(name)
    return [Path(item) for item in items if isinstance(item, str) and item] if isinstance(items, list) else []


def folder(values: Values, name: str) -> Path:
    """A folder that is still there, or the person's own."""
    path = Path(_text(values, name, ""))
    try:
        return path if path.is_absolute() and path.is_dir() else Path.home()
    except (OSError, ValueError):
        return Path.home()


def budget(values: Values, default: int) -> int:
    """Bytes that the history may take."""
    return int(_number(values, "history_budget", default, 1_000_000_000, 10_000_000_000_000))


def knows_brush_size(values: Values) -> bool:
    """Some tool's brush has a size that can be used."""
    brushes = section(values, "brushes")
    return any(_number(section(brushes, tool), "size", 0.0, LEAST_SIZE, MOST_SIZE) for tool in brushes)


def packed(state: QByteArray) -> str:
    """Qt's own bytes as text."""
    return bytes(state.toBase64().data()).decode("ascii")


def unpacked(values: Values, name: str) -> QByteArray:
    """The bytes that ``packed`` made; empty for anything else, which Qt takes for no state."""
    text = _text(values, name, "")
    return QByteArray.fromBase64(text.encode("ascii", "ignore"))


def _text(values: Values, name: str, default: str) -> str:
    value = values.get(name, default)
    return value if isinstance(value, str) and _is_whole(value) else default


def _is_whole(text: str) -> bool:
    """JSON can hold halves of characters, which neither a tokenizer nor a file takes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _number(values: Values, name: str, default: float, least: float, most: float) -> float:
    value = values.get(name, default)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    return value if fits else default

"""``limner render``: check everything that can be checked, then paint, save and tell."""

from __future__ import annotations

import json
import os
import secrets
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from app.cli.arguments import IMAGE_STRENGTH, MASK_STRENGTH, STEPS, UsageError
from app.cli.interrupts import Interrupts
from app.cli.progress import PreviewFiles, Progress, RenderHooks
from app.cli.resume import resumed
from app.cli.seam import check_unused, seam_from
from app.core.errors import PictureError, UnfinishedError, UserError
from app.core.geometry import Size
from app.core.job import Backend, Result
from app.core.kinds import Kind
from app.core.request import MOST_COUNT, MOST_SEED, ImageToImage, Inpaint, Request, Task, TextToImage
from app.core.samplers import DEFAULT_SAMPLER
from app.core.settings import Folders
from app.core.trail import Trail
from app.library import metadata, saving
from app.library.additions import check_addition
from app.library.importing import needs_converting, prepared
from app.library.metadata import Told
from app.library.models import Model, default_model, locate_model, read_model
from app.library.pictures import load_mask, load_picture
from app.library.trails import ENDING, save_trail

MOST_PICTURES = 10_000
MOST_RANDOM_SEED = 2**32


@dataclass(frozen=True, kw_only=True)
class Order:
    """All that is to be made: Requests, and a file for each of their pictures; checked as far as it goes without
    torch."""

    requests: tuple[Request, ...]
    outputs: tuple[Path, ...]
    model: Model
    notes: tuple[str, ...]
    preview_dir: Path | None
    keep_dir: Path | None


def render(options: Namespace, places: Folders, make_backend: Callable[[], Backend], interrupts: Interrupts) -> None:
    """Make, save and report the pictures. Raises UserError, Cancelled, KeyboardInterrupt."""
    order = prepare(options, places)
    progress = Progress(sys.stderr, len(order.outputs))
    made: list[dict[str, Any]] = []

    def save(result: Result) -> None:
        output = order.outputs[len(made)]
        with interrupts.held():
            notes = saving.save_picture(output, result.image, _told(result, options)).notes
            kept = _keep_steps(result.trail, order, output)
        progress.clear()
        made.append(_account(result, order, output, notes) | kept)
        _tell(made[-1], options.json)
        progress.picture(len(made) + 1)

    try:
        backend = make_backend()
        for request in order.requests:
            progress.begin()
            backend.run(request, RenderHooks(progress, interrupts, partial(_previews, order, request), save))
    except UnfinishedError as error:
        raise _rescued(error, order.outputs[len(made)]) from error
    finally:
        progress.clear()
        if options.json and made:  # also of those that were saved before a later one failed
            whole = made[0] if len(order.outputs) == 1 else made[0] | {"pictures": made}
            print(json.dumps(whole, indent=1), flush=True)


def prepare(options: Namespace, places: Folders) -> Order:
    """The order that the options ask for. Raises UserError for whatever will not work."""
    outputs_from = _checked_output(options.output)
    options, resume = resumed(options)
    seed = secrets.randbelow(MOST_RANDOM_SEED) if options.seed is None else options.seed
    varied = options.variation.amount > 0
    seeds = _seeds(options.variation.seed if varied else seed, options.count)
    task, notes = _task(options)
    model = default_model(places) if options.model is None else _model(options.model, places)
    size = _size(options.size, task, model)
    additions = _additions(options, places)
    requests = tuple(
        Request(
            prompt=options.prompt,
            negative=options.negative,
            model=model.id,
            size=size,
            seed=seed if varied else seeds[first],
            variation=replace(options.variation, seed=seeds[first]) if varied else options.variation,
            count=min(MOST_COUNT, len(seeds) - first),
            steps=STEPS if options.steps is None else options.steps,
            guidance=model.guidance if options.guidance is None else options.guidance,
            sampler=DEFAULT_SAMPLER if options.sampler is None else options.sampler,
            guidance_interval=options.guidance_interval,
            clip_skip=options.clip_skip,
            draft=options.draft,
            **additions,
            task=task,
            frame=options.frame,
            resume=resume,
        )
        for first in range(0, len(seeds), MOST_COUNT)
    )
    return Order(
        requests=requests,
        outputs=_outputs(outputs_from, seeds),
        model=model,
        notes=notes,
        preview_dir=_made_folder(options.preview_dir, "previews"),
        keep_dir=_made_folder(options.keep_steps, "kept steps"),
    )


def _model(name: str, places: Folders) -> Model:
    """The model that is named; its weights are converted first where they are pickled."""
    return read_model(_prepared(locate_model(name, places), places))


def _additions(options: Namespace, places: Folders) -> dict[str, Any]:
    """What is added to the model, as fields of a Request; each file is looked into before the engine is asked for."""

    def usable(file: str, kind: Kind) -> str:
        path = _prepared(Path(file), places)
        check_addition(path, kind)
        return str(path)

    return {
        "loras": tuple(replace(use, file=usable(use.file, Kind.LORA)) for use in options.lora),
        "embeddings": tuple(replace(use, file=usable(use.file, Kind.EMBEDDING)) for use in options.embedding),
        "vae": usable(str(options.vae), Kind.VAE) if options.vae else "",
    }


def _prepared(path: Path, places: Folders) -> Path:
    if needs_converting(path, places):
        print(f"Converting {path.name} to safetensors; this is done once.", file=sys.stderr)
    return prepared(path, places)


def _seeds(first: int, count: int) -> range:
    """Of the pictures, each its own."""
    if not 1 <= count <= MOST_PICTURES:
        raise UsageError(f"{count} pictures cannot be made.", f"Ask for 1 to {MOST_PICTURES}.")
    if count > 1 and first + count - 1 > MOST_SEED:
        raise UsageError("The seeds run past the largest one.", f"Start at {MOST_SEED - count + 1} or below.")
    return range(first, first + count)


def _outputs(output: Path, seeds: range) -> tuple[Path, ...]:
    if len(seeds) == 1:
        return (output,)
    return tuple(output.with_name(f"{output.stem}-{seed}{output.suffix}") for seed in seeds)


def _task(options: Namespace) -> tuple[Task, tuple[str, ...]]:
    """What to do, and notes on the files it was read from."""
    if options.mask is None:
        check_unused(options)
    if options.image is None:
        for name in ("mask", "strength"):
            if getattr(options, name) is not None:
                raise UsageError(f"--{name} works on a picture.", "Give one with --image.")
        return TextToImage(), ()
    picture = load_picture(options.image)
    if options.mask is None:
        strength = IMAGE_STRENGTH if options.strength is None else options.strength
        return ImageToImage(image=picture.pixels, strength=strength), picture.notes
    strength = MASK_STRENGTH if options.strength is None else options.strength
    task = Inpaint(image=picture.pixels, mask=load_mask(options.mask), strength=strength, seam=seam_from(options))
    return task, picture.notes


def _size(asked: Size | None, task: Task, model: Model) -> Size:
    """With an image it is the image's: pictures are never stretched unasked. Request refuses any other."""
    if asked is not None:
        return asked
    if isinstance(task, TextToImage):
        return Size(model.native_size, model.native_size)
    height, width = task.image.shape[:2]
    return Size(width, height)


def _checked_output(output: Path) -> Path:
    folder = output.absolute().parent
    try:
        if output.suffix.lower() not in saving.ENDINGS:
            raise PictureError(f"“{output}” does not end in .png, .jpg or .webp.", "Name it so.")
        if output.is_dir():
            raise PictureError(f"“{output}” is a folder.", "Add the name of a picture in it.")
        if not folder.is_dir():
            raise PictureError(f"There is no folder “{folder}”.", "Create it, or choose another.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PictureError(f"The folder “{folder}” may not be written to.", "Choose another.")
    except OSError as error:
        raise PictureError(f"“{output}” cannot be used ({error.strerror}).", "Choose another name.") from error
    return output


def _made_folder(folder: Path | None, what: str) -> Path | None:
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(
            f"The folder “{folder}” cannot be made ({error.strerror}).", f"Choose another place for the {what}."
        ) from error
    return folder


def _previews(order: Order, request: Request, number: int) -> PreviewFiles | None:
    if order.preview_dir is None:
        return None
    return PreviewFiles(order.preview_dir, f"{request.own_seed + number}-" if len(order.outputs) > 1 else "", request)


def _told(result: Result, options: Namespace) -> Told | None:
    """What to write into the picture of how it was made. What was painted over is private unless the person says so."""
    if not options.metadata:
        return None
    told = metadata.told(result)
    return told if options.embed_source else told.without_parts()


def _rescued(error: UnfinishedError, output: Path) -> UserError:
    """The steps are written beside the picture that could not be made of them, asked for or not."""
    if error.trail is None:
        return error
    path = output.with_name(f"{output.stem}{ENDING}")
    save_trail(path, error.trail)
    return UserError(error.message, f"{error.remedy} Add --from-step {path}:{len(error.trail)} to the same command.")


def _keep_steps(trail: Trail | None, order: Order, output: Path) -> dict[str, str]:
    """Where they are, ready for JSON. Raises KeptStepsError."""
    if order.keep_dir is None or trail is None:
        return {}
    path = order.keep_dir / f"{output.stem}{ENDING}"
    save_trail(path, trail)
    return {"kept_steps": str(path)}


def _account(result: Result, order: Order, output: Path, notes: tuple[str, ...]) -> dict[str, Any]:
    """Everything that was used, ready for JSON."""
    request = result.request
    return {
        "output": str(output),
        "prompt": request.prompt,
        "negative": request.negative,
        "mode": result.mode.value,
        "model": order.model.name,
        "sampler": request.sampler,
        "seed": request.seed,
        "variation": {"seed": request.variation.seed, "amount": request.variation.amount},
        "steps": result.steps,
        "guidance": request.guidance,
        "loras": [{"name": use.name, "weight": use.weight} for use in request.loras],
        "embeddings": [use.word for use in request.embeddings],
        "vae": Path(request.vae).stem if request.vae else None,
        "strength": None if isinstance(request.task, TextToImage) else request.task.strength,
        "width": result.image.shape[1],
        "height": result.image.shape[0],
        "device": result.device,
        "seconds": round(result.seconds, 3),
        "seconds_per_step": round(result.seconds_per_step, 4),
        "frame": [result.frame.x, result.frame.y, result.frame.width, result.frame.height],
        "working": [result.working.width, result.working.height],
        "ring": result.ring,
        "changed_outside": result.changed_outside,
        "notes": [*order.notes, *result.notes, *notes],
    }


def _tell(account: dict[str, Any], as_json: bool) -> None:
    """The notes on stderr, and without --json one line on stdout."""
    for note in account["notes"]:
        print(note, file=sys.stderr)
    if not as_json:
        size = f"{account['width']} x {account['height']}"
        print(
            f"{account['output']}: {size}, {account['mode']}, seed {account['seed']}, "
            f"{account['steps']} steps in {account['seconds']:.1f} s",
            flush=True,
        )

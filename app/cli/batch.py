"""``limner render --image FOLDER``: every picture of a folder refined with one prompt, by one engine."""

from __future__ import annotations

import secrets
import sys
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.cli.arguments import UsageError
from app.cli.interrupts import Interrupts
from app.cli.render import MOST_RANDOM_SEED, render
from app.core.errors import PictureError, UserError
from app.core.job import Backend
from app.core.naming import NameFacts
from app.core.settings import Folders
from app.library.batch import pictures_in
from app.library.exporting import Export, export_path
from app.library.saving import ENDINGS

USUAL_NAME = "{name}.png"


def render_folder(
    options: Namespace, places: Folders, make_backend: Callable[[], Backend], interrupts: Interrupts
) -> None:
    """What fails is told and passed over. Raises UserError at the end if anything was, Cancelled, KeyboardInterrupt."""
    for name in ("mask", "from_step"):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} works on one picture.", "Name a picture with --image.")
    export = _export(options)
    found = pictures_in(options.image)
    engine: list[Backend] = []

    def backend() -> Backend:
        if not engine:
            engine.append(make_backend())
        return engine[0]

    failed, taken = 0, set[Path]()
    for number, path in enumerate(found, 1):
        seed = secrets.randbelow(MOST_RANDOM_SEED) if options.seed is None else options.seed
        facts = NameFacts(prompt=options.prompt, seed=seed, counter=number, source=path.stem, now=datetime.now())
        output = export_path(export, facts, taken)
        taken.add(output)
        one = Namespace(**(vars(options) | {"image": path, "output": output, "seed": seed}))
        try:
            render(one, places, backend, interrupts)
        except UserError as error:
            if isinstance(error, UsageError):
                raise  # it would be the same for all of them
            failed += 1
            print(f"{path.name}: {error}", file=sys.stderr, flush=True)
    if failed:
        raise UserError(f"{failed} of {len(found)} pictures could not be refined.", "The lines above say why.")


def _export(options: Namespace) -> Export:
    template = Path(options.name or USUAL_NAME)
    ending = template.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"--name “{template}” does not end in .png, .jpg or .webp.", f"Write “{template}.png”.")
    folder: Path = options.output
    if folder.suffix.lower() in ENDINGS and not folder.is_dir():
        raise UsageError(f"“{options.image}” is a folder of pictures.", "Let -o name a folder too, not a picture.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(
            f"The folder “{folder}” cannot be made ({error.strerror}).", "With a folder of pictures, -o names a folder."
        ) from error
    return Export(folder=folder, template=str(template)[: -len(ending)], ending=ending)

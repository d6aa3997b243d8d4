"""``--from-step``: what a kept run tells of itself fills in for the options that were not given."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from app.cli.arguments import UsageError
from app.core.trail import Branch, Look, Resume
from app.library.trails import load_trail


def resumed(options: Namespace) -> tuple[Namespace, Resume | None]:
    """The options made whole from the kept run, and the step to take up.

    A seed other than the run's is where the sampler takes its numbers from there on. Raises UserError.
    """
    if options.from_step is None:
        if options.as_is:
            raise UsageError("--as-is shows a kept step.", "Name one with --from-step.")
        return options, None
    path, step = options.from_step
    trail = load_trail(path)
    resume: Resume
    if options.as_is:
        resume = Look(trail, step)
    else:
        resume = Branch(trail, step, None if options.seed in (None, trail.seed) else options.seed)
    told: dict[str, Any] = {"sampler": trail.sampler, "steps": trail.steps, "size": trail.size}
    if options.image is not None:
        told["strength"] = trail.strength
    missing = {name: value for name, value in told.items() if getattr(options, name) is None}
    seed = options.seed if options.as_is and options.seed is not None else trail.seed
    return Namespace(**(vars(options) | missing | {"seed": seed})), resume

"""The studio without its window: ``limner render``, ``limner samplers``, ``limner models``, ``limner doctor``."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from app.cli.arguments import parse
from app.cli.interrupts import Interrupts
from app.core.environment import ask_for_graphs
from app.core.errors import Cancelled, UserError
from app.core.job import Backend
from app.core.parts import explained
from app.core.settings import Folders, folders

MakeBackend = Callable[[], Backend]

BAD_INPUT = 2
UNEXPECTED = 1


def engine() -> Backend:
    """The real Backend; importing it takes seconds, so nothing else here asks for it."""
    with explained():
        from app.diffusion.engine import Engine

    return Engine()


def main(arguments: list[str], make_backend: MakeBackend = engine) -> int:
    """Run one command; returns the exit status.

    0 done, 1 failed unexpectedly, 2 bad input (one sentence on stderr), 128 + n stopped by signal n (Ctrl-C is 130).
    """
    _survive_odd_characters()
    with Interrupts() as interrupts:
        try:
            return _run(arguments, make_backend, interrupts)
        except SystemExit as request:  # --help and --version
            return int(request.code or 0)
        except (KeyboardInterrupt, Cancelled):
            return interrupts.status
        except BrokenPipeError:  # the reader of our output went away, as in "limner samplers | head -1"
            _close_stdout()
            return 0
        except UserError as error:
            _tell(str(error))
            return BAD_INPUT
        except Exception as error:
            # Libraries may turn an interrupt into an error of their own.
            return interrupts.status if interrupts.received else _failed(error, arguments)


def _run(arguments: list[str], make_backend: MakeBackend, interrupts: Interrupts) -> int:
    options = parse(arguments)
    places = folders(options.data_dir)
    if options.command == "render" and options.graphs:
        ask_for_graphs()
    if options.command == "render" and options.image is not None and os.path.isdir(options.image):
        from app.cli.batch import render_folder

        render_folder(options, places, make_backend, interrupts)
    elif options.command == "render":
        from app.cli.render import render

        render(options, places, make_backend, interrupts)
    elif options.command == "unpickle":
        from app.cli.unpickle import unpickle

        unpickle(options.source, options.target)
    else:
        _LISTINGS[options.command](options, places)
    sys.stdout.flush()
    return 0


def _samplers(options: Namespace, places: Folders) -> None:
    from app.core.samplers import DEFAULT_SAMPLER, SAMPLERS

    for row in SAMPLERS.values():
        mark = "  (default)" if row.id == DEFAULT_SAMPLER else ""
        print(f"{row.id:22}{row.label}{mark}")


def _models(options: Namespace, places: Folders) -> None:
    from app.library.models import survey

    models, problems = survey(places)
    for model in models:
        kind = "inpainting" if model.channels == 9 else "painting"
        form = "one file" if model.path.is_file() else "folder"
        print(f"{model.name}\t{kind}, {model.native_size} x {model.native_size}, {form}\t{model.path}")
    if not models:
        print(f"No model was found. Put a model file or folder into {places.models}.")
    for problem in problems:
        print(f"{problem.path.name}\tcannot be used\t{problem.error}")


def _doctor(options: Namespace, places: Folders) -> None:
    from app.cli.doctor import report

    for line in report(places):
        print(line, flush=True)


_LISTINGS: Mapping[str, Callable[[Namespace, Folders], None]] = {
    "samplers": _samplers,
    "models": _models,
    "doctor": _doctor,
}


def _tell(sentence: str) -> None:
    print(" ".join(sentence.split()), file=sys.stderr)


def _failed(error: Exception, arguments: list[str]) -> int:
    """One short sentence; the trace goes into the log file, where there is one to write to."""
    where = _keep_trace(error, arguments)
    kind, said = type(error).__name__, " ".join(str(error).split())[:200]
    _tell(f"Limner failed unexpectedly ({kind}{': ' if said else ''}{said}).{where}")
    return UNEXPECTED


def _keep_trace(error: Exception, arguments: list[str]) -> str:
    with contextlib.suppress(OSError, UserError):
        log = folders(parse(arguments).data_dir).log
        _append(log, "".join(traceback.format_exception(error)))
        return f" The details are in {log}."
    return ""


def _append(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a", encoding="utf-8", errors="replace") as file:
        file.write(text)


def _survive_odd_characters() -> None:
    """A console that cannot show a character of a prompt or a path gets a question mark instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _close_stdout() -> None:
    # Python flushes stdout once more at exit and would complain again.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""What comes before the window's libraries are even imported: the options, and the engine's process, which has more to
import than the window."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from app.core.environment import GRAPHS_HELP, ask_for_graphs
from app.core.settings import engine_is_apart, folders, glance
from app.process.starting import Process, engine_command, start_process

PLACES = {"apart": True, "inside": False, "": None}
"""What ``--engine`` may say, and whether the engine has a process of its own then; None: as it was left last time."""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The studio's options. Ends the program where they are wrong."""
    parser = argparse.ArgumentParser(prog="limner", description="Paint with Stable Diffusion v1 on your own machine.")
    parser.add_argument("pictures", nargs="*", type=Path, metavar="PICTURE", help="a picture to open")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where models and settings are kept")
    parser.add_argument(
        "--engine",
        choices=[word for word in PLACES if word],
        default="",
        help="paint in a process apart, so that the window stays should the engine fail, or inside the window's",
    )
    parser.add_argument("--graphs", action="store_true", help=GRAPHS_HELP)
    parser.add_argument("--selftest", action="store_true", help="try every way of painting, say how it went, end")
    parser.add_argument("--selftest-dir", type=Path, metavar="DIR", help="keep the pictures of the self-test there")
    return parser.parse_args(arguments)


def lacks_display() -> bool:
    """Qt would end the process with its own words. Only Linux can be asked, and a chosen platform is trusted."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named)


def start_engine(arguments: list[str] | None) -> Process | None:
    """The engine's process, on its way already; None where the window will not want it, or is to try by itself."""
    given = parse(arguments)
    if given.graphs:
        ask_for_graphs()
    apart = PLACES[given.engine]
    if apart is None:
        nothing_kept = given.selftest and given.data_dir is None
        apart = nothing_kept or engine_is_apart(glance(folders(given.data_dir).settings))
    if not apart or lacks_display():
        return None
    with contextlib.suppress(OSError):  # the window tries again, and says why
        return start_process(engine_command())
    return None

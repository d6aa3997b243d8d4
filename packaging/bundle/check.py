"""``make bundle-test``: the bundled program paints with an empty home, no PATH and, where it can be had, no network."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]

from screen import can_show, screen  # noqa: E402 - its folder is on the path only now


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One start of the program: what it is called, with which words, what must be there afterwards."""

    name: str
    words: list[str]
    made: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bundle", help="where the bundle was made")
    build: Path = parser.parse_args().build.absolute()
    program = program_in(build)
    if not program.is_file():
        print(f"make bundle-test: {program} is not there; run “make bundle” first.", file=sys.stderr)
        return 2
    kept = build / "selftest"
    shutil.rmtree(kept, ignore_errors=True)
    before = alone()
    with tempfile.TemporaryDirectory() as home:
        for trial in trials(build, kept, Path(home)):
            began = time.monotonic()
            command = [*before, str(program), *trial.words]
            status = subprocess.run(command, env=bare(Path(home)) | dict(trial.environment), check=False).returncode
            say(f"{trial.name} ended with {status} after {time.monotonic() - began:.1f} s")
            if status:
                return 1
            if not trial.made.is_file():
                say(f"{trial.name} left no {trial.made.name}")
                return 1
    say(f"passed; the pictures and how the window looked are in {kept}")
    return 0


def trials(build: Path, kept: Path, home: Path) -> Iterator[Trial]:
    selftest = ["--selftest", "--selftest-dir"]
    off, shown = kept / "offscreen", kept / "screen"
    off_screen = {"QT_QPA_PLATFORM": "offscreen"}
    inside = ["--engine", "inside", *selftest, str(off)]
    yield Trial(name="self-test off screen", words=inside, made=off / "window.png", environment=off_screen)
    if can_show():
        with screen() as display:
            on_screen = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
            words = ["--engine", "apart", *selftest, str(shown)]
            yield Trial(name="self-test on a screen", words=words, made=shown / "screen.png", environment=on_screen)
    elif sys.platform.startswith("linux"):
        say("Xvfb is not installed: the window is not tried on a screen")
    painted = kept / "rendered.png"
    paint = ["render", "a red house", "--steps", "4", "--seed", "7", "-o"]
    yield Trial(name="render", words=[*paint, str(painted)], made=painted)
    model, painted = home / "old style", kept / "unpickled.png"
    subprocess.run([str(python_in(build)), str(HERE / "pickled.py"), str(model)], check=True)
    yield Trial(name="a pickled model", words=[*paint, str(painted), "--model", str(model)], made=painted)


def say(what: str) -> None:
    print(f"make bundle-test: {what}", flush=True)


def program_in(build: Path) -> Path:
    """The program with a console, which tells how it went."""
    match sys.platform:
        case "darwin":
            return build / "dist" / "Limner.app" / "Contents" / "MacOS" / "limner"
        case "win32":
            return build / "dist" / "limner" / "limner.exe"
        case _:
            return build / "dist" / "limner" / "limner"


def python_in(build: Path) -> Path:
    """The Python that the bundle was made with."""
    return build / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def alone() -> list[str]:
    """What starts a program without any network: on Linux, for whoever may."""
    unshare = shutil.which("unshare")  # its whole path: the program's own is empty
    command = [unshare, "--net"] if unshare else []
    may = command and subprocess.run([*command, "/bin/true"], capture_output=True, check=False).returncode == 0
    if not may:
        say("the network cannot be taken away here")
    return command if may else []


def bare(home: Path) -> dict[str, str]:
    """An environment without Python, PATH, or anything of the person's. Windows does not start without its folders."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    return kept | {"HOME": str(home), "USERPROFILE": str(home), "PATH": "", "LC_ALL": "C.UTF-8"}


if __name__ == "__main__":
    sys.exit(main())

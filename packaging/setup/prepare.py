"""``make setup``: a virtual environment with the tested versions, and the system libraries that Qt asks for.

Runs on a bare Python of 3.11 or newer, so it uses the standard library only.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from vocabulary import VocabularyError, fetch

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
TOKENIZER = ROOT / "resources" / "configs" / "tokenizer"
STAMP = ".ready"

# Library that is loaded -> Debian package that brings it. Found with ldd on the libraries of PySide6.
NEEDED = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libX11.so.6": "libx11-6",
    "libxcb.so.1": "libxcb1",
}
# Without these Qt loads, and paints off screen as the tests do, but cannot open a window.
NEEDED_FOR_A_WINDOW = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
FONTS = {"a font": "fonts-dejavu-core"}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


class SetupError(Exception):
    """What is in the way, in one sentence."""


def main(venv: Path) -> int:
    """Set up and leave the stamp; it is written last, so that a set-up cut short counts as none."""
    stamp = venv / STAMP
    stamp.unlink(missing_ok=True)
    began = time.monotonic()
    try:
        check_system()
        python = make_venv(venv)
        install(python)
        compile_own(python)
        fetch_vocabulary(python)
    except SetupError as error:
        print(f"make setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make setup: interrupted; run it again to go on.", file=sys.stderr)
        return 130
    stamp.touch()
    say(f"ready in {time.monotonic() - began:.0f} s")
    return 0


def say(what: str) -> None:
    print(f"make setup: {what}", flush=True)


# System libraries


def check_system() -> None:
    """On Linux: install what Qt needs and is missing, or name it. Raises SetupError when Qt could not even load."""
    if not sys.platform.startswith("linux"):
        return
    missing = _missing()
    if not missing:
        return
    if _can_install():
        apt_install(missing.values())
        missing = _missing()
        if not missing:
            return
    sentence = _sentence(missing)
    if NEEDED.keys() & missing.keys():
        raise SetupError(sentence)
    say(sentence)


def _missing() -> dict[str, str]:
    missing = {name: package for name, package in (NEEDED | NEEDED_FOR_A_WINDOW).items() if not _loads(name)}
    return missing if _has_font() else missing | FONTS


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_font() -> bool:
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(file.suffix.lower() in (".ttf", ".otf", ".ttc") for folder in folders for file in folder.rglob("*"))


def _sentence(missing: dict[str, str]) -> str:
    names, packages = ", ".join(missing), " ".join(missing.values())
    if shutil.which("apt-get"):
        return f"Qt needs {names}, which this machine lacks: run “sudo apt-get install {packages}” and then this again."
    return f"Qt needs {names}, which this machine lacks: install the packages of your system that hold them."


def _can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Iterable[str]) -> None:
    """Try to; what is still missing afterwards is told by the caller."""
    names = sorted(set(packages))
    say(f"installing {' '.join(names)}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *names]):
        done = subprocess.run(["apt-get", "-q", *command], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"apt-get {command[0]} failed: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


# The virtual environment


def make_venv(venv: Path) -> Path:
    """The environment's Python; an environment that does not work is made anew."""
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _works(python):
        return python
    _need_venv()
    say(f"making {venv.name} with Python {sys.version.split()[0]}")
    run([sys.executable, "-m", "venv", "--clear", str(venv)], "The virtual environment could not be made")
    return python


def _works(python: Path) -> bool:
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _need_venv() -> None:
    """Debian keeps ensurepip, which venv needs, in a package of its own."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if _can_install():
        apt_install([package])
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip"):
            return
    raise SetupError(f"this Python cannot make virtual environments: run “sudo apt-get install {package}” first.")


# Packages


def install(python: Path) -> None:
    """Torch in a call of its own, so that a CPU build lying on this machine is taken; then the rest, as pinned."""
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    pip += ["--constraint", str(CONSTRAINTS)]
    for what, arguments in (
        ("torch", [f"torch=={pinned('torch')}"]),
        ("the build backend", ["hatchling", "editables"]),
        ("Limner and what it stands on", ["--no-build-isolation", "--editable", f"{ROOT}[test]"]),
    ):
        say(f"installing {what}")
        run(pip + arguments, f"pip could not install {what} (tested with Python 3.11: try PYTHON=python3.11)")


def compile_own(python: Path) -> None:
    """Limner's code, as pip has compiled that of the packages; else the first start would, and take longer."""
    subprocess.run([str(python), "-m", "compileall", "-q", "app"], cwd=ROOT, check=False)


def fetch_vocabulary(python: Path) -> None:
    """CLIP's vocabulary for models in one file. Without it everything else works, so a failure is only told."""
    if (TOKENIZER / "vocab.json").is_file():
        return
    say("fetching the vocabulary for single-file models")
    try:
        fetch(TOKENIZER, str(python))
    except (VocabularyError, OSError) as error:
        say(f"{error}: models in one file need it, model folders do not. “make vocabulary” tries again.")


def pinned(package: str) -> str:
    """The version in constraints.txt."""
    match = re.search(rf"^{package}==(\S+)$", CONSTRAINTS.read_text("utf-8"), re.MULTILINE)
    if match is None:
        raise SetupError(f"constraints.txt does not pin {package}.")
    return match[1]


def run(command: list[str], failure: str) -> None:
    """Run it with its errors shown. Raises SetupError."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        raise SetupError(f"{failure}; what it said stands above.")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))

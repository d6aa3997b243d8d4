"""``make bundle-test``: the bundled program paints with an empty home, no PATH and, where it can be had, no network."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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
    with tempfile.TemporaryDirectory() as home:
        for words in (
            ["--selftest", "--selftest-dir", str(kept)],
            ["render", "a red house", "-o", str(kept / "rendered.png"), "--steps", "4", "--seed", "7"],
        ):
            began = time.monotonic()
            status = subprocess.run([*alone(), str(program), *words], env=bare(home), check=False).returncode
            print(
                f"make bundle-test: {words[0]} ended with {status} after {time.monotonic() - began:.1f} s", flush=True
            )
            if status:
                return 1
    if not (kept / "rendered.png").is_file():
        print("make bundle-test: render wrote no picture", file=sys.stderr)
        return 1
    print(f"make bundle-test: passed; the pictures and how the window looked are in {kept}")
    return 0


def program_in(build: Path) -> Path:
    """The program with a console, which tells how it went."""
    match sys.platform:
        case "darwin":
            return build / "dist" / "Limner.app" / "Contents" / "MacOS" / "limner"
        case "win32":
            return build / "dist" / "limner" / "limner.exe"
        case _:
            return build / "dist" / "limner" / "limner"


def alone() -> list[str]:
    """What starts a program without any network: on Linux, for whoever may."""
    unshare = shutil.which("unshare")  # its whole path: the program's own is empty
    command = [unshare, "--net"] if unshare else []
    may = command and subprocess.run([*command, "/bin/true"], capture_output=True, check=False).returncode == 0
    if not may:
        print("make bundle-test: the network cannot be taken away here")
    return command if may else []


def bare(home: str) -> dict[str, str]:
    """An environment without Python, PATH, or anything of the person's. Windows does not start without its folders."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    return kept | {"HOME": home, "USERPROFILE": home, "PATH": "", "LC_ALL": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}


if __name__ == "__main__":
    sys.exit(main())

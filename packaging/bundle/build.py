"""``make bundle``: a clean environment with the pinned versions, frozen by PyInstaller into one folder.

The first half runs on any Python of 3.11 and uses the standard library only; it then starts the second half with the
Python of the environment that it made.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "packaging" / "setup"), str(ROOT)]

from app import __version__  # noqa: E402 - the checkout is on the path only now

EDITIONS = ("cpu", "cuda", "metal")


def main() -> int:
    options = parse()
    build: Path = options.build.absolute()
    if options.inside:
        freeze(build, options.edition)
        return 0
    from prepare import SetupError, run

    build.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        python = environment(build / "venv", options.torch_index)
        words = ["--build", str(build), "--edition", options.edition, "--inside"]
        run([str(python), str(HERE / "build.py"), *words], "the bundle could not be made")
    except SetupError as error:
        print(f"make bundle: {error}", file=sys.stderr)
        return 1
    print(f"make bundle: {product(build)} is ready after {time.monotonic() - began:.0f} s")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bundle", help="where everything is made")
    parser.add_argument("--edition", choices=EDITIONS, default="metal" if sys.platform == "darwin" else "cpu")
    parser.add_argument("--torch-index", metavar="URL", help="the package index that has the edition's torch")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def product(build: Path) -> Path:
    """The folder, or on macOS the application, that is shipped."""
    return build / "dist" / ("Limner.app" if sys.platform == "darwin" else "limner")


def environment(venv: Path, torch_index: str | None) -> Path:
    """A Python with what pyproject.toml asks for, in the tested versions, PyInstaller, and nothing else."""
    import prepare

    python: Path = prepare.make_venv(venv)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input"]
    pip += ["--constraint", str(prepare.CONSTRAINTS), "--constraint", str(HERE / "constraints.txt")]
    torch = [f"torch=={prepare.pinned('torch')}", *(["--index-url", torch_index] if torch_index else [])]
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    for what, arguments in (
        ("torch", torch),  # in a call of its own: with an index of its own
        ("what Limner stands on", [*needed, "pyinstaller", "pyinstaller-hooks-contrib"]),
    ):
        prepare.say(f"installing {what}")
        prepare.run(pip + arguments, f"pip could not install {what}")
    prepare.fetch_vocabulary(python)
    return python


def freeze(build: Path, edition: str) -> None:
    """Run PyInstaller, and write what is inside as a bill of materials. Runs in the environment."""
    import PyInstaller.__main__
    from icons import write_icons
    from sbom import write_sbom
    from sizes import table

    check_edition(edition)
    for old in ("dist", "licences", "work"):
        shutil.rmtree(build / old, ignore_errors=True)
    os.environ["LIMNER_BUILD"] = str(build)
    os.environ["LIMNER_EDITION"] = edition
    write_icons(ROOT / "resources" / "icons" / "limner.svg", build)
    (build / "version.txt").write_text(version_resource(__version__), "utf-8")
    folders = ["--distpath", str(build / "dist"), "--workpath", str(build / "work")]
    PyInstaller.__main__.run([*folders, "--noconfirm", "--log-level", "WARN", str(HERE / "limner.spec")])
    components = [tuple(row) for row in json.loads((build / "components.json").read_text("utf-8"))]
    name = f"limner-{__version__}-{edition}-{sys.platform}-{platform.machine().lower()}.cdx.json"
    write_sbom(build / "dist" / name, __version__, edition, components)
    print("\n".join(table(build / "dist" / "limner")))


def check_edition(edition: str) -> None:
    """The torch that is installed must be the one that the edition's name promises."""
    import torch

    cuda = torch.version.cuda is not None
    if cuda != (edition == "cuda"):
        built = "with" if cuda else "without"
        raise SystemExit(f"make bundle: this torch is built {built} CUDA: not the {edition} edition.")


def version_resource(version: str) -> str:
    """What Windows shows as the file's properties, in PyInstaller's form."""
    numbers = tuple([*(int(part) for part in re.findall(r"\d+", version)), 0, 0, 0, 0][:4])
    told = {
        "CompanyName": "The Limner project",
        "FileDescription": "Limner, a studio for painting",
        "FileVersion": version,
        "LegalCopyright": "Apache License 2.0",
        "ProductName": "Limner",
        "ProductVersion": version,
    }
    strings = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in told.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0, OS=0x40004, "
        "fileType=1, subtype=0, date=(0, 0)), kids=[StringFileInfo([StringTable('040904B0', "
        f"[{strings}])]), VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)

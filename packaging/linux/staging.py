"""What the Debian package and the archive have in common: names, and the files that make Limner part of a desktop."""

from __future__ import annotations

import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT)]

from app import __version__  # noqa: E402 - the checkout is on the path only now

COMPONENT = "io.github.limner.Limner"
SIDES = (16, 24, 32, 48, 64, 128, 256, 512)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A frozen program that lies in a build folder, and what it is called outside."""

    build: Path
    edition: str

    @property
    def program(self) -> Path:
        return self.build / "dist" / "limner"

    @property
    def name(self) -> str:
        return f"limner-{__version__}-{self.edition}-linux-{platform.machine().lower()}"


def find_bundle(build: Path) -> Bundle:
    """Raises SystemExit with a sentence when there is none."""
    if not (build / "dist" / "limner" / "limner").is_file():
        raise SystemExit(f"{build / 'dist' / 'limner'} is not there; run “make bundle” first.")
    sboms = sorted((build / "dist").glob(f"limner-{__version__}-*-linux-*.cdx.json"))
    if len(sboms) != 1:
        raise SystemExit(f"{build / 'dist'} is of another version; run “make bundle” again.")
    properties = json.loads(sboms[0].read_text("utf-8"))["metadata"]["component"]["properties"]
    return Bundle(build=build, edition=next(row["value"] for row in properties if row["name"] == "limner:edition"))


def today() -> time.struct_time:
    """The day of the build; SOURCE_DATE_EPOCH sets it for builds that shall be the same again."""
    return time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH", time.time())))


def filled(template: Path, version: str = __version__) -> str:
    """The text with version and day put in."""
    text = template.read_text("utf-8")
    return text.replace("@VERSION@", version).replace("@DATE@", time.strftime("%Y-%m-%d", today()))


def write_share(share: Path, bundle: Bundle, version: str = __version__) -> None:
    """The menu entry, the icons, the description for software centres and the manual page, under ``share``."""
    write(share / "applications" / "limner.desktop", (HERE / "limner.desktop").read_text("utf-8"))
    write(share / "metainfo" / f"{COMPONENT}.metainfo.xml", filled(HERE / f"{COMPONENT}.metainfo.xml", version))
    icons = share / "icons" / "hicolor"
    for side in SIDES:
        place = icons / f"{side}x{side}" / "apps" / "limner.png"
        place.parent.mkdir(parents=True)
        shutil.copyfile(bundle.build / f"limner-{side}.png", place)
    write(icons / "scalable" / "apps" / "limner.svg", (ROOT / "resources" / "icons" / "limner.svg").read_text("utf-8"))
    write_gz(share / "man" / "man1" / "limner.1.gz", filled(HERE / "limner.1", version))


def copy_program(bundle: Bundle, target: Path) -> None:
    """The program's folder with plain permissions. Links, not copies, where the file system allows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--link", str(bundle.program), str(target)], check=True)
    for file in target.rglob("*"):
        if not file.is_symlink():
            file.chmod(0o755 if file.is_dir() or _is_program(file) else 0o644)


def _is_program(file: Path) -> bool:
    """What is started, and not only loaded: a library needs no right to be executed."""
    return file.name in ("limner", "torch_shm_manager")


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def write_gz(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))

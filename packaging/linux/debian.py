"""``make deb``: the bundle as a Debian package, which brings the menu entry, file types, icons and a manual page."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from staging import ROOT, Bundle, __version__, copy_program, find_bundle, today, write, write_gz, write_share  # noqa: E402

MAINTAINER = os.environ.get("LIMNER_MAINTAINER", "The Limner project <limner@limner.github.io>")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
DEPENDS = (
    # what the libraries inside are linked to and a system must have of its own: found with readelf on every one of them
    *("libegl1", "libgl1", "libxcb1", "libwayland-client0", "libwayland-cursor0", "libwayland-egl1"),
    # the files that the libraries inside read: fonts, keyboards, X's names of keys
    *("fontconfig-config", "xkb-data", "libx11-data"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bundle", help="where the bundle was made")
    parser.add_argument("--out", type=Path, help="where the package goes (default: dist in the build folder)")
    parser.add_argument("--version", default=f"{__version__}-1", help="the package's version")
    parser.add_argument("--compression", default="xz", choices=("xz", "zstd", "gzip", "none"))
    parser.add_argument("--level", default="6", help="how hard it is compressed")
    options = parser.parse_args()
    bundle = find_bundle(options.build.absolute())
    out: Path = (options.out or bundle.build / "dist").absolute()
    out.mkdir(parents=True, exist_ok=True)
    package, architecture = package_name(bundle.edition), ARCHITECTURES[platform.machine()]
    stage = bundle.build / "deb"
    shutil.rmtree(stage, ignore_errors=True)
    lay_out(stage, bundle, package, options.version)
    write(stage / "DEBIAN" / "control", control(stage, package, options.version, architecture))
    write(stage / "DEBIAN" / "md5sums", sums(stage))
    target = out / f"{package}_{options.version}_{architecture}.deb"
    command = [
        "dpkg-deb",
        "--root-owner-group",
        f"-Z{options.compression}",
        f"-z{options.level}",
        "--build",
        str(stage),
        str(target),
    ]
    subprocess.run(command, check=True)
    shutil.rmtree(stage)
    print(f"make deb: {target} is ready, {target.stat().st_size / 1e6:.0f} MB")
    return 0


def package_name(edition: str) -> str:
    return "limner" if edition == "cpu" else f"limner-{edition}"


def lay_out(stage: Path, bundle: Bundle, package: str, version: str) -> None:
    """Everything as it will lie on the person's disk."""
    usr = stage / "usr"
    copy_program(bundle, usr / "lib" / "limner")
    (usr / "bin").mkdir()
    (usr / "bin" / "limner").symlink_to("../lib/limner/limner")
    write_share(usr / "share", bundle, version.rsplit("-", 1)[0])
    doc = usr / "share" / "doc" / package
    components = [tuple(row) for row in json.loads((bundle.build / "components.json").read_text("utf-8"))]
    write(doc / "copyright", copyright_text(components))
    (doc / "licences").symlink_to("../../../lib/limner/_internal/licences")
    write_gz(doc / "changelog.gz", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    write_gz(doc / "changelog.Debian.gz", changelog(package, version))
    overrides = (HERE / "lintian-overrides").read_text("utf-8").replace("limner:", f"{package}:")
    write(usr / "share" / "lintian" / "overrides" / package, overrides)
    for entry in usr.rglob("*"):
        if entry.is_dir() and not entry.is_symlink():
            entry.chmod(0o755)
    for folder in (stage, usr):
        folder.chmod(0o755)


def control(stage: Path, package: str, version: str, architecture: str) -> str:
    """The package's description; its size and the C library that it asks for are read from what lies in it."""
    kilobytes = sum(-(-file.stat().st_size // 1024) for file in stage.rglob("*") if _counts(file))
    libc = ".".join(map(str, newest_glibc(stage)))
    fields = {
        "Package": package,
        "Version": version,
        "Architecture": architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(kilobytes),
        "Depends": ", ".join((f"libc6 (>= {libc})", *DEPENDS)),
        "Recommends": "xdg-desktop-portal",
        "Section": "graphics",
        "Priority": "optional",
        "Description": "studio for painting with Stable Diffusion v1\n"
        " Limner makes pictures from words, from other pictures and inside masks, on\n"
        " the person's own machine. Outside a mask not one pixel changes. Two small\n"
        " models come along, full ones are dropped on the window.\n"
        " .\n"
        " Everything that it needs is inside, Python and torch as well.",
    }
    if package != "limner":
        fields |= {"Provides": "limner", "Conflicts": "limner", "Replaces": "limner"}
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def newest_glibc(folder: Path) -> tuple[int, int]:
    """The newest version of the C library that a file inside names."""
    named = {(2, 28)}  # what torch's own wheels ask for
    for file in folder.rglob("*"):
        if not _counts(file):
            continue
        with file.open("rb") as content:
            if content.read(4) == b"\x7fELF":
                named |= {(2, int(minor)) for minor in re.findall(rb"(?<=\0)GLIBC_2\.(\d+)(?=\0)", content.read())}
    return max(named)


def _counts(file: Path) -> bool:
    """A file of its own, and no link to another."""
    return file.is_file() and not file.is_symlink()


def sums(stage: Path) -> str:
    lines = []
    for file in sorted(stage.rglob("*")):
        if _counts(file) and "DEBIAN" not in file.relative_to(stage).parts:
            with file.open("rb") as content:
                lines.append(f"{hashlib.file_digest(content, 'md5').hexdigest()}  {file.relative_to(stage)}\n")
    return "".join(lines)


def changelog(package: str, version: str) -> str:
    day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", today())
    return (
        f"{package} ({version}) unstable; urgency=medium\n\n"
        f"  * Limner {version.rsplit('-', 1)[0]}; changelog.gz tells what is new.\n\n -- {MAINTAINER}  {day}\n"
    )


def copyright_text(components: list[tuple[str, ...]]) -> str:
    """In Debian's machine-readable form: Limner's own licence, and what stands under others."""
    inside = "\n".join(f"  {name} {version}: {kind}" for name, version, kind in components)
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: Limner\n"
        "Comment:\n The whole text of each licence lies in /usr/lib/limner/_internal/licences and is shown by\n"
        " Help > About Limner. Inside are, besides Limner:\n"
        f"{inside}\n\n"
        "Files: *\n"
        "Copyright: 2026 The Limner project\n"
        "License: Apache-2.0\n"
        " On Debian systems the whole text of the Apache License 2.0 is in\n"
        " /usr/share/common-licenses/Apache-2.0.\n\n"
        "Files: usr/lib/limner/_internal/*\n"
        "Copyright: the authors that each text in usr/lib/limner/_internal/licences names\n"
        "License: various\n"
        " Each component stands under its own licence, listed above and told whole in\n"
        " /usr/lib/limner/_internal/licences.\n\n"
        "Files: usr/lib/limner/_internal/PySide6/*\n"
        "Copyright: 2026 The Qt Company Ltd.\n"
        "License: LGPL-3\n"
        " On Debian systems the whole text of the GNU Lesser General Public License 3 is in\n"
        " /usr/share/common-licenses/LGPL-3.\n"
    )


if __name__ == "__main__":
    sys.exit(main())

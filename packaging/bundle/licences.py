"""Collects the licence of every component into one text file each; the first line is “name: kind”."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection, Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

_FILES = re.compile(r"(licen[cs]e|copying|notice|copyright|authors)[^/]*$", re.IGNORECASE)
_SOURCES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".json", ".h")
_KINDS = {"PySide6_Essentials": "LGPL-3.0-only (Qt for Python and Qt)", "shiboken6": "LGPL-3.0-only (Qt for Python)"}
_QT = (
    "Qt and Qt for Python are used under the GNU Lesser General Public License, version 3. They are not changed, and "
    "lie beside the program as libraries of their own, so that anyone can put other builds of the same version in "
    "their place. Their source is at https://download.qt.io/official_releases/ under the version above.\n"
)


def collect(folder: Path, root: Path, inside: Collection[str]) -> list[tuple[str, str, str]]:
    """Write the files for what is installed beside this Python and of which something is in the bundle; ``inside``:
    the uppermost names of modules and folders in it. Returns name, version and kind of each."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for found in sorted(distributions(), key=lambda found: found.metadata["Name"].lower()):
        name = found.metadata["Name"]
        if name == "pyinstaller" or _is_inside(found, inside):
            rows.append((name, found.version, _kind(found)))
            _write(folder, f"{name} {found.version}", _kind(found), _texts(found))
    rows.append(("Python", sys.version.split()[0], "PSF-2.0"))
    _write(folder, f"Python {rows[-1][1]}", "PSF-2.0", _python_licence())
    vocabulary = root / "resources" / "configs" / "tokenizer" / "LICENSE"
    if vocabulary.is_file():
        _write(folder, "CLIP vocabulary", "MIT", [vocabulary.read_text("utf-8")])
    return rows


def collect_system(folder: Path, libraries: Iterable[str]) -> list[tuple[str, str, str]]:
    """The same for libraries that PyInstaller took from the system, as Debian's packages tell it; none elsewhere."""
    rows = {}
    for library in sorted(set(libraries)):
        package = _package_of(Path(library))
        if package and package not in rows:
            version = _output("dpkg-query", "-W", "-f=${Version}", package)
            copyright = Path("/usr/share/doc") / package.split(":")[0] / "copyright"
            text = copyright.read_text("utf-8", "replace") if copyright.is_file() else "See the Debian package.\n"
            name = package.split(":")[0]
            _write(folder, f"{name} {version.replace(':', '-')}", "library of the system, from Debian", [text])
            rows[package] = (name, version, "see its copyright file")
    return list(rows.values())


def _is_inside(found: Distribution, inside: Collection[str]) -> bool:
    tops = {file.parts[0].split(".")[0] for file in found.files or () if not file.parts[0].endswith(".dist-info")}
    return not tops.isdisjoint(inside)


def _package_of(library: Path) -> str:
    """The Debian package of a file; merged /usr means that it may be known by either path."""
    real = library.resolve()
    for path in (library, real, Path("/") / real.relative_to("/usr") if real.is_relative_to("/usr") else real):
        if found := _output("dpkg-query", "-S", str(path)):
            return found.split("\n")[0].split(",")[0].rsplit(": ", 1)[0]
    return ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _kind(found: Distribution) -> str:
    told = found.metadata
    if found.metadata["Name"] in _KINDS:
        return _KINDS[found.metadata["Name"]]
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = [line.rsplit(" :: ", 1)[-1] for line in told.get_all("Classifier", []) if line.startswith("License")]
    first = (told.get("License") or "").strip().split("\n")[0]
    return " / ".join(classified) or first[:80] or "see the text"


def _texts(found: Distribution) -> list[str]:
    """Every licence file that came with it."""
    texts = [_QT] if found.metadata["Name"] in _KINDS else []
    for file in found.files or ():
        path = file.as_posix()
        if not _FILES.search(path) or path.endswith(_SOURCES):
            continue
        if ".dist-info/" in path or path.count("/") <= 1:
            place = Path(str(found.locate_file(file)))
            if place.is_file():
                texts.append(f"--- {file.name}\n\n{place.read_text('utf-8', 'replace')}")
    return texts or [f"{found.metadata['Name']} brings no licence file; its metadata says: {_kind(found)}.\n"]


def _python_licence() -> list[str]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    for place in (
        base / "lib" / version / "LICENSE.txt",
        base / "LICENSE.txt",
        Path(f"/usr/share/doc/{version}/copyright"),
    ):
        if place.is_file():
            return [place.read_text("utf-8", "replace")]
    return ["Python Software Foundation License Version 2: https://docs.python.org/3/license.html\n"]


def _write(folder: Path, name: str, kind: str, texts: Iterable[str]) -> None:
    safe = re.sub(r"[^\w.+~ -]", "_", name)
    (folder / f"{safe}.txt").write_text(f"{name}: {kind}\n\n" + "\n\n".join(texts), "utf-8")

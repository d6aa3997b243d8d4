"""What takes the room in a bundle, by part: ``make bundle`` prints it, the packaging page explains it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_QT = re.compile(r"PySide6/|lib(Qt6|pyside6|shiboken6|icu)|shiboken6/")
_SYSTEM = re.compile(r"lib[\w+.-]+\.so|base_library\.zip|.*\.(dll|dylib)$")


def parts(folder: Path) -> list[tuple[str, int]]:
    """Bytes by part, the largest first; links count nothing."""
    sizes: Counter[str] = Counter()
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            sizes[_part(file.relative_to(folder).as_posix())] += file.stat().st_size
    return sizes.most_common()


def table(folder: Path, least: int = 2_000_000) -> Iterator[str]:
    """A line for each part; those that are smaller than ``least`` share one."""
    rows = parts(folder)
    shown = [row for row in rows if row[1] >= least]
    yield from (f"{name:24}{size / 1e6:8.1f} MB" for name, size in shown)
    yield f"{'everything else':24}{sum(size for _, size in rows if size < least) / 1e6:8.1f} MB"
    yield f"{'together':24}{sum(size for _, size in rows) / 1e6:8.1f} MB"


def _part(path: str) -> str:
    inside = path.split("_internal/", 1)[-1]
    if inside == path:
        return "the program"  # with every module that was compiled
    if _QT.match(inside):
        return "Qt and PySide6"
    top = inside.split("/")[0]
    if top.endswith(".dist-info"):
        return "metadata"
    if top.startswith(("libpython", "python3")) or top == "base_library.zip":
        return "Python"
    name = top.removesuffix(".libs")
    if name in ("numpy", "pillow", "PIL"):
        return {"PIL": "pillow"}.get(name, name)
    return "libraries of the system" if "/" not in inside and _SYSTEM.match(inside) else name

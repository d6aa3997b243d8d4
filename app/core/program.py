"""Starting this program once more, for work that must not take the studio down with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def own_command() -> list[str]:
    """What starts Limner: itself when frozen; else Python, which must not import what lies in the working folder."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-m", "app"]


def own_environment() -> dict[str, str]:
    """Ours, in which ``own_command`` finds Limner from any folder."""
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(_ROOT), *paths))}

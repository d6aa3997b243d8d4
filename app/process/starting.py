"""Starting the engine's process: this needs next to nothing imported, so that it can be done before anything else."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from app.core.program import own_command, own_environment

Process = subprocess.Popen[bytes]

_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows: a program with a console opens none


def engine_command() -> list[str]:
    """What starts Limner's own engine."""
    return [*own_command(), "engine"]


def start_process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
    """Start it, with its three pipes to us. It ends by itself when nobody holds them any more. Raises OSError."""
    return subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=own_environment() | dict(environment or {}),
        creationflags=_NO_WINDOW,
    )

"""``limner unpickle``, not meant for people: the child process in which a pickle is opened, under limits."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.errors import UserError, is_out_of_memory

MARGIN = 2_000_000_000
"""Bytes of address space beyond what the file itself asks for."""
CPU_SECONDS = 900

_FORBIDDEN = frozenset(
    {
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "subprocess.Popen",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "pickle.find_class",
        "webbrowser.open",
    }
)
"""What reading weights has no need of. Nothing should get so far; should it, the process ends before it happens."""
INTRUSION = 70


def unpickle(source: Path, target: Path) -> None:
    """Convert ``source`` to the safetensors file ``target``; tells one JSON object: an error's sentences, or none."""
    from app.diffusion.pickles import convert

    _limit(source.stat().st_size)
    sys.addaudithook(_stop_intruders)
    try:
        convert(source, target)
        told: dict[str, Any] = {}
    except UserError as error:
        told = {"message": error.message, "remedy": error.remedy}
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        told = {
            "message": f"“{source.name}” needs more memory than a file of its size should.",
            "remedy": "It is damaged or a trap: get the model as a safetensors file.",
        }
    except OSError as error:
        told = {
            "message": f"“{source.name}” cannot be converted ({error.strerror or error}).",
            "remedy": "Check that there is room on the disk and that the data folder can be written to.",
        }
    print(json.dumps(told), flush=True)


def _limit(size: int) -> None:
    """Bounds on memory, time and what may be written, where the system has them (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    set_limit: Callable[[int, tuple[int, int]], None] = resource.setrlimit
    now = _address_space()
    for which, most in (
        (resource.RLIMIT_AS, now + 3 * size + MARGIN if now else 0),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 2 * size + 1_000_000),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(which)[1]
        if most or which == resource.RLIMIT_CORE:
            set_limit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _address_space() -> int:
    """Bytes that this process has mapped, torch and all; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _stop_intruders(event: str, _: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN:
        os._exit(INTRUSION)

"""Why the engine's process is gone, in words."""

from __future__ import annotations

import signal
import sys

from app.core.errors import EngineLostError

_ANEW = "A new engine is getting ready."


def lost(status: int | None, fault: str, said: str) -> EngineLostError:
    """``status``: as subprocess tells it, minus the signal's number on POSIX; ``fault``: why we ended it ourselves;
    ``said``: its last words."""
    if fault:
        return EngineLostError(f"The painting engine {fault} and was ended.", _ANEW, said)
    name = _name(status)
    if name in ("SIGBUS", "in-page error"):
        return EngineLostError(
            "The painting engine ended because a file of the model changed or went away while it was in use.",
            f"{_ANEW} See that the model's file is whole and its disk is connected.",
            said,
        )
    if name in ("SIGKILL", "no memory"):
        return EngineLostError(
            "The painting engine was ended from outside, most often because the system ran out of memory.",
            f"{_ANEW} Close other programs, or choose a smaller size.",
            said,
        )
    how = f"ended unexpectedly ({name})" if name else f"ended unexpectedly (status {status})"
    return EngineLostError(f"The painting engine {how}.", _ANEW, said)


def too_often(times: int, said: str) -> EngineLostError:
    """It makes no sense to go on by ourselves."""
    return EngineLostError(
        f"The painting engine ended {times} times in a row.",
        "Try again, or let it run inside the window; “limner doctor” in a terminal says what may be missing.",
        said,
    )


def _name(status: int | None) -> str:
    if status is None or status >= 0:
        windows = sys.platform == "win32"
        return _WINDOWS.get(status or 0, "") if windows else ""
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


_WINDOWS = {
    0xC0000005: "access violation",
    0xC0000006: "in-page error",
    0xC0000017: "no memory",
    0xC000001D: "illegal instruction",
    0xC00000FD: "stack overflow",
    0xC0000374: "damaged heap",
    0xC0000409: "abort",
}

"""Why the engine's process is gone, in words."""

from __future__ import annotations

import signal
import sys

from app.core.errors import EngineLostError

_ANEW = "A new engine is getting ready."
_WHO_KNOWS = "Choose another model or a smaller size; “limner doctor” in a terminal says what may be missing."


def lost(status: int | None, fault: str, said: str) -> EngineLostError:
    """``status``: as subprocess tells it, minus the signal's number on POSIX; ``fault``: why we ended it ourselves;
    ``said``: its last words."""
    what, advice = _cause(status, fault)
    return EngineLostError(f"The painting engine {what}.", f"{_ANEW} {advice}".rstrip(), said)


def too_often(times: int, status: int | None, fault: str, said: str) -> EngineLostError:
    """It makes no sense to go on by ourselves; of the last time."""
    what, advice = _cause(status, fault)
    return EngineLostError(
        f"The painting engine ended {times} times in a row, so Limner has stopped starting it by itself.",
        f"The last time it {what}. {advice or _WHO_KNOWS} Then try again. It may also run inside the window; but there "
        "what ends it ends the window too, so save first.",
        said,
    )


def _cause(status: int | None, fault: str) -> tuple[str, str]:
    """What became of it, to be said of the engine, and what the person can do, if anything."""
    if fault:
        return f"{fault} and was ended", ""
    name = _name(status)
    if name in ("SIGBUS", "in-page error"):
        what = "ended because a file of the model changed or went away while it was in use"
        return what, "See that the model's file is whole and its disk is connected."
    if name in ("SIGKILL", "no memory"):
        what = "was ended from outside, most often because the system ran out of memory"
        return what, "Close other programs, or choose a smaller size."
    return f"ended unexpectedly ({name})" if name else f"ended unexpectedly (status {status})", ""


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

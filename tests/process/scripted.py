"""An engine without torch for a child process: each prompt says what becomes of the process, and when.

``die SIGKILL step`` sends itself that signal at its first step, ``exit 3 load`` ends, ``hang decode`` keeps Python's
lock for ever, ``still step`` waits for ever, ``bus load`` reads a mapped file that was cut short, ``print step`` prints
where frames go, ``raise step`` is a bug, ``user step`` a UserError, ``memory step`` a lack of memory. A prompt without
any of these is painted. ``LIMNER_SCRIPT`` may say the same of the start itself, at ``import``.
"""

from __future__ import annotations

import mmap
import os
import re
import signal
import sys
import tempfile
import threading
import time

from app.core.errors import ModelError, UnfinishedError
from app.core.job import Hooks, Phase, Preview, Result
from app.core.request import Request
from app.process.serving import serve
from tests.fakes import FakeBackend, some_trail

COMMAND = [sys.executable, "-m", "tests.process.scripted"]


class Scripted:
    """FakeBackend with accidents."""

    def run(self, request: Request, hooks: Hooks) -> Result:
        told = _Telling(request.prompt, hooks)
        if request.prompt == "at once":  # as at strength 0: the picture is the first that is told
            result = FakeBackend().run(request, _Silent())
            hooks.made(result)
            return result
        if "slow" in request.prompt:
            return FakeBackend(gated=True).run(request, told)
        return FakeBackend().run(request, told)


class _Silent:
    def cancelled(self) -> bool:
        return False

    def entered(self, phase: Phase) -> None: ...

    def stepped(self, step: int, total: int, preview: Preview | None) -> None: ...

    def made(self, candidate: Result) -> None: ...


class _Telling:
    def __init__(self, script: str, hooks: Hooks) -> None:
        self._script = script
        self._hooks = hooks

    def cancelled(self) -> bool:
        return self._hooks.cancelled()

    def entered(self, phase: Phase) -> None:
        self._hooks.entered(phase)
        happen(self._script, {Phase.LOADING: "load", Phase.DECODING: "decode"}.get(phase, ""))

    def stepped(self, step: int, total: int, preview: Preview | None) -> None:
        self._hooks.stepped(step, total, preview)
        happen(self._script, "step")
        happen(self._script, f"step{step}")

    def made(self, candidate: Result) -> None:
        self._hooks.made(candidate)
        happen(self._script, "made")


def happen(script: str, when: str) -> None:
    """Whatever the script says for this moment."""
    words = script.split()
    if not words or words[-1] != when:
        return
    match words[:-1]:
        case ["die", name]:
            os.kill(os.getpid(), signal.Signals[name])
            time.sleep(60)
        case ["exit", status]:
            os._exit(int(status))
        case ["abort"]:
            os.abort()
        case ["hang"]:
            re.match(r"(a*)*b", "a" * 60)  # in C and for ages, without ever letting another thread have a turn
        case ["still"]:
            threading.Event().wait()
        case ["deaf"]:  # asks whether to stop, and does not
            signal.pause()
        case ["bus"]:
            _read_what_is_gone()
        case ["print"]:
            print("a library says hello", flush=True)
            os.write(1, b"and so does C\n")
        case ["raise"]:
            raise ValueError("a bug")
        case ["memory"]:
            raise RuntimeError("CUDA out of memory")
        case ["user"]:
            raise ModelError("The model is odd.", "Take another.")
        case ["unfinished"]:
            raise UnfinishedError("It could not be decoded.", "Try later.", some_trail())


def _read_what_is_gone() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(1 << 16))
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            os.ftruncate(file.fileno(), 0)
            view[1 << 15]


def make() -> Scripted:
    happen(os.environ.get("LIMNER_SCRIPT", ""), "import")
    return Scripted()


if __name__ == "__main__":
    sys.exit(serve(make))

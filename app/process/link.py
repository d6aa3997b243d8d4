"""One process with an engine in it, seen from the studio."""

from __future__ import annotations

import contextlib
import io
import logging
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import IO, BinaryIO, cast

from app.core.job import Made
from app.process.frames import CutShortError, Pipe, read_frame, write_frame
from app.process.messages import Asked, Beat, Known, Run, Said
from app.process.starting import Process
from app.process.vitals import Patience, Vitals

log = logging.getLogger(__name__)

_LAST_WORDS = 60
_LONGEST_LINE = 2000
_LAST_BREATH = 2.0


class Link:
    """Speaks with a process that was just started. Nothing here ever waits for it but ``hear``, and that no longer than
    it was told; so a process that neither reads nor writes can always be ended.

    ``gone`` is called once, on a thread of its own, when the process has ended, for whatever reason.
    """

    def __init__(self, process: Process, patience: Patience, gone: Callable[[Link], None]) -> None:
        self.ready = False
        self.drained = False
        """It has ended, and everything that it said was heard."""
        self.mourned = False
        """Its death was told."""
        self.fault = ""
        """Why we ended it, where it was us: the end of a sentence on the engine."""
        self.vitals = Vitals(patience)
        self._patience = patience
        self._gone = gone
        self._known: Known | None = None
        self._heard: queue.SimpleQueue[Said | None] = queue.SimpleQueue()
        self._to_say: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._process = process
        self._log = self._thread(self._keep_words, "engine-log")
        self._thread(self._say, "engine-say")
        self._thread(self._listen, "engine-listen")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        return self._process.poll()

    @property
    def last_words(self) -> str:
        return "\n".join(self._last_words)

    def ask(self, asked: Asked) -> None:
        """Send something, some time soon."""
        if isinstance(asked, Run):
            self._known = Known(asked.request)
        self._to_say.put(asked)

    def forget(self) -> None:
        """The job has ended: let go of its pictures."""
        self._known = None

    def hear(self, seconds: float) -> Said | None:
        """What it said next. None when there is nothing yet or nothing any more."""
        with contextlib.suppress(queue.Empty):
            said = self._heard.get(timeout=seconds)
            self.drained = said is None
            if self.drained:
                self._heard.put(None)  # and so it stays
            return said
        return None

    def give_up(self, fault: str) -> None:
        """End the process because of a fault; where it can still say what it hangs at, it gets a moment for that."""
        if self.fault:
            return
        self.fault = fault
        if sys.platform == "win32":
            self.end()
            return
        with contextlib.suppress(OSError):
            self._process.send_signal(signal.SIGABRT)  # leaves the stacks of its threads in the log
        rest = threading.Timer(_LAST_BREATH, self.end)
        rest.daemon = True
        rest.start()

    def end(self) -> None:
        """End the process now, from any thread; it writes nothing that could be left half done."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def _listen(self) -> None:
        # Buffered, or the two small reads of each frame would be system calls of their own
        pipe = io.BufferedReader(cast(io.RawIOBase, self._process.stdout))
        try:
            while (said := read_frame(cast(BinaryIO, pipe), lambda: self._known)) is not None:
                self.vitals.hear(said)
                if isinstance(said, Made) and self._known is not None:
                    self._known.made(said.candidate)
                if not isinstance(said, Beat):
                    self._heard.put(said)
        except CutShortError:
            pass  # it died in the middle of a word
        except Exception as error:  # whatever it is, whoever waits must not wait for ever
            log.info("the engine's process cannot be understood: %s", error)
            self._fail("could not be understood, as after an update of Limner,")
        with contextlib.suppress(OSError):
            pipe.close()
        self._bury()

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or fault
        self.end()

    def _bury(self) -> None:
        """The pipe has ended: so does the process."""
        try:
            self._process.wait(self._patience.death)
        except subprocess.TimeoutExpired:
            self.end()
            self._process.wait()
        self._to_say.put(None)
        self._log.join(1.0)  # a grandchild may hold on to it
        self._heard.put(None)
        self._gone(self)

    def _say(self) -> None:
        pipe = cast(IO[bytes], self._process.stdin)
        try:
            while (asked := self._to_say.get()) is not None:
                write_frame(cast(Pipe, pipe), asked)
                asked = None  # while waiting for the next, hold no pictures
        except OSError:
            pass  # it is gone: whoever listens knows soon
        except Exception as error:
            log.error("the engine's process cannot be told what to do", exc_info=error)
            self._fail("could not be given the job")
        with contextlib.suppress(OSError):
            pipe.close()

    def _keep_words(self) -> None:
        pipe = cast(IO[bytes], self._process.stderr)
        with contextlib.suppress(OSError):
            for line in iter(lambda: pipe.readline(_LONGEST_LINE), b""):
                words = line.decode("utf-8", "replace").rstrip()
                self._last_words.append(words)
                log.info("engine: %s", words)
        pipe.close()

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

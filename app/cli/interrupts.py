"""Ctrl-C: stop at once, but never in the middle of writing a file."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While open, SIGINT and SIGTERM raise KeyboardInterrupt wherever the program is, but for ``held`` blocks, at
    whose end they are made up for. ``received`` stays set, in case that a library swallows the exception."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._held = False
        self._before: dict[int, Any] = {}

    @property
    def status(self) -> int:
        """The exit status that the system expects of a program stopped by this signal."""
        return 128 + (self.received or signal.SIGINT)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # others may not set handlers
            # what is ignored stays so: a script that put us in the background wants us to go on
            heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._on_signal) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A block that is finished before an interrupt counts."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self.received is not None:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if not self._held:
            raise KeyboardInterrupt

"""Patches keep the pixels of one tile for the undo stack; the Packer makes them small while nobody waits."""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, QTimerEvent, Signal

_PAUSE = 20  # ms between two slices of work
_SLICE = 0.004  # seconds: too short to be felt, even in the middle of a stroke


class Patch:
    """Pixels (H x W or H x W x 3) of ``box``. An array that is read-only is taken over, another one copied."""

    def __init__(self, box: QRect, pixels: NDArray[np.uint8]) -> None:
        self.box = box
        self._shape = pixels.shape
        self._pixels = _kept(pixels) if pixels.flags.writeable else pixels
        self._packed: bytes | None = None
        self._even = False  # one pixel stands for all

    @property
    def stored_bytes(self) -> int:
        return self._pixels.nbytes if self._packed is None else len(self._packed)

    @property
    def packed(self) -> bool:
        """It is as small as it gets."""
        return self._packed is not None

    def pixels(self) -> NDArray[np.uint8]:
        """The pixels as they were given, read-only."""
        if self._packed is None:
            return self._pixels
        if self._even:  # as mostly under a stroke: it costs nothing
            return np.broadcast_to(np.frombuffer(self._packed, np.uint8).reshape(self._shape[2:]), self._shape)
        return np.frombuffer(zlib.decompress(self._packed), np.uint8).reshape(self._shape)

    def pack(self) -> None:
        """Compress them: a mask becomes a hundredth, a photograph hardly smaller. 0.1 to 5 ms."""
        if self._packed is None:
            first = self._pixels[0, 0]
            self._even = bool((self._pixels == first).all())
            self._packed = first.tobytes() if self._even else zlib.compress(self._pixels.tobytes(), 1)
            self._pixels = np.empty(0, np.uint8)


class Packer(QObject):
    """Packs patches in the event loop's idle time, a few at once. Invariant: its clock runs while patches wait."""

    emptied = Signal()  # nothing waits any more: sizes are what they will be

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Patch] = deque()
        self._clock: int | None = None  # a timer's number; a QBasicTimer would give it back twice

    @property
    def idle(self) -> bool:
        return not self._waiting

    def add(self, patches: Iterable[Patch]) -> None:
        self._waiting.extend(patches)
        if self._waiting and self._clock is None:
            self._clock = self.startTimer(_PAUSE)

    def timerEvent(self, event: QTimerEvent) -> None:
        until = time.perf_counter() + _SLICE
        while self._waiting and time.perf_counter() < until:
            self._waiting.popleft().pack()
        if not self._waiting and self._clock is not None:
            self.killTimer(self._clock)
            self._clock = None
            self.emptied.emit()


def _kept(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    copy = pixels.copy()
    copy.flags.writeable = False
    return copy

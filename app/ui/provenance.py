"""How the pictures at hand were made, so that a saved one can tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.core.job import Result
from app.core.request import Pixels
from app.document.document import Origin
from app.library.metadata import Told, told

_MOST_BYTES = 300_000_000
Teller = Callable[[Pixels], Told | None]


@dataclass(frozen=True, eq=False)
class _Known:
    pixels: Pixels
    tell: Callable[[], Told]
    opened: int


class Provenance:
    """Remembers the last pictures that were painted or opened, as far as memory allows."""

    def __init__(self) -> None:
        self._known: deque[_Known] = deque()

    def painted(self, result: Result, origin: Origin) -> None:
        """The result has become the picture of this origin."""
        light = replace(result, more=(), trail=None)  # those are large, and no picture tells them
        self._add(_Known(light.image, lambda: told(light), origin.opened))

    def opened(self, pixels: Pixels | None, tells: Told | None, origin: Origin) -> None:
        """A file has become the picture; ``tells`` is what was in it."""
        if pixels is not None and tells is not None:
            self._add(_Known(pixels, lambda: tells, origin.opened))

    def teller(self, origin: Origin) -> Teller:
        """Says how given pixels were made, if that is known: to be called wherever there is time for it.

        Pixels that are like no picture that was made are taken for the last one of this origin, edited.
        """
        known = tuple(self._known)

        def tell(pixels: Pixels) -> Told | None:
            for one in reversed(known):
                if one.pixels.shape == pixels.shape and np.array_equal(one.pixels, pixels):
                    return one.tell()
            last = next((one for one in reversed(known) if one.opened == origin.opened), None)
            return None if last is None else last.tell().edited()

        return tell

    def _add(self, known: _Known) -> None:
        self._known.append(known)
        while len(self._known) > 1 and sum(one.pixels.nbytes for one in self._known) > _MOST_BYTES:
            self._known.popleft()

"""What was computed before and is asked for again: texts and sources, as long as nothing that decides them changed."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import torch

MOST = 16
"""Entries: a text takes half a megabyte, the latents of a large source two."""


def fingerprint(values: torch.Tensor) -> str:
    """Tells numbers from others: their own, their shape and their layout, on which rounding depends."""
    flat = values.detach().cpu().contiguous().float().numpy()
    return hashlib.sha256(flat.tobytes()).hexdigest() + str((tuple(values.shape), values.stride(), values.dtype))


class Kept:
    """The last few things that were made, by what decides them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made for this key, or what is made now. Nobody may write to it."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()
        self.put(key, made)
        return made

    def held(self, key: Hashable) -> Any:
        """What was put there, None where it is no more."""
        with self._lock:
            return self._held.get(key)

    def put(self, key: Hashable, made: Any) -> None:
        with self._lock:
            self._held[key] = made
            while len(self._held) > self._most:
                self._held.popitem(last=False)

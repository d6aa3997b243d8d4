"""How many of the processor's threads work on a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """One thread, where wanted. Layers that are over in microseconds are no quicker with two, and wherever one of them
    is kept from its core, by the window say, the other waits for it."""
    before = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Weights read out of their files one at a time, in place of the mapping that the libraries leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import torch

from app.core.weights import EMPTY, Header, read_header

Read = Callable[[str, torch.Tensor], torch.Tensor]
"""Takes a weight's name in its network and the weight as the library left it; gives its numbers, in memory
that may be used again for the next."""
Settle = Callable[[str, Any, Read], None]
"""May do with a network, of a part by its name, what is better done while its weights are still in their file. What
it does not read is read after it."""


def as_it_is(name: str, weight: torch.Tensor) -> torch.Tensor:
    """The ``Read`` of a network whose weights are in memory already."""
    return weight.detach()


def leave(part: str, network: Any, read: Read) -> None:
    """The ``Settle`` that does nothing."""


_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
"""What the numbers in files are called, of the types that networks have."""


class Source:
    """The files of one network, open while its weights are read from them.

    A mapped weight dies with its file: the process is killed without a word (SIGBUS) when the file is cut short or
    overwritten, or its disk unplugged, and Windows lets nobody replace or delete it meanwhile. So nothing is taken from
    the mapping where that can be avoided: what is read raises an error in words where the file is cut, and leaves no
    pages of the file beside its copy in memory. What is packed at once is read into the same memory over and over: on
    the machine that it was measured on, memory that is new costs more than reading.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._stack = ExitStack()
        self._places: dict[str, tuple[BinaryIO, Header]] = {}
        self._done: set[str] = set()
        self._room = torch.empty(0, dtype=torch.uint8)

    def __enter__(self) -> Self:
        for file in self._files:
            header = read_header(file, f"{file.parent.name}/{file.name}")
            stream = self._stack.enter_context(open(file, "rb", buffering=0))
            self._places |= dict.fromkeys(header.shapes, (cast(BinaryIO, stream), header))
        return self

    def __exit__(self, *error: object) -> None:
        self._places.clear()
        self._stack.close()

    def read(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        """A ``Read``. Raises ValueError where a number is none or the file is cut, and OSError."""
        size = weight.numel() * weight.element_size()
        if len(self._room) < size:
            self._room = torch.empty(size, dtype=torch.uint8)
        return self._read(name, weight, self._room[:size].view(weight.dtype).view(weight.shape))

    def _read(self, name: str, weight: torch.Tensor, into: torch.Tensor) -> torch.Tensor:
        # transformers leaves out one word of the names in older files
        found = next((one for one in (name, f"text_model.{name}") if one in self._places), "")
        stream, header = self._places.get(found, (None, EMPTY))
        if stream is None or header.shapes[found] != tuple(weight.shape):
            value = into.copy_(weight.detach())  # the library gave it another name or shape
        elif _TYPES.get(header.types[found]) != weight.dtype:
            value = weight.detach()  # the library converted it, which is a copy
        else:
            value = into
            _fill(into, stream, header.starts[found])
        self._done.add(name)
        check_finite(name, value)
        return value

    def read_rest(self, network: Any) -> None:
        """Into the network, what of its weights has not been read yet."""
        with torch.no_grad():
            for name, weight in (*network.named_parameters(), *network.named_buffers()):
                if name not in self._done:
                    weight.data = self._read(name, weight, torch.empty_like(weight, requires_grad=False))


def _fill(value: torch.Tensor, stream: BinaryIO, start: int) -> None:
    room = memoryview(cast(Any, value.view(-1).view(torch.uint8).numpy()))
    stream.seek(start)
    while room:
        count = stream.readinto(room)  # type: ignore[attr-defined]
        if not count:
            raise ValueError("the file was cut short while it was read")
        room = room[count:]


def check_finite(name: str, value: torch.Tensor) -> None:
    """Raises ValueError. A sum carries every NaN and is quicker than a look at each number."""
    if not value.is_floating_point():
        return
    if value.element_size() == 1:
        value = value.float()  # eight bits can be stored and not summed
    if not bool(torch.isfinite(value.sum(dtype=torch.float32))) and not bool(torch.isfinite(value.float()).all()):
        raise ValueError(f"the weights {name} hold values that are no numbers")

"""What goes to the device that computes, and what comes back; on a graphics card nobody waits for either."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.overrides import TorchFunctionMode

log = logging.getLogger(__name__)


def runs_ahead(device: torch.device) -> bool:
    """Whether work is only queued on the device, so that the processor can be ahead of it. (Apple's MPS does so too,
    but torch's transfers without waiting have a history of wrong numbers there.)"""
    return device.type == "cuda"


def sent(x: torch.Tensor, device: torch.device, dtype: torch.dtype | None = None) -> torch.Tensor:
    """``x`` on the device. To a card it goes out of pinned memory, from where the card fetches it by itself: torch
    keeps that memory until it has arrived."""
    if dtype is not None:
        x = x.to(dtype)
    if x.device.type == "cpu" and runs_ahead(device):
        return _pinned(x).to(device, non_blocking=True)
    return x.to(device)


def _pinned(x: torch.Tensor) -> torch.Tensor:
    try:
        return x.pin_memory()
    except RuntimeError as error:  # the system gives away only so much of it; from other memory it goes over as well
        log.warning("there is no pinned memory to send from: %s", error)
        return x


class Unhurried(TorchFunctionMode):
    """While open, what others send to the device and solve there does not make the processor wait: diffusers'
    schedulers draw their noise and keep their tables on the processor, and say ``.to(device)``."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.to and args[0].device.type == "cpu":
            device, dtype = _named([*args[1:], *kwargs.values()])
            if device is not None and runs_ahead(device):
                return sent(args[0], device, dtype)
        if func is torch.linalg.solve and runs_ahead(args[0].device):
            return torch.linalg.solve_ex(*args, **kwargs)[0]  # without a look at whether it could be solved
        return func(*args, **kwargs)


def _named(given: Iterable[Any]) -> tuple[torch.device | None, torch.dtype | None]:
    """The device and the precision that ``Tensor.to`` was told."""
    device: torch.device | None = None
    dtype: torch.dtype | None = None
    for one in given:
        match one:
            case torch.Tensor():
                return one.device, one.dtype
            case torch.device() | str():
                device = torch.device(one)
            case torch.dtype():
                dtype = one
    return device, dtype


def unhurried(device: torch.device) -> contextlib.AbstractContextManager[object]:
    return Unhurried() if runs_ahead(device) else contextlib.nullcontext()


class Mark(Protocol):
    """A place in the device's queue."""

    def synchronize(self) -> None:
        """Wait until the device has come there."""


class Card(Protocol):
    """How a device does something beside its main work; seam for tests, which have no card."""

    def beside(self, used: Sequence[torch.Tensor]) -> contextlib.AbstractContextManager[None]:
        """While open, work is queued beside what follows in the main queue, and after what is in it; it may read
        ``used``."""

    def copied(self, x: torch.Tensor) -> torch.Tensor:
        """A copy on its way to the processor: nobody may read it before the next mark is reached."""

    def mark(self) -> Mark: ...


class CudaCard:
    """A side stream (https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-streams)."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._side = torch.cuda.Stream(device)

    @contextlib.contextmanager
    def beside(self, used: Sequence[torch.Tensor]) -> Iterator[None]:
        self._side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._side):
            yield
        for x in used:
            x.record_stream(self._side)  # else its memory would be given away while the side still reads it

    def copied(self, x: torch.Tensor) -> torch.Tensor:
        try:
            return x.to("cpu", non_blocking=True)  # into pinned memory, by torch's own rule
        except RuntimeError as error:
            log.warning("there is no pinned memory to fetch into: %s", error)
            return x.cpu()

    def mark(self) -> Mark:
        event = torch.cuda.Event(blocking=True)  # who waits for it sleeps
        event.record(self._side)
        return event


def card_of(device: torch.device) -> Card | None:
    return CudaCard(device) if runs_ahead(device) else None


@dataclass(frozen=True)
class Fetched:
    """Tensors on their way to the processor; without a mark they are there."""

    tensors: tuple[torch.Tensor, ...]
    mark: Mark | None = None

    def taken(self) -> tuple[torch.Tensor, ...]:
        """The tensors, once they have arrived, in common memory: of the pinned there is little."""
        if self.mark is None:
            return self.tensors
        self.mark.synchronize()
        return tuple(one.clone() for one in self.tensors)


def brought(x: torch.Tensor) -> torch.Tensor:
    """``x`` on the processor, waited for; from a card through pinned memory."""
    card = card_of(x.device)
    if card is None:
        return x.cpu()
    with card.beside((x,)):
        fetched = Fetched((card.copied(x),), card.mark())
    return fetched.taken()[0]

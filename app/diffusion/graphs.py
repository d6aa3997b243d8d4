"""The pass through the UNet on a graphics card, recorded once in a run and then played: one order in place of a
thousand."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from app.core.environment import GRAPHS
from app.core.errors import Cancelled
from app.diffusion.unet_pass import SharedPass

log = logging.getLogger(__name__)


def asked_for() -> bool:
    """Off unless asked for: nobody has seen it on a card yet."""
    return os.environ.get(GRAPHS, "") not in ("", "0")


class Tape(Protocol):
    """One recording; seam for tests, which have no card."""

    def record(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Where each play will leave what ``work`` returns; it is not computed yet. Raises what the card says."""

    def play(self) -> None:
        """Do it all again, reading the same tensors and writing the same ones."""


class CudaTape:
    """A CUDA graph (https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs)."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graph = torch.cuda.CUDAGraph()

    def record(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        # as torch.cuda.graph does, which in older versions runs Python's garbage collector too: not on this thread
        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()
        with torch.cuda.stream(torch.cuda.Stream(self._device)):
            # thread_local: what another thread asks of the card does not spoil the recording
            self._graph.capture_begin(capture_error_mode="thread_local")
            try:
                made = work()
            except BaseException:
                with contextlib.suppress(RuntimeError):
                    self._graph.capture_end()
                raise
            self._graph.capture_end()
        return made

    def play(self) -> None:
        self._graph.replay()


@dataclass(frozen=True, kw_only=True)
class _Recording:
    """``x``, ``t``, ``texts``: what the tape reads; ``made``: where it leaves the answer."""

    tape: Tape
    x: torch.Tensor
    t: torch.Tensor
    texts: torch.Tensor
    made: torch.Tensor

    def played(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        self.x.copy_(x)
        self.t.copy_(t)
        self.texts.copy_(texts)
        self.tape.play()
        return self.made.clone()  # the next play writes over it, and samplers keep what was predicted


class RecordedPass:
    """A SharedPass, all of whose calls of one kind (shapes, layouts, precisions) are one recording from the second on.

    The first is computed as ever: libraries choose their ways then, which nobody may do while recording. Where a card
    will not record or play, this and all that follow are computed as ever. A recording reads weights where they lie, so
    it must not outlive a run: afterwards LoRAs come and go, and networks move. Within a play nobody asks whether the
    person has cancelled. What is recorded is a pass of its own that has kept nothing: it listens to the texts anew in
    each play.
    """

    def __init__(self, new_pass: Callable[[], SharedPass], new_tape: Callable[[], Tape]) -> None:
        self._whole = new_pass()
        self.config: Any = self._whole.config
        self.dtype = self._whole.dtype
        self._new_pass, self._new_tape = new_pass, new_tape
        self._met: set[Hashable] = set()
        self._recordings: dict[Hashable, _Recording] = {}
        self._refused = False

    def predict(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """See ``SharedPass.predict``."""
        kind = tuple((one.shape, one.stride(), one.dtype) for one in (x, t, texts))
        if self._refused or kind not in self._met:
            self._met.add(kind)
            return self._whole.predict(x, t, texts)
        try:
            if kind not in self._recordings:
                self._recordings[kind] = self._recorded(x, t, texts)
            return self._recordings[kind].played(x, t, texts)
        except Cancelled:
            raise
        except Exception:
            log.warning("the card does not record the UNet: it is told every step anew", exc_info=True)
            self._refused = True
        self._recordings.clear()  # outside the handler, so that the error's frames no longer hold the tensors
        return self._whole.predict(x, t, texts)

    def _recorded(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> _Recording:
        tape = self._new_tape()
        x, t, texts = x.clone(), t.clone(), texts.clone()
        made = tape.record(lambda: self._new_pass().predict(x, t, texts))
        return _Recording(tape=tape, x=x, t=t, texts=texts, made=made)


def recorded(unet: Any, device: torch.device) -> RecordedPass:
    """A plain UNet's pass on a card."""
    return RecordedPass(lambda: SharedPass(unet), lambda: CudaTape(device))

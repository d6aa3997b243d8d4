"""What hangs together: connected parts of a yes-or-no picture, by runs of pixels and without a loop over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


def connected(inside: Flags, x: int, y: int) -> Flags:
    """The part of ``inside`` (H x W) that pixel ``x``, ``y`` hangs together with over shared sides; nothing when the
    pixel is not inside."""
    if not inside[y, x]:
        return np.zeros_like(inside)
    runs = _Runs.of(inside)
    labels = runs.labels()
    return runs.drawn(labels == labels[runs.at(x, y)])


def touching_edge(inside: Flags) -> Flags:
    """The parts of ``inside`` (H x W) that reach the picture's edge."""
    runs = _Runs.of(inside)
    if not len(runs.starts):
        return np.zeros_like(inside)
    labels = runs.labels()
    height, width = inside.shape
    row = runs.starts // runs.stride
    first, last = runs.starts % runs.stride, runs.ends % runs.stride
    reaches = (row == 0) | (row == height - 1) | (first == 1) | (last == width + 1)
    return runs.drawn(np.isin(labels, labels[reaches]))


@dataclass(frozen=True, eq=False)
class _Runs:
    """The runs of neighbouring pixels in all rows, in reading order. Positions count along all rows, each of them
    ``stride`` long: its width and an empty pixel at both ends, so that no run goes on in the next row."""

    starts: Numbers
    ends: Numbers  # the first position after it
    stride: int
    height: int

    @staticmethod
    def of(inside: Flags) -> _Runs:
        height, width = inside.shape
        padded = np.zeros((height, width + 2), np.bool_)
        padded[:, 1:-1] = inside
        flat = padded.reshape(-1)
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        return _Runs(changes[::2], changes[1::2], width + 2, height)

    def at(self, x: int, y: int) -> int:
        """Which run the pixel lies in."""
        return int(np.searchsorted(self.starts, y * self.stride + x + 1, "right")) - 1

    def labels(self) -> Numbers:
        """A number for each run, equal for those that hang together."""
        upper, lower = self._neighbours()
        labels = np.arange(len(self.starts))
        while len(upper):
            a, b = labels[upper], labels[lower]
            apart = a != b
            upper, lower, a, b = upper[apart], lower[apart], a[apart], b[apart]
            np.minimum.at(labels, np.maximum(a, b), np.minimum(a, b))  # the larger root goes under the smaller one
            while not np.array_equal(labels, higher := labels[labels]):
                labels = higher
        return labels

    def drawn(self, chosen: Flags) -> Flags:
        """The pixels of the chosen runs, H x W."""
        steps = np.zeros(self.height * self.stride + 1, np.int8)
        steps[self.starts[chosen]] = 1
        steps[self.ends[chosen]] = -1
        filled = np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)
        return filled.reshape(self.height, self.stride)[:, 1:-1].copy()

    def _neighbours(self) -> tuple[Numbers, Numbers]:
        """Pairs of runs that lie one above the other."""
        below_start, below_end = self.starts + self.stride, self.ends + self.stride  # each run, moved down by a row
        first = np.searchsorted(self.ends, below_start, "right")
        count = np.searchsorted(self.starts, below_end, "left") - first
        upper = np.repeat(np.arange(len(self.starts)), count)
        before = np.cumsum(count) - count
        return upper, np.arange(len(upper)) - np.repeat(before, count) + np.repeat(first, count)

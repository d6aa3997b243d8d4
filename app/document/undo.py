"""The undo stack: unlimited in steps, limited in bytes; the oldest steps go first, and it is said."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

MEGABYTE = 1_000_000
LEAST_BUDGET, MOST_BUDGET = 50 * MEGABYTE, 64_000 * MEGABYTE
_LARGE = 20  # a step over this part of the budget is worth a look at once


class Step(QUndoCommand):
    """An edit that knows what it keeps in memory, and can let go of it for good."""

    @property
    def stored_bytes(self) -> int:
        """What undoing and redoing it takes, as it is now."""
        return 0

    def forget(self) -> None:
        """Let go of it: nobody will undo this step any more."""


class UndoHistory(QUndoStack):
    """Holds the steps, and forgets the oldest while they take more than ``budget`` bytes; the newest is always kept.

    Invariant: the first ``floor`` steps are forgotten and never undone, so ``index`` is never below it.
    """

    trimmed = Signal(int)
    """So many more of the oldest steps have been forgotten."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps: list[QUndoCommand] = []  # Qt gives them back as bare commands
        self._budget = 1000 * MEGABYTE
        self.floor = 0
        self.pushing = False  # an index that changes now does so because of a new step

    @property
    def budget(self) -> int:
        return self._budget

    def set_budget(self, budget: int) -> None:
        """Bytes; brought into range."""
        self._budget = min(MOST_BUDGET, max(LEAST_BUDGET, budget))
        self.trim()

    @property
    def stored_bytes(self) -> int:
        """What all steps take together."""
        return sum(_bytes(step) for step in self._steps)

    @property
    def newest(self) -> QUndoCommand | None:
        """The step that was pushed last, done or undone."""
        return self._steps[-1] if self._steps else None

    def push(self, command: QUndoCommand) -> None:
        del self._steps[self.index() :]
        self._steps.append(command)
        self.pushing = True
        try:
            super().push(command)
        finally:
            self.pushing = False
        if _bytes(command) * _LARGE > self._budget:  # others wait until they have been made small
            self.trim()

    def clear(self) -> None:
        self._steps, self.floor = [], 0
        super().clear()

    def trim(self) -> None:
        """Forget what is over the budget."""
        over = self.stored_bytes - self._budget
        before = self.floor
        while over > 0 and self.floor < min(self.index(), len(self._steps) - 1):
            step = self._steps[self.floor]
            over -= _bytes(step)
            if isinstance(step, Step):
                step.forget()
            self.floor += 1
        if self.floor > before:
            self.trimmed.emit(self.floor - before)

    def canUndo(self) -> bool:
        return self.index() > self.floor

    def undo(self) -> None:
        if self.canUndo():
            super().undo()

    def setIndex(self, index: int) -> None:
        super().setIndex(max(self.floor, index))


def _bytes(step: QUndoCommand) -> int:
    return step.stored_bytes if isinstance(step, Step) else 0

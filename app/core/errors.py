"""What may go wrong in words that a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.trail import Trail


class UserError(Exception):
    """Something the person can mend: a sentence that says what is wrong and one that says what to do.

    ``message`` and ``remedy`` are whole sentences; ``str(error)`` is both.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


class RequestError(UserError):
    """A value in a Request that cannot be worked with."""


class ModelError(UserError):
    """A model, or a file that adds to one, that is missing, damaged or of another kind."""


class PictureError(UserError):
    """A picture file that cannot be read or written."""


class UnfinishedError(UserError):
    """All steps are done and the picture could not be made of them. ``trail`` holds them, to go on from the last."""

    def __init__(self, message: str, remedy: str, trail: Trail | None = None) -> None:
        super().__init__(message, remedy)
        self.trail = trail


class EngineLostError(UserError):
    """The process that painted is gone. Nobody's fault in the Request: it can be asked for again as it is.

    ``details``: what the process still said, for a report.
    """

    def __init__(self, message: str, remedy: str, details: str = "") -> None:
        super().__init__(message, remedy)
        self.details = details


class Cancelled(Exception):  # noqa: N818 - it is an outcome, not an error
    """The person asked to stop; raised by a Backend, never shown as a failure."""


def is_out_of_memory(error: BaseException) -> bool:
    """Told by its words where it has no type of its own: torch raises RuntimeErrors, on the GPU and on the CPU."""
    if isinstance(error, MemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in _NO_MEMORY)


_NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")

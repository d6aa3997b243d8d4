"""What the studio and its engine's process say to each other: small frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from app.core import errors
from app.core.errors import UnfinishedError, UserError, is_out_of_memory
from app.core.job import Entered, Finished, Made, Result, Stepped, Stopped
from app.core.request import ImageToImage, Inpaint, Request
from app.core.trail import Trail


@dataclass(frozen=True)
class Run:
    """Do this."""

    job_id: int
    request: Request


@dataclass(frozen=True)
class Cancel:
    job_id: int


@dataclass(frozen=True)
class Ready:
    """The engine is made and waits."""


@dataclass(frozen=True)
class Beat:
    """The process is alive. ``asked``: how often its engine has asked whether to stop, which it does all along while it
    computes; ``seconds``: of processor time that all its threads have used."""

    asked: int
    seconds: float


@dataclass(frozen=True)
class Trouble:
    """An exception, without its objects. ``kind``: the name of a class in ``app.core.errors``, empty for a bug;
    ``job_id``: None when the engine could not even be made. ``trace`` is for the log."""

    job_id: int | None
    kind: str
    message: str
    remedy: str = ""
    trace: str = ""
    no_memory: bool = False
    trail: Trail | None = None

    def as_error(self) -> Exception:
        """The exception to raise on the studio's side."""
        if self.kind == UnfinishedError.__name__:
            return UnfinishedError(self.message, self.remedy, self.trail)
        if self.kind:
            return _kinds()[self.kind](self.message, self.remedy)
        error: Exception = MemoryError(self.message) if self.no_memory else RuntimeError(self.message)
        error.add_note(f"In the engine's process:\n{self.trace}")
        return error


def trouble_of(job_id: int | None, error: BaseException, trace: str) -> Trouble:
    """What crosses of an exception."""
    if isinstance(error, UserError):
        known = _kinds()
        kind = next((cls.__name__ for cls in type(error).__mro__ if cls.__name__ in known), "")
        trail = error.trail if isinstance(error, UnfinishedError) else None
        return Trouble(job_id, kind, error.message, error.remedy, trail=trail)
    said = f"{type(error).__name__}: {error}"
    return Trouble(job_id, "", said, trace=trace, no_memory=is_out_of_memory(error))


Said = Ready | Beat | Entered | Stepped | Made | Finished | Stopped | Trouble
"""By the engine's process."""
Asked = Run | Cancel
"""By the studio."""


class Known:
    """What both sides hold of a running job, by name: it is named instead of sent again.

    A Result holds its Request, and that a picture, a mask and perhaps kept steps; the last word on a job holds all of
    its candidates, each of which was told before. Both sides call ``made`` for each candidate in the same order.
    """

    def __init__(self, request: Request) -> None:
        self._objects: dict[str, object] = {"request": request, "task": request.task}
        task = request.task
        if isinstance(task, ImageToImage | Inpaint):
            self._objects["image"] = task.image
        if isinstance(task, Inpaint):
            self._objects["mask"] = task.mask
        if request.resume is not None:
            self._objects["trail"] = request.resume.trail
        self._names = {id(thing): name for name, thing in self._objects.items()}
        self._candidates = 0

    def made(self, candidate: Result) -> None:
        for part in (candidate.image, candidate.trail):
            if part is not None and id(part) not in self._names:
                name = f"{self._candidates}:{type(part).__name__}"
                self._objects[name] = part  # held, so that its id stays its own
                self._names[id(part)] = name
        self._candidates += 1

    def name(self, thing: object) -> str | None:
        return self._names.get(id(thing))

    def thing(self, name: str) -> object:
        return self._objects[name]


def _kinds() -> dict[str, type[UserError]]:
    found = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    return {name: kind for name, kind in found.items() if issubclass(kind, UserError)}

"""What the person sees when the engine went away: what happened, and the jobs that it took with it, offered again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject

from app.core.job import Failed, Job
from app.core.request import Request
from app.document.document import Origin
from app.jobs.place import EnginePlace
from app.jobs.worker import EngineChanged
from app.ui.notices import Help, Kind, Notice, Notices

KEPT = "Your picture and your mask are as they were."


class LostJobs(QObject):
    """Holds what was lost until it is asked for again or its notice is closed."""

    def __init__(
        self,
        notices: Notices,
        place: EnginePlace,
        again: Callable[[Request, Origin], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._notices = notices
        self._place = place
        self._again = again
        self._lost: list[tuple[Request, Origin]] = []
        self._notice: Notice | None = None

    def add(self, job: Job, failed: Failed, origin: Origin) -> None:
        """The engine went away in the middle of this job."""
        if self._notice not in self._notices.shown:
            self._lost.clear()  # the person has closed the notice: nobody wants these
        elif self._notice is not None:
            self._notices.withdraw(self._notice)
        self._lost.append((rest_of(job), origin))
        many = len(self._lost) > 1
        label = f"Paint the {len(self._lost)} again" if many else "Paint it again"
        self._notice = Notice(
            kind=Kind.ERROR,
            title=failed.message,
            text=f"{failed.remedy} {KEPT}",
            details=failed.details,
            help=Help(label=label, act=self._paint_again),
            stays=True,
        )
        self._notices.show_notice(self._notice)

    def tell(self, engine: EngineChanged) -> None:
        """The engine went away while nothing was painted."""
        self._notices.show_notice(Notice(title=engine.message, text=f"{engine.remedy} {KEPT}", details=engine.details))

    def tell_often(self, engine: EngineChanged, again: Callable[[], object]) -> None:
        """It went away so often that it is not started once more by itself."""
        choices = [Help(label="Try again", act=again)]
        if self._place.apart:
            choices.append(Help(label="Run it inside", act=lambda: self._place.set_apart(False)))
        self._notices.show_notice(
            Notice(
                kind=Kind.ERROR,
                title=engine.message,
                text=f"{engine.remedy} {KEPT}",
                details=engine.details,
                choices=tuple(choices),
                stays=True,
            )
        )

    def _paint_again(self) -> None:
        lost, self._lost = self._lost, []
        for request, origin in lost:
            self._again(request, origin)


def rest_of(job: Job) -> Request:
    """What a job still lacks: its request without the candidates that are there already."""
    request = job.request
    if not 0 < job.made < request.count:
        return request
    return replace(request, seed=request.seed + job.made, count=request.count - job.made)

"""The steps that led to a candidate: looked at one by one in their place, taken, and gone on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import RequestError
from app.core.job import Failed, Job, JobState, Place, Purpose, Result
from app.core.request import Inpaint, Request, Task
from app.core.trail import Branch, Look, Trail
from app.document.document import Origin
from app.ui.candidates import Candidate
from app.ui.desk import Desk

_PAUSE_MS = 60
"""A slider that is being dragged names many steps; the one that it rests on is decoded."""
_MOST_KEPT = 24


class KeptSteps(QObject):
    """Which step of the shown candidate is looked at. A step is decoded by the engine when it is first looked at; the
    newest wish counts, those before it are dropped.

    ``submit``: lines up a picture for the document that was open then.
    """

    changed = Signal()
    """Another step is looked at, or there are others."""
    told = Signal(object)
    """A UserError that the person should see."""

    def __init__(self, desk: Desk, submit: Callable[[Request, Origin], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._submit = submit
        self._of: Result | None = None  # the candidate's, so that a star does not make another of it
        self._step = 0
        self._job: int | None = None
        self._asked = 0  # the step that the job decodes
        self._decoded: dict[int, tuple[Job, Result]] = {}  # by step
        self._soon = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._soon.timeout.connect(self._ask)
        desk.candidates.changed.connect(self._follow)
        desk.candidates.shown_changed.connect(self._follow)
        desk.queue.made.connect(self._on_made)
        desk.queue.changed.connect(self._on_changed)
        desk.queue.failed.connect(self._on_failed)

    @property
    def trail(self) -> Trail | None:
        """What the shown candidate has kept."""
        shown = self._desk.candidates.shown
        trail = shown.result.trail if shown is not None else None
        return trail if trail is not None and len(trail) > 0 else None

    @property
    def step(self) -> int:
        """The one that is looked at, counted from 1."""
        return self._step

    @property
    def _own(self) -> int:
        """The step that is the candidate itself: the last, but for one that was taken earlier on its way."""
        shown, trail = self._desk.candidates.shown, self.trail
        if shown is None or trail is None:
            return 0
        return min(shown.result.request.stop_at or len(trail), len(trail))

    @property
    def on_its_way(self) -> bool:
        """It is being decoded, and still to be seen."""
        return self._job is not None or self._soon.isActive()

    @property
    def takable(self) -> bool:
        return self._step in self._decoded and self._step != self._own

    @property
    def branchable(self) -> bool:
        return self.trail is not None and not self._at_end

    @property
    def _at_end(self) -> bool:
        return self.trail is None or self._step >= len(self.trail)

    def look_at(self, step: int) -> None:
        """Show this step in the candidate's place, at once or as soon as it is decoded."""
        trail = self.trail
        if trail is None:
            return
        step = min(max(1, step), len(trail))
        if step != self._step:
            self._step = step
            self._show()

    def move(self, by: int) -> None:
        self.look_at(self._step + by)

    def take(self) -> None:
        """Make a candidate of the step that is shown; the history keeps it too."""
        shown = self._desk.candidates.shown
        if shown is None or not self.takable:
            return
        job, result = self._decoded[self._step]
        self._desk.history.keep(job, result)
        self._desk.candidates.add(job, result, shown.origin)
        self._desk.candidates.show(len(self._desk.candidates.waiting) - 1)

    def branch(self) -> None:
        """Go on from the step with the prompt, the guidance and the mask that are set now."""
        shown, trail = self._desk.candidates.shown, self.trail
        if shown is None or trail is None or self._at_end:
            return
        try:
            request = self._branched(shown, trail)
        except RequestError as error:
            self.told.emit(error)
        else:
            self._submit(request, shown.origin)

    def _branched(self, shown: Candidate, trail: Trail) -> Request:
        params, before = self._desk.store.params, shown.result.request
        return replace(
            before,
            prompt=params.prompt,
            negative=params.negative,
            guidance=params.guidance,
            guidance_interval=params.guidance_interval,
            clip_skip=params.clip_skip,
            loras=params.loras,
            embeddings=params.embeddings,
            task=self._task(before.task),
            count=1,
            beginnings=before.beginnings_to(self._step),
            stop_at=0,
            resume=Branch(trail, self._step),
        )

    def _task(self, before: Task) -> Task:
        """With the mask of now; the one of then where nothing is marked any more."""
        document = self._desk.document
        if not isinstance(before, Inpaint) or document.mask_empty:
            return before
        return replace(before, mask=document.mask_pixels(), seam=self._desk.store.params.seam)

    # Showing

    def _follow(self) -> None:
        """Another candidate is shown: its end is looked at first."""
        shown = self._desk.candidates.shown
        result = shown.result if shown is not None else None
        if result is not self._of:
            self._of = result
            self._decoded.clear()
            self._give_up()
            self._step = self._own
            self.changed.emit()

    def _show(self) -> None:
        self._give_up()
        if self._step == self._own:
            self._desk.candidates.look_at(None)
        elif self._step in self._decoded:
            self._desk.candidates.look_at(self._decoded[self._step][1])
        else:
            self._soon.start()
        self.changed.emit()

    def _ask(self) -> None:
        shown, trail = self._desk.candidates.shown, self.trail
        if shown is None or trail is None:
            return
        self._asked = self._step
        request = replace(shown.result.request, count=1, stop_at=self._step, resume=Look(trail, self._step))
        self._job = self._desk.queue.submit(request, place=Place.FIRST, purpose=Purpose.LOOK)
        self.changed.emit()

    def _give_up(self) -> None:
        self._soon.stop()
        if self._job is not None:
            job, self._job = self._job, None
            self._desk.queue.cancel(job)

    def _on_made(self, job: Job, result: Result) -> None:
        if job.id == self._job:
            if len(self._decoded) >= _MOST_KEPT:
                del self._decoded[next(iter(self._decoded))]
            self._decoded[self._asked] = (job, result)
            self._desk.candidates.look_at(result)
            self.changed.emit()

    def _on_changed(self, job: Job) -> None:
        if job.id == self._job and job.state.ended:
            self._job = None
            if job.state is JobState.CANCELLED:  # by the person: back to what is there
                self._step = self._own
                self._desk.candidates.look_at(None)
            self.changed.emit()

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if job.purpose is Purpose.LOOK:
            self.told.emit(RequestError(failed.message, failed.remedy))

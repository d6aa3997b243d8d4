"""Live mode: after each stroke the picture is painted again in a few steps, and shown as a ghost until it is taken."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import RequestError
from app.core.job import Failed, Job, JobState, Place, Preview, Purpose, Result
from app.core.params import Intent, Params
from app.core.request import Request
from app.document.document import Origin
from app.document.snapshot import snapshot
from app.ui.candidates import in_place
from app.ui.desk import Desk
from app.ui.painting import Painting

LIVE_STEPS = 8
"""At most: what is set in the panels is for pictures that one waits for."""
_AFTER_STROKE_MS = 80
_AFTER_TYPING_MS = 500
_UNHEARD = {"steps", "count", "seed_locked"}
"""Parameters that change nothing of what live mode paints (steps: few in any case)."""


class Live(QObject):
    """Off until it is asked for. One job at a time, always for what is on the canvas now: an older one is cancelled.

    It stands back while pictures are being painted or wait to be chosen from, and catches up after that. The document
    and the history get nothing of a ghost until it is taken.
    """

    changed = Signal()
    """It was turned on or off, or there is a ghost, or none any more."""
    told = Signal(object)
    """A UserError that the person should see."""

    def __init__(self, desk: Desk, painting: Painting, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._painting = painting
        self._on = False
        self._due = False  # something has changed since it was last painted
        self._job: int | None = None
        self._origin: Origin | None = None  # of the job, and then of the ghost
        self._ghost: tuple[Job, Result] | None = None
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._paint)
        desk.document.undo.indexChanged.connect(self._on_edited)
        desk.store.changed.connect(self._on_params)
        desk.candidates.changed.connect(self._catch_up)
        desk.queue.previewed.connect(self._on_previewed)
        desk.queue.made.connect(self._on_made)
        desk.queue.changed.connect(self._on_changed)
        desk.queue.failed.connect(self._on_failed)

    @property
    def on(self) -> bool:
        return self._on

    @property
    def ghost(self) -> Result | None:
        """What is shown over the document, and nowhere else."""
        return None if self._ghost is None else self._ghost[1]

    def set_on(self, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        if on:
            self._want(_AFTER_STROKE_MS)
        else:
            self._due = False
            self._give_up()
            self.drop()
        self.changed.emit()

    def take(self) -> None:
        """The ghost becomes part of the document, as a step that undo takes back; the history keeps it."""
        if self._ghost is None or self._origin != self._desk.document.origin:
            return
        job, result = self._ghost
        self._give_up()
        self._show(None)
        self._desk.history.keep(job, result)
        self._painting.take_in(result)
        self._due = False  # what was just taken is not to be painted over at once
        self._soon.stop()
        self.changed.emit()

    def drop(self) -> bool:
        """Put the ghost away; False where there is none."""
        had = self._ghost is not None
        if had:
            self._show(None)
            self.changed.emit()
        return had

    # When to paint

    def _on_edited(self, *_: object) -> None:
        if self._on:
            if self.ghost is not None and self._origin != self._desk.document.origin:
                self.drop()  # the picture under it is another one
            self._want(_AFTER_STROKE_MS)

    def _on_params(self, _: Params, names: set[str]) -> None:
        if self._on and names - _UNHEARD:
            self._want(_AFTER_TYPING_MS)

    def _want(self, after_ms: int) -> None:
        self._due = True
        self._soon.start(after_ms)

    def _catch_up(self) -> None:
        if self._on and self._due and not self._soon.isActive():
            self._soon.start(_AFTER_STROKE_MS)

    @property
    def _must_wait(self) -> bool:
        """Pictures come first."""
        queue, running = self._desk.queue, self._desk.queue.running
        jobs = (*([] if running is None else [running]), *queue.waiting)
        return bool(self._desk.candidates.waiting) or any(not job.purpose.passing for job in jobs)

    def _paint(self) -> None:
        if not self._on or self._must_wait:
            return
        self._due = False
        request = self._request()
        self._give_up()
        if request is None:
            self.drop()
            return
        self._origin = self._desk.document.origin
        self._job = self._desk.queue.submit(request, place=Place.FIRST, purpose=Purpose.LIVE, title="Live")

    def _request(self) -> Request | None:
        """What is on the canvas, painted again; None where there is nothing to start from."""
        document, params = self._desk.document, self._desk.store.params
        if not document.has_picture or self._desk.shelf.current is None:
            return None
        intent = params.intent
        if intent is Intent.GENERATE:
            intent = Intent.REFINE if document.mask_empty else Intent.INPAINT
        try:
            return snapshot(document, replace(params, intent=intent, count=1, steps=min(params.steps, LIVE_STEPS)))
        except RequestError as error:
            self.told.emit(error)
            return None

    def _give_up(self) -> None:
        if self._job is not None:
            job, self._job = self._job, None
            self._desk.queue.cancel(job)

    # What comes of it

    def _on_previewed(self, job: Job, preview: Preview) -> None:
        if job.id == self._job and self._painting.previews:
            self._painting.show_ghost(preview)

    def _on_made(self, job: Job, result: Result) -> None:
        if job.id == self._job and self._origin == self._desk.document.origin:
            self._show((job, result))
            self.changed.emit()

    def _on_changed(self, job: Job) -> None:
        if job.id == self._job and job.state.ended:
            self._job = None
            if job.state is JobState.CANCELLED:  # by the person
                self._painting.show_ghost(None if self._ghost is None else _ghostly(self._ghost[1]))
        elif job.state is JobState.QUEUED and not job.purpose.passing:
            self._due = self._due or self._job is not None
            self._give_up()  # a picture is asked for: it need not wait
        if job.state.ended:
            self._catch_up()

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if job.purpose is Purpose.LIVE:
            self._show(None)
            self.told.emit(RequestError(failed.message, failed.remedy))
            self.changed.emit()

    def _show(self, ghost: tuple[Job, Result] | None) -> None:
        self._ghost = ghost
        self._painting.show_ghost(None if ghost is None else _ghostly(ghost[1]))


def _ghostly(result: Result) -> Preview:
    """As it would lie over the picture; where it changes nothing, the mask that is painted on can be seen."""
    preview = in_place(result)
    if result.blend is None:
        return preview
    pixels = preview.pixels.copy()
    pixels[..., 3] = result.blend
    return Preview(pixels, preview.box)

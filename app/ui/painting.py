"""From the button to the picture: submitting what is asked for, showing it form, taking the result in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtGui import QUndoCommand

from app.core.errors import RequestError
from app.core.geometry import Rect, Size
from app.core.job import Failed, Job, JobState, Place, Preview, Purpose, Result
from app.core.request import Request, TextToImage
from app.core.trail import Branch, Look
from app.core.variation import Variation
from app.document.commands import InsertResult, OpenPicture
from app.document.document import Origin
from app.document.snapshot import snapshot
from app.jobs.worker import EngineChanged, EngineState
from app.ui.canvas.view import CanvasView
from app.ui.desk import Desk
from app.ui.lost_jobs import KEPT, LostJobs
from app.ui.notices import Help, Kind, Notice, Notices
from app.ui.params import random_seed

_A_LITTLE = 0.15
"""Of another seed: details change, the whole stays."""


class Painting(QObject):
    """Carries jobs between the desk and the canvas.

    A job paints into the picture that it was asked for and into no other: what finishes while another one is open is
    held until the person wants to see it. A picture that was asked for alone is taken in at once, as a step that undo
    takes back; of several, and while others wait to be chosen from, each becomes a candidate as soon as it is there.
    """

    arrived = Signal(object)
    """A Result that has just become the picture."""

    def __init__(
        self,
        desk: Desk,
        canvas: CanvasView,
        notices: Notices,
        parent: QObject | None = None,
        draw_seed: Callable[[], int] = random_seed,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._canvas = canvas
        self._notices = notices
        self._draw_seed = draw_seed
        self._previews = True
        self._origins: dict[int, Origin] = {}  # by job: the picture that was open when it was asked for
        self._offered: set[int] = set()  # jobs of which something has become a candidate
        self._lost = LostJobs(notices, desk.engine, self.line_up, self)
        self._ghost: Preview | None = None
        self._held: list[Result] = []
        self._held_notice: Notice | None = None
        desk.queue.previewed.connect(self._on_previewed)
        desk.queue.changed.connect(self._on_changed)
        desk.queue.made.connect(self._on_made)
        desk.queue.finished.connect(self._on_finished)
        desk.candidates.shown_changed.connect(self._show_candidate)
        desk.queue.failed.connect(self._on_failed)
        desk.queue.engine_changed.connect(self._on_engine)
        desk.document.undo.indexChanged.connect(self._on_edited)

    def submit(self, place: Place = Place.LAST) -> None:
        """Line up what the panels ask for, with a new seed unless it is locked."""
        request = self._asked_for()
        if request is not None:
            self._submit(request, place)

    def submit_instead(self) -> None:
        """Paint what the panels ask for in place of what is being painted now."""
        request = self._asked_for()
        if request is None:
            return
        running = self._desk.queue.running
        self._submit(request, Place.FIRST)  # before the other ends, so that none of those that wait comes between
        if running is not None:
            self._desk.queue.cancel(running.id)

    def _asked_for(self) -> Request | None:
        """What the panels ask for, frozen; None where that cannot be done, which has been said."""
        if self._desk.shelf.current is None:
            self._desk.wishes.model_help.emit()
            return None
        params = self._desk.store.params
        if not params.seed_locked:
            params = replace(params, seed=self._draw_seed())
        try:
            request = snapshot(self._desk.document, params)
        except RequestError as error:
            self._notices.show_notice(Notice(kind=Kind.ERROR, title=error.message, text=error.remedy))
            return None
        self._notices.clear()
        self._desk.store.update(seed=params.seed)
        return request

    def _submit(self, request: Request, place: Place = Place.LAST) -> None:
        origin = self._desk.document.origin
        self._origins[self._desk.queue.submit(request, place=place)] = origin

    def line_up(self, request: Request, origin: Origin) -> int:
        """A job that was asked for before, when this picture was open. Its number."""
        id = self._desk.queue.submit(request)
        self._origins[id] = origin
        return id

    def origin_of(self, job: Job) -> Origin:
        """The picture that was open when the job was asked for."""
        return self._origins.get(job.id, self._desk.document.origin)

    def accept(self) -> int:
        """Take the candidate that is shown into the document, as one step. How many others are put away with that."""
        candidates = self._desk.candidates
        shown = candidates.shown
        if shown is None:
            return 0
        others = len(candidates.waiting) - 1
        candidates.clear()
        request = shown.result.request
        self._desk.store.update(seed=request.seed, variation=request.variation)
        self._take_in(InsertResult(self._desk.document, shown.result), shown.result)
        return others

    def more_like_it(self) -> None:
        """Paint with all that the shown candidate was painted with, but for the seeds."""
        shown = self._desk.candidates.shown
        if shown is not None:
            count = max(2, self._desk.store.params.count)
            self._submit(replace(shown.result.request, seed=self._draw_seed(), count=count, resume=None))

    def vary(self) -> None:
        """Paint the shown candidate with a little of other seeds mixed in."""
        shown = self._desk.candidates.shown
        if shown is not None:
            request, count = shown.result.request, max(2, self._desk.store.params.count)
            variation = Variation(seed=self._draw_seed(), amount=_A_LITTLE)
            self._submit(replace(request, seed=request.own_seed, variation=variation, count=count, resume=None))

    def stop(self) -> bool:
        """Cancel what is being painted; False when nothing is."""
        job = self._desk.queue.current
        if job is None:
            return False
        self._desk.queue.cancel(job.id)
        return True

    def set_previews(self, shown: bool) -> None:
        """Whether the forming picture is drawn, step by step; off, only what is finished is seen."""
        self._previews = shown
        if not shown and self._desk.queue.running is not None:
            self._show_candidate()

    def _on_previewed(self, job: Job, preview: Preview) -> None:
        if self._previews and self._belongs(job):
            self._canvas.show_preview(preview, job.step / max(1, job.total))

    def _on_edited(self) -> None:
        job = self._desk.queue.running
        if (
            job is not None and job.purpose is Purpose.PICTURE and not self._belongs(job)
        ):  # another picture has been opened under its preview
            self._show_candidate()

    def _on_changed(self, job: Job) -> None:
        if job.purpose is not Purpose.PICTURE:
            return
        other = self._desk.queue.running not in (None, job)  # a waiting job that ends leaves the picture alone
        if not other and (job.cancel_asked or job.state in (JobState.CANCELLED, JobState.FAILED)):
            self._show_candidate()
        if job.state in (JobState.CANCELLED, JobState.FAILED):
            if job.state is JobState.CANCELLED:  # what has failed may be asked for again
                self._origins.pop(job.id, None)
            self._offered.discard(job.id)

    @property
    def previews(self) -> bool:
        """Whether the forming picture is drawn."""
        return self._previews

    def show_ghost(self, preview: Preview | None) -> None:
        """Draw this over the document while nothing else is shown there; None for nothing."""
        self._ghost = preview
        self._show_candidate()

    def take_in(self, result: Result) -> None:
        """Make the result part of the document, as one step."""
        self._take_in(InsertResult(self._desk.document, result), result)

    def _show_candidate(self) -> None:
        """Draw the candidate that is shown, the ghost, or nothing, over the document."""
        preview = self._desk.candidates.preview
        if preview is None and not self._desk.candidates.waiting:
            preview = self._ghost
        self._canvas.show_preview(preview, 0.0)
        if preview is not None:
            self._canvas.rest_mask()

    def _on_made(self, job: Job, candidate: Result) -> None:
        candidates, origin = self._desk.candidates, self._origins.get(job.id)
        one_of_several = job.request.count > 1 or bool(candidates.waiting)
        if origin is not None and one_of_several and self._belongs(job):
            self._offered.add(job.id)
            candidates.add(job, candidate, origin)

    def _on_finished(self, job: Job, result: Result) -> None:
        if job.purpose is not Purpose.PICTURE:
            return
        belongs = self._belongs(job)
        self._origins.pop(job.id, None)
        if job.id in self._offered:
            self._offered.discard(job.id)
            self._show_candidate()
            self._tell_notes(result)
        elif belongs:
            self._take_in(InsertResult(self._desk.document, result), result)
        else:
            for candidate in result.candidates:
                self._hold(candidate)

    def _take_in(self, step: QUndoCommand, result: Result) -> None:
        # Both in one turn of the event loop: the last preview gives way to the picture without a frame in between.
        self._remember(result)
        self._desk.document.undo.push(step)
        self._canvas.show_preview(None, 1.0)
        self._canvas.rest_mask()
        self._tell_notes(result)
        self.arrived.emit(result)

    def _remember(self, result: Result) -> None:
        """Keep what the result takes the place of, to compare with."""
        document = self._desk.document
        height, width = result.image.shape[:2]
        if document.has_picture and document.size == Size(width, height):
            new = isinstance(result.request.task, TextToImage)
            box = Rect.whole(document.size) if new else result.box
            self._canvas.comparison.remember(box, document.picture.copy(QRect(box.x, box.y, box.width, box.height)))

    def _tell_notes(self, result: Result) -> None:
        for note in result.notes:
            self._notices.show_notice(Notice(title=note))

    def _belongs(self, job: Job) -> bool:
        """Whether the open picture is the one that the job was asked for. A new picture may follow others that were
        generated meanwhile; a part that was repainted fits nothing but the picture around it."""
        asked, now = self._origins.get(job.id), self._desk.document.origin
        if asked is not None and isinstance(job.request.task, TextToImage):
            return asked.opened == now.opened
        return asked == now

    def _hold(self, result: Result) -> None:
        """Keep a picture that has no place now, and offer it."""
        if self._held_notice not in self._notices.shown:
            self._held.clear()  # the person has closed the notice: nobody wants these
        self._held.append(result)
        self._offer_held()

    def _offer_held(self) -> None:
        if self._held_notice is not None:
            self._notices.withdraw(self._held_notice)
            self._held_notice = None
        if not self._held:
            return
        many = len(self._held) > 1
        what = f"{len(self._held)} pictures are finished" if many else "The picture is finished"
        self._held_notice = Notice(
            title=f"{what}, but another one is open now.",
            text="The open one is as it was. Showing the finished one is a step that undo takes back.",
            help=Help(label="Show the latest" if many else "Show it", act=self._show_held),
            stays=True,
        )
        self._notices.show_notice(self._held_notice)

    def _show_held(self) -> None:
        result = self._held.pop()
        self._take_in(OpenPicture(self._desk.document, result.image, "Show the finished picture"), result)
        self._offer_held()

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if job.purpose is not Purpose.PICTURE:
            return
        origin = self._origins.pop(job.id, self._desk.document.origin)
        if failed.lost:
            self._lost.add(job, failed, origin)
            return
        notice = self._failure(failed.message, f"{failed.remedy} {KEPT}", failed.details)
        trail = failed.trail
        if trail is not None:
            done = len(trail)
            resume = Look(trail, done) if done == job.request.stop_at else Branch(trail, done)
            rest = replace(job.request, seed=trail.seed, count=1, resume=resume)
            finish = Help(label="Finish the picture", act=lambda: self.line_up(rest, origin))
            notice = replace(notice, help=finish, stays=True)
        self._notices.show_notice(notice)

    def _on_engine(self, engine: EngineChanged) -> None:
        if engine.state is EngineState.LOST:
            self._lost.tell(engine)
        elif engine.state is EngineState.FAILED and engine.lost:
            self._lost.tell_often(engine, self.submit)
        elif engine.state is EngineState.FAILED:
            self._notices.show_notice(self._failure(engine.message, engine.remedy, engine.details))

    def _failure(self, title: str, text: str, details: str) -> Notice:
        again = Help(label="Try again", act=lambda: self.submit())
        return Notice(kind=Kind.ERROR, title=title, text=text, details=details, help=again)

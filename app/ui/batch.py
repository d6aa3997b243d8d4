"""A whole folder of pictures refined one after the other, with what the panels hold."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject

from app.core.errors import RequestError, UserError
from app.core.job import Failed, Job, JobState, Purpose, Result
from app.core.naming import NameFacts
from app.core.params import Params
from app.core.request import FrameChoice, ImageToImage, Request
from app.jobs.background import Background
from app.library import metadata
from app.library.batch import pictures_in
from app.library.exporting import Export, export_path
from app.library.pictures import Picture, load_picture
from app.library.saving import save_picture
from app.ui.desk import Desk
from app.ui.notices import Help, Kind, Notice, Notices, Progress
from app.ui.params import random_seed

log = logging.getLogger(__name__)

_TEMPLATE = "{name}"


@dataclass
class _Run:
    """One folder being worked through."""

    params: Params
    export: Export
    waiting: deque[Path]
    count: int
    group: int
    notice: Notice
    progress: Progress
    job: int | None = None
    path: Path | None = None
    made: int = 0
    troubles: list[str] = field(default_factory=list)


class Batch(QObject):
    """Works through one folder at a time; what cannot be read or painted is passed over and told at the end."""

    def __init__(
        self,
        desk: Desk,
        background: Background,
        notices: Notices,
        parent: QObject | None = None,
        draw_seed: Callable[[], int] = random_seed,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._background = background
        self._notices = notices
        self._draw_seed = draw_seed
        self._run: _Run | None = None
        desk.queue.finished.connect(self._on_finished)
        desk.queue.failed.connect(self._on_failed)
        desk.queue.changed.connect(self._on_changed)

    @property
    def busy(self) -> bool:
        return self._run is not None

    def offer(self, source: Path, export: Export) -> None:
        """Say what would be done with the pictures of a folder, and let the person begin it."""
        if self._run is not None:
            self._tell("Another folder is being worked through.", "Wait for it, or cancel it.")
        elif self._desk.shelf.current is None:
            self._desk.wishes.model_help.emit()
        else:
            self._background.run(lambda: pictures_in(source), lambda found: self._ask(found, source, export), self._no)

    def _ask(self, found: list[Path], source: Path, export: Export) -> None:
        many = "One picture" if len(found) == 1 else f"{len(found)} pictures"
        strength = self._desk.store.params.strength
        start = Help(label="Start", act=lambda: self._start(found, replace(export, template=_TEMPLATE)))
        self._notices.show_notice(
            Notice(
                title=f"Refine {many.lower()} of “{source.name}”?",
                text=f"With the prompt and settings of the panels, strength {strength:g}, into “{export.folder.name}”.",
                choices=(start,),
            )
        )

    def _start(self, found: list[Path], export: Export) -> None:
        progress = Progress(self)
        notice = Notice(
            title=f"Refining {len(found)} pictures.",
            text="You can go on painting: other jobs come in between.",
            help=Help(label="Cancel", act=self.cancel),
            progress=progress,
            stays=True,
        )
        self._run = _Run(
            params=self._desk.store.params,
            export=export,
            waiting=deque(found),
            count=len(found),
            group=self._desk.queue.new_group(),
            notice=notice,
            progress=progress,
        )
        self._notices.show_notice(notice)
        self._next()

    def cancel(self) -> None:
        """End it; what is finished stays."""
        if self._run is not None:
            self._run.waiting.clear()
            if (job := self._run.job) is not None:
                self._desk.queue.cancel(job)
            self._end("Cancelled: ")

    def _next(self) -> None:
        run = self._run
        if run is None:
            return
        run.job = None
        run.progress.tell((run.count - len(run.waiting)) / run.count)
        if not run.waiting:
            self._end("")
            return
        path = run.path = run.waiting.popleft()
        self._background.run(lambda: load_picture(path), lambda picture: self._submit(run, picture), self._pass_over)

    def _submit(self, run: _Run, picture: Picture) -> None:
        if run is not self._run or run.path is None:
            return
        params = run.params if run.params.seed_locked else replace(run.params, seed=self._draw_seed())
        try:
            request = _request(params, picture)
        except RequestError as error:
            self._pass_over(error)
            return
        title = run.path.name
        run.job = self._desk.queue.submit(request, purpose=Purpose.BATCH, group=run.group, title=title)

    def _on_finished(self, job: Job, result: Result) -> None:
        run = self._run
        if run is None or job.id != run.job or run.path is None:
            return
        request, path, export = result.request, run.path, run.export
        facts = NameFacts(
            prompt=request.prompt,
            seed=request.seed,
            model=result.model_name,
            width=request.size.width,
            height=request.size.height,
            source=path.stem,
            now=datetime.now(),
        )
        told = metadata.told(result).without_parts() if export.tells else None

        def done(_: object) -> None:
            run.made += 1
            if run is self._run:
                self._next()

        self._background.run(
            lambda: save_picture(export_path(export, facts), result.image, told, export.quality), done, self._pass_over
        )

    def _on_failed(self, job: Job, failed: Failed) -> None:
        if self._run is not None and job.id == self._run.job:
            self._pass_over(UserError(failed.message, failed.remedy))

    def _on_changed(self, job: Job) -> None:
        """Whoever cancels one of its jobs means all of it."""
        if self._run is not None and job.id == self._run.job and job.state is JobState.CANCELLED:
            self.cancel()

    def _pass_over(self, error: Exception) -> None:
        run = self._run
        if run is None or run.path is None:
            return
        if not isinstance(error, UserError):
            log.error("a picture of a folder failed", exc_info=error)
        run.troubles.append(f"{run.path.name}: {error}")
        self._next()

    def _no(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self._notices.show_notice(Notice(kind=Kind.ERROR, title=error.message, text=error.remedy))
        else:
            log.error("a folder cannot be worked through", exc_info=error)

    def _end(self, before: str) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        self._notices.withdraw(run.notice)
        run.progress.deleteLater()
        many = "one picture is" if run.made == 1 else f"{run.made} pictures are"
        title = f"{before}{many if before else many.capitalize()} in “{run.export.folder.name}”."
        missed = len(run.troubles)
        text = f"{missed} could not be refined; the details say why." if missed else ""
        kind = Kind.ERROR if missed else Kind.INFO
        self._notices.show_notice(Notice(kind=kind, title=title, text=text, details="\n".join(run.troubles)))

    def _tell(self, title: str, text: str) -> None:
        self._notices.show_notice(Notice(title=title, text=text))


def _request(params: Params, picture: Picture) -> Request:
    """Raises RequestError."""
    return Request(
        prompt=params.prompt,
        negative=params.negative,
        model=params.model,
        size=picture.size,
        seed=params.seed,
        steps=params.steps,
        guidance=params.guidance,
        guidance_interval=params.guidance_interval,
        sampler=params.sampler,
        clip_skip=params.clip_skip,
        loras=params.loras,
        embeddings=params.embeddings,
        vae=params.vae,
        task=ImageToImage(image=picture.pixels, strength=params.strength),
        frame=FrameChoice.AUTO,
    )

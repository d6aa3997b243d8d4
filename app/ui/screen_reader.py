"""What a screen reader says by itself: how far the painting is, what has arrived, what went wrong."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.core.job import Job, JobState, Result
from app.jobs.queue import JobQueue
from app.ui.notices import Kind, Notice, Notices

_PARTS = 4  # a job is told at each quarter: every step would be chatter


class ScreenReader(QObject):
    """Says it once; nothing of it takes the focus. Systems without a screen reader do nothing."""

    def __init__(self, window: QWidget, queue: JobQueue, notices: Notices) -> None:
        super().__init__(window)
        self._window = window
        self._told: dict[int, int] = {}  # by the job: quarters of it that have been told
        queue.changed.connect(self._on_changed)
        notices.put_up.connect(self._on_notice)

    def say(self, text: str, *, urgent: bool = False) -> None:
        """``urgent``: before what is being read."""
        event = QAccessibleAnnouncementEvent(self._window, text)
        levels = QAccessible.AnnouncementPoliteness
        event.setPoliteness(levels.Assertive if urgent else levels.Polite)
        QAccessible.updateAccessibility(event)

    def on_arrived(self, result: Result) -> None:
        """A result has become the picture."""
        outside = result.changed_outside
        kept = "" if outside is None else f" {outside} pixels changed outside the mask."
        self.say(f"The picture is finished.{kept}")

    def _on_changed(self, job: Job) -> None:
        match job.state:
            case JobState.RUNNING:
                part = _PARTS * job.step // job.total if job.total else 0
                told = self._told.get(job.id)
                if told is None:
                    self.say("Painting has begun.")
                elif told < part < _PARTS:
                    self.say(f"{100 * part // _PARTS} percent painted.")
                self._told[job.id] = part
            case JobState.CANCELLED:
                if self._told.pop(job.id, None) is not None:
                    self.say("Cancelled. The picture is as it was.")
            case JobState.FINISHED | JobState.FAILED:
                self._told.pop(job.id, None)

    def _on_notice(self, notice: Notice) -> None:
        self.say(" ".join(part for part in (notice.title, notice.text) if part), urgent=notice.kind is Kind.ERROR)

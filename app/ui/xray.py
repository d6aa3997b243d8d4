"""Keeps the canvas' X-ray up to date with picture, mask, panels and model."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, QTimer

from app.document.outlook import Ground, Outlook, outlooks
from app.jobs.background import Background
from app.ui.canvas.view import CanvasView
from app.ui.desk import Desk

log = logging.getLogger(__name__)


class XRayFollower(QObject):
    """Has it worked out anew, elsewhere, when something has changed that it depends on, and only while it is to be
    seen. What was worked out for how things were before is not shown."""

    def __init__(self, desk: Desk, canvas: CanvasView, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._canvas = canvas
        self._background = background
        self._working = False
        self._soon = QTimer(self)  # many things change together: a stroke its mask, an undo its frame and mask
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._work_out)
        document = desk.document
        for signal in (document.reset, document.mask_changed, document.frame_changed, document.picture_changed,
                       desk.store.changed, desk.shelf.changed, canvas.xray_changed):  # fmt: skip
            signal.connect(self._later)

    def _later(self, *_: object) -> None:
        if self._canvas.xray_shown:
            self._soon.start()

    def _work_out(self) -> None:
        if self._working:
            return  # it looks again when it is through
        model = self._desk.shelf.current
        if model is None:
            self._canvas.show_outlooks(())
            return
        ground, params, native = Ground.of(self._desk.document), self._desk.store.params, model.native_size

        def done(found: tuple[Outlook, ...]) -> None:
            self._working = False
            if self._soon.isActive() or changed():
                self._soon.start()
            else:
                self._canvas.show_outlooks(found)

        def changed() -> bool:
            document = self._desk.document
            same = ground.mask.cacheKey() == document.mask.cacheKey() and ground.frame == document.frame
            return not same or params != self._desk.store.params or self._desk.shelf.current != model

        self._working = True
        self._background.run(lambda: outlooks(ground, params, native), done, self._failed)

    def _failed(self, error: Exception) -> None:
        self._working = False
        log.error("the X-ray failed", exc_info=error)
        self._canvas.show_outlooks(())

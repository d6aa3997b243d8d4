"""Keeps the canvas' X-ray up to date with picture, mask, panels and model."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.document.outlook import outlook
from app.ui.canvas.view import CanvasView
from app.ui.desk import Desk


class XRayFollower(QObject):
    """Works it out anew when something has changed that it depends on, and only while it is to be seen."""

    def __init__(self, desk: Desk, canvas: CanvasView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._canvas = canvas
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
        model = self._desk.shelf.current
        if model is None:
            self._canvas.show_outlook(None)
            return
        self._canvas.show_outlook(outlook(self._desk.document, self._desk.store.params, model.native_size))

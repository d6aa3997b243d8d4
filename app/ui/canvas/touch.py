"""Fingers on a touch screen: one draws, two move, turn and zoom the view."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QEventPoint, QTouchEvent

from app.ui.canvas.drag import Pointer
from app.ui.canvas.tool_proxy import ToolProxy
from app.ui.canvas.toolbox import Toolbox
from app.ui.canvas.viewport import Viewport

_FIRM = 24.0  # view pixels: a stroke that is longer was meant, and a second finger does not take it away
_TWIST = 8.0  # degrees that two fingers turn before the view turns with them: mostly they only zoom


@dataclass(frozen=True)
class _Grip:
    """Two fingers: their middle, their distance and their direction."""

    middle: QPointF
    distance: float
    degrees: float

    @staticmethod
    def of(first: QPointF, second: QPointF) -> _Grip:
        way = second - first
        return _Grip(
            (first + second) / 2, max(1.0, math.hypot(way.x(), way.y())), math.degrees(math.atan2(way.y(), way.x()))
        )


class Touch:
    """Reads one touch from the first finger's coming to the last one's going."""

    def __init__(self, toolbox: Toolbox, proxy: ToolProxy, viewport: Viewport) -> None:
        self._toolbox = toolbox
        self._proxy = proxy
        self._viewport = viewport
        self._drawing = False
        self._way = 0.0
        self._last: QPointF | None = None
        self._grip: _Grip | None = None
        self._twist: float | None = 0.0  # degrees so far; None once the view turns

    def take(self, event: QTouchEvent) -> None:
        """Any event of a touch."""
        points = [point for point in event.points() if point.state() != QEventPoint.State.Released]
        match event.type():
            case QEvent.Type.TouchBegin:
                self._begin(event.points()[0].position())
            case QEvent.Type.TouchCancel:
                self._drop()
            case QEvent.Type.TouchEnd:
                self._end(event.points()[0].position())
            case _ if len(points) >= 2:
                self._lead(_Grip.of(points[0].position(), points[1].position()))
            case _ if points:
                self._grip = None
                self._draw(points[0].position())

    def _begin(self, at: QPointF) -> None:
        self._way, self._grip, self._last, self._twist = 0.0, None, at, 0.0
        self._drawing = self._proxy.press(self._toolbox.active, self._pointer(at))

    def _draw(self, at: QPointF) -> None:
        if self._drawing and self._last is not None:
            self._way += math.hypot(at.x() - self._last.x(), at.y() - self._last.y())
            self._proxy.move(self._pointer(at))
        self._last = at

    def _lead(self, grip: _Grip) -> None:
        if self._drawing:
            if self._way > _FIRM:
                return  # a palm, or a finger that came by chance
            self._drop()
        before, self._grip = self._grip, grip
        if before is None:
            return
        viewport = self._viewport
        viewport.pan_by(grip.middle - before.middle)
        viewport.zoom_to(viewport.zoom * grip.distance / before.distance, grip.middle)
        turned = (grip.degrees - before.degrees + 180.0) % 360.0 - 180.0
        if self._twist is not None:
            self._twist += turned
            if abs(self._twist) > _TWIST:
                self._twist = None
        else:
            viewport.rotate_by(turned, grip.middle)

    def _end(self, at: QPointF) -> None:
        if self._drawing:
            self._drawing = False
            self._proxy.release(self._pointer(at))
        self._grip = None

    def _drop(self) -> None:
        if self._drawing:
            self._drawing = False
            self._proxy.cancel()

    def _pointer(self, at: QPointF) -> Pointer:
        return Pointer(view=at, picture=self._viewport.to_picture(at))

"""The Camera: which part of the picture is seen, and how large; pure arithmetic around the one QTransform."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

from app.core.geometry import Size

LEAST_ZOOM, MOST_ZOOM = 0.01, 64.0
MARGIN = 24.0  # around a fitted picture, in view pixels
_LADDER = (
    *(0.01, 0.02, 0.03, 0.05, 0.0625, 0.0833, 0.125, 0.1667, 0.25, 0.3333, 0.5, 0.6667),
    *(1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0),
)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """``zoom``: device pixels per picture pixel, so that 1 is one to one on every screen. ``centre``: the point of the
    picture in the middle of the view. ``view``: the view's size in its own, device-independent pixels; ``dpr`` device
    pixels make one of them. ``corner``: where on the window's device pixels the view starts, whole or not. ``angle``:
    by how many degrees the picture is turned, clockwise; ``mirrored``: left and right change places, before that."""

    zoom: float
    centre: QPointF
    view: QSizeF
    dpr: float = 1.0
    corner: QPointF = field(default_factory=QPointF)
    angle: float = 0.0
    mirrored: bool = False

    @property
    def scale(self) -> float:
        """View pixels per picture pixel."""
        return self.zoom / self.dpr

    def transform(self) -> QTransform:
        """Picture to view: for painting and for the pointer alike. Unless the picture is turned, it starts on a whole
        device pixel, or a picture at 100 % would be blurred by a fraction of one."""
        turned = self._turned()
        start = self._middle() - turned.map(self.centre)
        if self.angle % 90.0 == 0.0:
            start = self._on_device_pixel(start)
        return turned * QTransform.fromTranslate(start.x(), start.y())

    def zoomed(self, zoom: float, anchor: QPointF) -> Camera:
        """Another zoom, with the same point of the picture under ``anchor`` (in view pixels)."""
        return self._held_at(anchor, replace(self, zoom=min(MOST_ZOOM, max(LEAST_ZOOM, zoom))))

    def rotated(self, by: float, anchor: QPointF) -> Camera:
        """Turned on by so many degrees around ``anchor`` (in view pixels)."""
        return self._held_at(anchor, replace(self, angle=(self.angle + by) % 360.0))

    def flipped(self) -> Camera:
        """Left and right of the view changed, around its middle."""
        return replace(self, mirrored=not self.mirrored, angle=-self.angle % 360.0)

    def upright(self) -> Camera:
        """Neither turned nor mirrored."""
        return replace(self, angle=0.0, mirrored=False)

    def panned(self, by: QPointF) -> Camera:
        """Moved with the hand: ``by`` view pixels."""
        return replace(self, centre=self.centre - self._turned().inverted()[0].map(by))

    def kept_near(self, picture: Size) -> Camera:
        """The middle of the view stays over the picture, which can so never be lost."""
        x = min(float(picture.width), max(0.0, self.centre.x()))
        y = min(float(picture.height), max(0.0, self.centre.y()))
        return replace(self, centre=QPointF(x, y))

    def fitted(self, picture: Size, *, part: float = 0.0) -> Camera:
        """All of the picture with a margin, of at least ``part`` of the view on each side. From 2 on by whole factors:
        each pixel gets the same number of them."""
        return self.fitted_to(QRectF(0, 0, picture.width, picture.height), part=part)

    def fitted_to(self, box_shown: QRectF, *, part: float = 0.0) -> Camera:
        """The same for a part of the picture."""
        box = QTransform().rotate(self.angle).mapRect(box_shown)
        margin = min(MARGIN, self.view.width() / 8, self.view.height() / 8)
        margin_x, margin_y = max(margin, self.view.width() * part), max(margin, self.view.height() * part)
        room_x = max(1.0, self.view.width() - 2 * margin_x) * self.dpr / box.width()
        room_y = max(1.0, self.view.height() - 2 * margin_y) * self.dpr / box.height()
        zoom = min(room_x, room_y)
        zoom = min(MOST_ZOOM, max(LEAST_ZOOM, float(math.floor(zoom)) if zoom >= 2.0 else zoom))
        return replace(self, zoom=zoom, centre=box_shown.center())

    def _turned(self) -> QTransform:
        """Zoom, mirror and rotation around the picture's corner."""
        return QTransform().rotate(self.angle).scale(-self.scale if self.mirrored else self.scale, self.scale)

    def _middle(self) -> QPointF:
        return QPointF(self.view.width() / 2, self.view.height() / 2)

    def _held_at(self, anchor: QPointF, other: Camera) -> Camera:
        """The other camera, moved so that it shows at ``anchor`` what this one does."""
        away = anchor - self._middle()
        point = self.centre + self._turned().inverted()[0].map(away)
        return replace(other, centre=point - other._turned().inverted()[0].map(away))

    def _on_device_pixel(self, start: QPointF) -> QPointF:
        x = (round(self.corner.x() + start.x() * self.dpr) - self.corner.x()) / self.dpr
        y = (round(self.corner.y() + start.y() * self.dpr) - self.corner.y()) / self.dpr
        return QPointF(x, y)


def step_in(zoom: float) -> float:
    """The next rounder zoom above."""
    return next((rung for rung in _LADDER if rung > zoom * 1.01), MOST_ZOOM)


def step_out(zoom: float) -> float:
    """The next rounder zoom below."""
    return next((rung for rung in reversed(_LADDER) if rung < zoom / 1.01), LEAST_ZOOM)

"""The Viewport: zooming and panning a widget over the document's picture."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, QSizeF, Signal
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QWidget

from app.document.document import Document
from app.ui.canvas.camera import Camera, step_in, step_out

_ROOMY = 0.2  # of the view, on each side


class Viewport(QObject):
    """What of the picture the widget shows, and how large. The picture fits until the person zooms or pans."""

    moved = Signal()  # another part or another size is seen
    zoom_changed = Signal(float)

    def __init__(self, widget: QWidget, document: Document) -> None:
        super().__init__(widget)
        self._widget = widget
        self._document = document
        self._zoom, self._centre = 1.0, QPointF()
        self._angle, self._mirrored = 0.0, False
        self._stays_fitted = True
        self._roomy = False

    @property
    def zoom(self) -> float:
        """Device pixels per picture pixel: 1.0 is one to one."""
        return self._zoom

    @property
    def camera(self) -> Camera:
        widget = self._widget
        dpr = widget.devicePixelRatioF()
        corner = QPointF(widget.mapTo(widget.window(), QPoint())) * dpr
        return Camera(
            zoom=self._zoom,
            centre=self._centre,
            view=QSizeF(widget.size()),
            dpr=dpr,
            corner=corner,
            angle=self._angle,
            mirrored=self._mirrored,
        )

    @property
    def transform(self) -> QTransform:
        """Picture to view."""
        return self.camera.transform()

    def to_view(self, point: QPointF) -> QPointF:
        return self.transform.map(point)

    def to_picture(self, point: QPointF) -> QPointF:
        return self.transform.inverted()[0].map(point)

    def fit(self) -> None:
        """Show all of the picture, also after the widget is resized."""
        self._look(self._fitted(self.camera))
        self._stays_fitted = True

    def set_roomy(self, roomy: bool) -> None:
        """Whether a fitted picture has much room around it, to be pulled into."""
        if roomy != self._roomy:
            self._roomy = roomy
            self.refit()

    def _fitted(self, camera: Camera) -> Camera:
        return camera.fitted(self._document.size, part=_ROOMY if self._roomy else 0.0)

    def refit(self) -> None:
        """The widget has another size or is on another screen."""
        if self._stays_fitted:
            self.fit()
        else:
            self.moved.emit()

    def zoom_to(self, factor: float, anchor: QPointF | None = None) -> None:
        """Zoom with the point under ``anchor`` (view pixels; the middle if None) staying where it is."""
        anchor = self._middle if anchor is None else anchor
        self._look(self.camera.zoomed(factor, anchor).kept_near(self._document.size))

    def show_box(self, box: QRectF) -> bool:
        """Show this part of the picture with a margin, as large as it fits. False when it is seen so already."""
        camera = self.camera.fitted_to(box)
        if abs(camera.zoom - self._zoom) < 1e-9 and camera.centre == self._centre:
            return False
        self._look(camera)
        return True

    def zoom_in(self) -> None:
        self.zoom_to(step_in(self._zoom))

    def zoom_out(self) -> None:
        self.zoom_to(step_out(self._zoom))

    def pan_by(self, by: QPointF) -> None:
        """Move the picture by view pixels."""
        self._look(self.camera.panned(by).kept_near(self._document.size))

    def centre_on(self, point: QPointF) -> None:
        """Bring this point of the picture into the middle."""
        self._look(replace(self.camera, centre=point).kept_near(self._document.size))

    def rotate_by(self, degrees: float, anchor: QPointF | None = None) -> None:
        """Turn the view, clockwise, around ``anchor`` (view pixels; the middle if None). The picture stays as it is."""
        self._turn(self.camera.rotated(degrees, self._middle if anchor is None else anchor))

    def mirror(self) -> None:
        """Change left and right of the view: a fresh eye sees mistakes. The picture stays as it is."""
        self._turn(self.camera.flipped())

    def set_upright(self) -> None:
        self._turn(self.camera.upright())

    def _turn(self, camera: Camera) -> None:
        fitted = self._stays_fitted
        self._look(self._fitted(camera) if fitted else camera.kept_near(self._document.size))
        self._stays_fitted = fitted

    @property
    def _middle(self) -> QPointF:
        return QPointF(self._widget.width() / 2, self._widget.height() / 2)

    def _look(self, camera: Camera) -> None:
        self._stays_fitted = False
        zoomed = camera.zoom != self._zoom
        self._zoom, self._centre = camera.zoom, camera.centre
        self._angle, self._mirrored = camera.angle, camera.mirrored
        if zoomed:
            self.zoom_changed.emit(self._zoom)
        self.moved.emit()

"""The Scene: everything that is drawn on the canvas in the picture's place, bottom to top."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPalette, QRegion, QTransform

from app.document.document import Document
from app.ui.canvas.checkerboard import checkerboard
from app.ui.canvas.comparison import Comparison
from app.ui.canvas.forming import FormingPicture
from app.ui.canvas.overlay import MaskOverlay
from app.ui.canvas.paint_preview import PaintPreview
from app.ui.canvas.pixel_grid import draw_pixel_grid
from app.ui.canvas.pyramid import Pyramid, level_for, smooth_at


class Scene:
    """Surround, picture or checkerboard, mask, forming picture. Draws only what is exposed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._picture = Pyramid(document.picture)
        self.mask = MaskOverlay(document)
        self.paint = PaintPreview(document)
        self.forming = FormingPicture()
        self.comparison = Comparison()
        self.checkered = True
        self.pixel_grid = True

    def reset(self) -> None:
        """The document holds other images now."""
        self._picture = Pyramid(self._document.picture)
        self.mask.reset()
        self.comparison.forget()

    def picture_changed(self, region: QRegion) -> None:
        """The document's picture has other pixels in ``region``, or is another image of the same size."""
        self._picture.rebase(self._document.picture, region)
        self.paint.follow(region)

    def drop_paint(self, region: QRegion) -> None:
        """The stroke that was shown in ``region`` is no more."""
        self._picture.changed(region)

    def thumbnail(self, width: float) -> QImage:
        """The picture at a half to one time over ``width`` pixels, or as it is when it is smaller."""
        return self._picture.level(level_for(min(1.0, width / self._picture.base.width())))

    def choose_tint(self) -> bool:
        """Let the mask's colour follow what is under it. True when it became another one."""
        return self._document.has_picture and self.mask.choose_tint()

    def dirty(self, box: QRect, transform: QTransform, zoom: float) -> QRect:
        """What of the view must be painted again when the picture's pixels in ``box`` changed."""
        spread = 2 << level_for(zoom)  # smoothing reaches over to the neighbours
        part = transform.mapRect(QRectF(box.adjusted(-spread, -spread, spread, spread))).toAlignedRect()
        return part.adjusted(-3, -3, 3, 3)  # and the mask's outline

    def draw(self, painter: QPainter, exposed: QRect, transform: QTransform, zoom: float, palette: QPalette) -> None:
        """Paint what lies in ``exposed`` (view pixels)."""
        painter.fillRect(exposed, palette.color(QPalette.ColorRole.Dark))
        place = transform.mapToPolygon(self._document.box)
        if place.boundingRect().intersects(exposed):
            painter.save()
            self._clip(painter, transform)
            self._draw_picture(painter, exposed, transform, zoom, palette)
            self._draw_mask(painter, exposed, transform, zoom)
            if self.pixel_grid and self._document.has_picture:
                draw_pixel_grid(painter, exposed, self._document.box, transform, zoom)
            painter.restore()

    def draw_over(self, painter: QPainter, transform: QTransform, view: QSizeF, palette: QPalette) -> None:
        """What is not in the document: the forming picture, or the one from before. ``view``: how large that is."""
        accent = palette.color(QPalette.ColorRole.Accent)
        if self.mask.drafting and self.forming.resting:
            return  # a stroke is to be seen while it is painted
        if not self.comparison.shown:
            self.forming.draw(painter, transform, accent)
            return
        if self.forming.box.isEmpty():
            self.comparison.draw_before(painter, transform, view, checkerboard(palette))
        else:  # before is what is under it
            painter.save()
            painter.setClipRect(self.comparison.after(view), Qt.ClipOperation.IntersectClip)
            self.forming.draw(painter, transform, accent)
            painter.restore()
        self.comparison.draw_line(painter, view)

    def _clip(self, painter: QPainter, transform: QTransform) -> None:
        if _askew(transform):
            path = QPainterPath()
            path.addRect(QRectF(self._document.box))
            painter.setClipPath(transform.map(path), Qt.ClipOperation.IntersectClip)
        else:  # a box of whole numbers is much faster, and exact
            painter.setClipRect(transform.mapRect(QRectF(self._document.box)), Qt.ClipOperation.IntersectClip)

    def _draw_picture(
        self, painter: QPainter, exposed: QRect, transform: QTransform, zoom: float, palette: QPalette
    ) -> None:
        if not self._document.has_picture and self.paint.draft is None:
            if self.checkered:
                self._draw_checkerboard(painter, exposed, transform, palette)
            return
        if not self._document.picture.opaque:
            self._draw_checkerboard(painter, exposed, transform, palette)
        k = level_for(zoom)
        painter.save()
        smooth = smooth_at(zoom) or (_askew(transform) and zoom < 2.0)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        if k:
            self.paint.put_into(self._picture)
            image = self._picture.level(k)
            painter.setTransform(_level_transform(image, self._document.box, transform), True)
            painter.drawImage(QPointF(), image)
        else:
            # two pixels more, or the edge of what is exposed would be smoothed against nothing and show as a seam
            seen = transform.inverted()[0].mapRect(QRectF(exposed)).toAlignedRect().adjusted(-2, -2, 2, 2)
            seen = seen.intersected(self._document.box)
            image = self._document.picture.copy(seen)
            self.paint.put_over(image, seen)
            painter.setTransform(transform, True)
            painter.drawImage(QPointF(seen.topLeft()), image)
        painter.restore()

    def _draw_checkerboard(self, painter: QPainter, exposed: QRect, transform: QTransform, palette: QPalette) -> None:
        place = transform.mapRect(QRectF(self._document.box))
        painter.setBrushOrigin(place.topLeft())
        painter.fillRect(place.intersected(QRectF(exposed)), checkerboard(palette))

    def _draw_mask(self, painter: QPainter, exposed: QRect, transform: QTransform, zoom: float) -> None:
        if (self._document.mask_empty or self.comparison.shown) and not self.mask.drafting:
            return
        k = level_for(zoom)
        to_view = _level_transform(self.mask.level(k), self._document.box, transform)
        self.mask.draw(painter, k, exposed, to_view, smooth_at(zoom))


def _askew(transform: QTransform) -> bool:
    """The picture's sides are not the screen's."""
    return min(abs(transform.m11()), abs(transform.m12())) > 1e-9 * abs(transform.m11() + transform.m12())


def _level_transform(image: QImage, box: QRect, transform: QTransform) -> QTransform:
    """From a level's pixels to the view."""
    return QTransform.fromScale(box.width() / image.width(), box.height() / image.height()) * transform

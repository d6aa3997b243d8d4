"""The mask as a coloured layer over the picture, in a colour that reads well on what lies under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QColor, QImage, QPainter, QRegion, QTransform

from app.document import images
from app.document.document import Document
from app.document.strokes import Stroke
from app.document.tiles import rects
from app.ui.canvas.mask_look import MaskLook, MaskStyle, colour_table, hatched, heat_table, outlined
from app.ui.canvas.pyramid import Pyramid

# Orange and blue stay apart for every kind of colour blindness; the light and dark third serves pictures full of both.
TINTS = ((255, 92, 28), (0, 168, 255), (240, 60, 240), (180, 255, 60))
_SAMPLES = 128  # each way, to judge what lies under the mask
_STAY = 0.5  # the colour changes only when another one reads so much better: it must not flicker while painting


class MaskOverlay:
    """Shows the document's mask, with the stroke being drawn in it. Owns a copy of the mask for that: the draft is
    drawn here and never in the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._tint = TINTS[0]
        self.look = MaskLook()
        self.visible = True
        self.resting = False  # out of sight until the pointer moves, so that a new picture can be seen under it
        self.peeking = False  # out of sight for as long as a key is held
        self.drafting = False  # a stroke is being drawn
        self.reset()

    @property
    def tint(self) -> QColor:
        return QColor(*self._tint)

    def reset(self) -> None:
        """The document has another mask altogether."""
        filled = QRect() if self._document.mask_empty else self._document.box
        self._drawn = self._document.mask.copy()  # shared, it would be copied in a stroke
        self._shown = Pyramid(self._drawn, QRegion(filled))
        self._tint = TINTS[0]

    def refresh(self, region: QRegion, stroke: Stroke | None) -> None:
        """Take over the mask in ``region``, under the stroke where there is one."""
        self.drafting = stroke is not None
        region = region.intersected(self._document.box)
        for box in rects(region):
            if stroke is None:
                images.copy_mask(self._document.mask, self._drawn, box)
            else:
                images.write_mask(self._drawn, box, stroke.preview(box))
        self._shown.changed(region)

    def settle(self) -> None:
        """The stroke has become part of the mask as it was drawn: it is on the screen already."""
        self.drafting = False

    def level(self, k: int) -> QImage:
        """What is shown, 2^k times smaller."""
        return self._shown.level(k)

    def draw(self, painter: QPainter, k: int, exposed: QRect, to_view: QTransform, smooth: bool) -> None:
        """Paint what lies in ``exposed`` (view pixels, which are the painter's as well). ``to_view``: from the pixels
        of level ``k`` to the view."""
        if self.peeking or (self.resting and not self.drafting):
            return
        style = self.look.style if self.visible else MaskStyle.OUTLINE  # hidden, it counts, and so leaves a trace
        match style:
            case MaskStyle.COLOUR:
                self._draw_looked_up(painter, k, exposed, to_view, smooth, colour_table(self._tint, self.look.opacity))
            case MaskStyle.HEAT:
                self._draw_looked_up(painter, k, exposed, to_view, smooth, heat_table(self.look.opacity))
            case MaskStyle.HATCH | MaskStyle.OUTLINE:
                self._draw_on_screen(painter, k, exposed, to_view, style)

    def _draw_looked_up(
        self, painter: QPainter, k: int, exposed: QRect, to_view: QTransform, smooth: bool, table: NDArray[np.uint32]
    ) -> None:
        mask = self._shown.level(k)
        # two pixels more, or the edge of what is exposed would be smoothed against nothing and show as a seam
        around = to_view.inverted()[0].mapRect(QRectF(exposed)).toAlignedRect().adjusted(-2, -2, 2, 2)
        box = around.intersected(mask.rect())
        part = images.tinted(mask, box, table)
        if part is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.setTransform(to_view, True)
        painter.drawImage(QPointF(box.topLeft()), part)
        painter.restore()

    def _draw_on_screen(self, painter: QPainter, k: int, exposed: QRect, to_view: QTransform, style: MaskStyle) -> None:
        """Styles whose lines are as wide as the screen wants them, whatever the zoom."""
        dpr = painter.device().devicePixelRatio()
        width = max(1, round(dpr))
        box = QRectF(QPointF(exposed.topLeft()) * dpr, QSizeF(exposed.size()) * dpr).toAlignedRect()
        box.adjust(-width - 1, -width - 1, width + 1, width + 1)
        values = images.to_mask(self._on_screen(k, box, to_view, dpr))
        if not values.any():
            return
        if style is MaskStyle.HATCH:
            corner = box.topLeft() - (to_view.map(QPointF()) * dpr).toPoint()  # the pattern goes with the picture
            shown = hatched(values, corner.x(), corner.y(), self._tint, self.look.opacity, dpr)
        else:
            shown = outlined(values, width)
        painter.drawImage(QRectF(QPointF(box.topLeft()) / dpr, QSizeF(box.size()) / dpr), images.argb(shown))

    def _on_screen(self, k: int, box: QRect, to_view: QTransform, dpr: float) -> QImage:
        """The mask as the screen shows it in ``box``, in device pixels of the view."""
        image = images.blank_mask(box.width(), box.height())
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(-QPointF(box.topLeft()))
        painter.scale(dpr, dpr)
        painter.setTransform(to_view, True)
        painter.drawImage(QPointF(), self._shown.level(k))
        painter.end()
        return image

    def choose_tint(self) -> bool:
        """Pick the colour that stands out most from what lies under the mask; while it is empty, from the whole
        picture. True when it became another one."""
        step = max(1, max(self._document.size.width, self._document.size.height) // _SAMPLES)
        colours, weights = images.sampled(self._document.picture, self._document.mask, step)
        under = np.average(colours, axis=0, weights=weights if weights.any() else None)
        contrast = {tint: _difference(tint, under) for tint in TINTS}
        best = max(TINTS, key=lambda tint: contrast[tint])
        if contrast[self._tint] >= _STAY * contrast[best]:
            return False
        self._tint = best
        return True


def _difference(tint: tuple[int, int, int], under: NDArray[np.float64]) -> float:
    """How far two colours look apart: the "redmean" weighted distance (Riemersma, compuphase.com/cmetric.htm)."""
    red = (tint[0] + under[0]) / 2
    weights = np.array([2 + red / 256, 4.0, 2 + (255 - red) / 256])
    return float(np.sqrt(np.sum(weights * (np.array(tint) - under) ** 2)))

"""The stroke of colour being painted, over the picture on the screen and never in it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter, QRegion

from app.document.document import Document
from app.document.paint_draft import PaintDraft
from app.document.tiles import corner, cut, rects, tiles
from app.ui.canvas.pyramid import Pyramid


class PaintPreview:
    """Small pictures of the tiles that the stroke has touched, as they look with it. At full size they are drawn over
    the picture; the smaller levels of its pyramid take them in."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._tiles: dict[tuple[int, int], QImage] = {}
        self._behind: set[tuple[int, int]] = set()  # tiles that the pyramid has not taken in yet
        self.draft: PaintDraft | None = None

    @property
    def region(self) -> QRegion:
        """All that was touched."""
        region = QRegion()
        for x, y in self._tiles:
            region += QRect(QPoint(x, y), self._tiles[x, y].size())
        return region

    def begin(self, draft: PaintDraft) -> None:
        self.clear()
        self.draft = draft

    def clear(self) -> None:
        """The stroke is over or dropped."""
        self.draft = None
        self._tiles.clear()
        self._behind.clear()

    def refresh(self, box: QRect) -> None:
        """The picture looks different in ``box``, with the stroke or under it."""
        if self.draft is None:
            return
        box = box.intersected(self._document.box)
        if box.isEmpty():
            return
        look = self.draft.look(box)
        for part in cut(box):
            tile = self._tile_at(part)
            painter = QPainter(tile)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            x, y = corner(part)
            painter.drawImage(part.topLeft() - QPoint(x, y), look, part.translated(-box.topLeft()))
            painter.end()
            self._behind.add((x, y))

    def follow(self, region: QRegion) -> None:
        """The picture itself has changed in ``region``: see that what lies over it still fits."""
        for x, y in list(self._tiles):
            for part in rects(region.intersected(QRect(QPoint(x, y), self._tiles[x, y].size()))):
                self.refresh(part)

    def put_into(self, pyramid: Pyramid) -> None:
        """Let the smaller levels show the stroke."""
        for x, y in self._behind:
            pyramid.cover(QPoint(x, y), self._tiles[x, y])
        self._behind.clear()

    def put_over(self, image: QImage, box: QRect) -> None:
        """Let an image of the picture's ``box``, at full size, show the stroke."""
        if not self._tiles:
            return
        painter = QPainter(image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        for (x, y), tile in self._tiles.items():
            if QRect(QPoint(x, y), tile.size()).intersects(box):
                painter.drawImage(QPoint(x, y) - box.topLeft(), tile)
        painter.end()

    def _tile_at(self, part: QRect) -> QImage:
        place = corner(part)
        if place not in self._tiles:
            box = next(tiles(part, self._document.box))
            self._tiles[place] = self._document.picture.copy(box)
        return self._tiles[place]

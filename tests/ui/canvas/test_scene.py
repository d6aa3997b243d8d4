"""Only what changed is drawn again, and nobody can see where."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect, QSizeF
from PySide6.QtGui import QImage, QPainter, QPalette, QRegion

from app.core.geometry import Size
from app.document import images
from app.document.commands import OpenPicture, PaintMask
from app.document.document import Document
from app.document.strokes import Brush, Stroke
from app.ui.canvas.camera import Camera
from app.ui.canvas.scene import Scene

WHOLE = QRect(0, 0, 400, 300)


def _draw(scene: Scene, onto: QImage, part: QRect, camera: Camera) -> None:
    painter = QPainter(onto)
    painter.setClipRect(part)
    scene.draw(painter, part, camera.transform(), camera.zoom, QPalette())
    painter.end()


@pytest.mark.parametrize("zoom", [0.21, 0.37, 0.6, 1.0, 1.5, 4.0])
def test_a_repainted_part_fits_its_surroundings(qapp: object, zoom: float) -> None:
    document = Document(Size(8, 8))
    noise = np.random.default_rng(3).integers(0, 256, (777, 1031, 3), np.uint8)
    document.undo.push(OpenPicture(document, noise))
    scene = Scene(document)
    camera = Camera(zoom=zoom, centre=QPointF(500.3, 380.7), view=QSizeF(400, 300))
    shown, fresh = (QImage(400, 300, QImage.Format.Format_RGB32) for _ in range(2))
    _draw(scene, shown, WHOLE, camera)

    def repaint(box: QRect) -> None:
        scene.mask.refresh(QRegion(box), None)
        part = scene.dirty(box, camera.transform(), zoom).intersected(WHOLE)
        left, right = QRect(part), QRect(part)
        left.setWidth(part.width() // 2)  # in two pieces that meet inside the stroke
        right.setLeft(left.right() + 1)
        _draw(scene, shown, left, camera)
        _draw(scene, shown, right, camera)

    document.changed.connect(repaint)
    for brush in (Brush(size=61, hardness=0.9), Brush(size=23, hardness=1.0, erase=True)):
        stroke = Stroke(brush, document.mask)
        for point in (QPointF(470.2, 371.9), QPointF(533.1, 390.4)):
            stroke.line_to(point)
        document.undo.push(PaintMask(document, stroke.finished()))
        _draw(scene, fresh, WHOLE, camera)
        away = np.abs(images.to_pixels(shown).astype(int) - images.to_pixels(fresh).astype(int))
        assert away.max() <= 2

"""The pointer hits the pixel that is drawn, at every scale of the screen: one process each, as Qt reads it once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
import numpy as np
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QApplication, QWidget
from app.core.geometry import Size
from app.document import images
from app.document.commands import ClearMask, OpenPicture
from app.document.document import Document
from app.document.strokes import Brush
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import drag

app = QApplication([])
scale = float(sys.argv[1])
window = QWidget()
document = Document(Size(8, 8))
canvas = CanvasView(document, window)
window.resize(640, 520)
canvas.setGeometry(13, 27, 601, 463)  # nowhere near whole device pixels
window.show()
x, y = np.arange(1501)[None, :], np.arange(1201)[:, None]
pixels = np.zeros((1201, 1501, 3), np.uint8)  # every pixel tells where it is
pixels[..., 0], pixels[..., 1], pixels[..., 2] = x % 256, y % 256, x // 256 + 16 * (y // 256)
document.undo.push(OpenPicture(document, pixels))
assert canvas.devicePixelRatioF() == scale, canvas.devicePixelRatioF()
canvas.set_pixel_grid(False)  # its lines would hide the colours under them
for zoom, angle, mirror in (
    (1.0, 0, False), (2.0, 0, False), (3.0, 0, False), (7.3, 0, False), (64.0, 0, False),
    (1.0, 90, True), (3.0, 0, True), (5.0, 33, False), (12.0, 200, True),
):
    canvas.viewport.set_upright()
    canvas.zoom_to(zoom, QPointF(211.3, 97.7))
    canvas.viewport.rotate_by(angle, QPointF(300, 220))
    if mirror:
        canvas.viewport.mirror()
    for tool in ("pan", "brush"):
        canvas.set_tool(tool)
    canvas.set_brush(Brush(size=1, hardness=1.0))
    canvas.set_mask_visible(False)
    canvas._pointing.hover_at(None)
    seen = images.to_pixels(window.grab().toImage())
    corner = QPointF(canvas.mapTo(window, QPoint())) * scale
    for x, y in ((310, 220), (300, 231), (333, 207), (290, 240), (301, 233)):
        device = QPointF(int(x * scale) + 0.5, int(y * scale) + 0.5)  # the middle of a device pixel of the window
        at = (device - corner) / scale
        point = canvas.to_picture(at)
        pixel = (int(point.x()), int(point.y()))
        red, green, blue = (int(value) for value in seen[int(device.y()), int(device.x())])
        shown = (red + 256 * (blue % 16), green + 256 * (blue // 16))
        edge = min(point.x() % 1, 1 - point.x() % 1, point.y() % 1, 1 - point.y() % 1)
        near = edge * zoom < (0.1 if angle % 90 == 0 else 0.8)
        assert shown == pixel or near, (zoom, (x, y), shown, point)
        drag(canvas, canvas.to_view(QPointF(pixel[0] + 0.5, pixel[1] + 0.5)))
        assert document.mask_pixels()[pixel[1], pixel[0]] == 255, (zoom, pixel)
        document.undo.push(ClearMask(document))
print("hit", flush=True)
os._exit(0)  # without Qt's farewell, which is none of this test's business
"""


@pytest.mark.parametrize("scale", [1, 1.25, 1.5, 1.75, 2])
def test_the_pointer_hits_the_pixel_that_is_drawn(scale: float) -> None:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "QT_SCALE_FACTOR": str(scale),
        "QT_SCALE_FACTOR_ROUNDING_POLICY": "PassThrough",
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(scale)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "hit\n", run.stderr

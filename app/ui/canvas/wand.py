"""The wand and the bucket: one click takes a whole area."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint

from app.document.alike import alike, enclosed
from app.ui.canvas.drag import Canvas, Drag, Pointer
from app.ui.canvas.mark import Marker


def wand(canvas: Canvas, press: Pointer) -> Drag:
    """Where the picture looks like the pixel under the pointer, by the tool's tolerance."""
    document, settings, at = canvas.document, canvas.area, _pixel(press)
    if document.box.contains(at):
        picture, tolerance, contiguous = document.picture.share(), round(settings.tolerance), settings.contiguous
        Marker.at(canvas, press).found(lambda _: alike(picture, at, tolerance, contiguous=contiguous), "by colour")
    yield


def bucket(canvas: Canvas, press: Pointer) -> Drag:
    """The part of the picture that the mask goes around: draw an outline, then click into it."""
    document, at = canvas.document, _pixel(press)
    if document.box.contains(at):
        Marker.at(canvas, press).found(lambda mask: enclosed(mask, at), "enclosed area")
    yield


def _pixel(pointer: Pointer) -> QPoint:
    # floor, not round: a pixel is the square from its number to the next
    return QPoint(math.floor(pointer.picture.x()), math.floor(pointer.picture.y()))

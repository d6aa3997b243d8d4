"""The tools that put down colour: brush and eraser on a layer, fill and picker."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, QRect

from app.document import images
from app.document.alike import alike
from app.document.areas import Area
from app.document.paint_draft import PaintDraft, Target, filled
from app.document.surfaces import Colour
from app.document.tiles import TileEdit
from app.ui.canvas.brush import drawn
from app.ui.canvas.drag import Canvas, Drag, Pointer

_NO_ERASING = "The picture itself cannot be erased: choose a paint or result layer. The mask has its own eraser (E)."


def paint_colour(canvas: Canvas, press: Pointer) -> Drag:
    """A stroke of colour on a layer to paint on; the first one makes the layer. The pen's other end erases there."""
    target = Target.to_paint(canvas.document)
    if press.eraser:
        yield from _stroke(canvas, press, target, None, "Erase")
        return
    canvas.use_colour()
    yield from _stroke(canvas, press, target, canvas.colour, "Paint")


def erase_colour(canvas: Canvas, press: Pointer) -> Drag:
    """What the stroke covers of the active layer becomes transparent."""
    target = Target.to_erase(canvas.document)
    if target is None:
        canvas.say(_NO_ERASING)
        yield
        return
    yield from _stroke(canvas, press, target, None, "Erase")


def fill(canvas: Canvas, press: Pointer) -> Drag:
    """What looks like the pixel under the pointer, by the tool's tolerance, takes the colour; with Ctrl it loses it."""
    document, settings, at = canvas.document, canvas.area, _pixel(press.picture)
    if document.box.contains(at):
        erase = settings.erase != (press.other or press.eraser)
        colour = None if erase else canvas.colour
        picture, target, stack = document.picture.share(), Target.to_paint(document), document.layers
        still = replace(target, layer=replace(target.layer, image=target.layer.image.share()))
        key = target.layer.image.cacheKey()

        def find() -> tuple[Area, list[TileEdit]]:
            area = alike(picture, at, round(settings.tolerance), contiguous=settings.contiguous)
            return area, filled(still, area, colour, settings.opacity)

        def done(found: tuple[Area, list[TileEdit]]) -> None:
            area, edits, place = *found, target
            if document.layers is not stack or target.layer.image.cacheKey() != key:  # another one came before
                place = Target.to_paint(document)
                edits = filled(place, area, colour, settings.opacity)
            if edits:
                if not erase:
                    canvas.use_colour()
                canvas.push(place.step(edits, "Erase area" if erase else "Fill"))

        canvas.work_out(find, done)
    yield


def picker(canvas: Canvas, press: Pointer) -> Drag:
    """The colour of the picture under the pointer, wherever it is led."""
    pointer: object = press
    while isinstance(pointer, Pointer):
        at = _pixel(pointer.picture)
        if canvas.document.box.contains(at):
            canvas.pick(_colour_at(canvas, at))
        pointer = yield


def _stroke(canvas: Canvas, press: Pointer, target: Target, colour: Colour | None, text: str) -> Drag:
    draft = PaintDraft(target, canvas.brush, colour)
    canvas.show_paint(draft)
    try:
        yield from drawn(canvas, press, lambda point, pressure: canvas.paint_changed(draft.line_to(point, pressure)))
    except BaseException:  # closed by Escape, most of all
        canvas.end_paint(None)
        raise
    canvas.end_paint(draft.step(text))


def _colour_at(canvas: Canvas, at: QPoint) -> Colour:
    red, green, blue = map(int, images.picture_part(canvas.document.picture, QRect(at, at))[0, 0])
    return red, green, blue


def _pixel(point: QPointF) -> QPoint:
    # floor, not round: a pixel is the square from its number to the next
    return QPoint(math.floor(point.x()), math.floor(point.y()))

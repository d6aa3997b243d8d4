"""What single steps on the canvas take: the first stroke of colour, accepting a result, and both there and back."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from app.core.geometry import Rect, Size
from app.core.job import Mode, Result
from app.core.request import Inpaint, Request
from app.document.commands import InsertResult, OpenPicture
from app.document.document import Document
from app.document.strokes import Brush
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import move, press, release

_POINTS = 30
_FRAME = 1024
"""Pixels a side of the result that is accepted: the frame around a mask."""

HEADINGS = (
    "| picture | colour, pressed | let go | undo / redo | result accepted | undo / redo |\n|---|---|---|---|---|---|"
)


def steps_row(application: QApplication, canvas: CanvasView, side: int) -> str:
    """One line of the table; ``canvas`` shows a fresh picture of that size, whole. The repaint is included."""
    document = canvas.document
    canvas.set_tool("paint")
    canvas.set_brush(Brush(size=400, hardness=0.3))
    application.processEvents()
    middle = QPointF(canvas.rect().center())
    points = [middle + QPointF(8.0 * (n - _POINTS / 2), 4.0 * (n % 10)) for n in range(_POINTS)]
    pressed = timed(application, lambda: press(canvas, points[0]))
    for point in points:
        move(canvas, point)
        application.processEvents()
    let_go = timed(application, lambda: release(canvas, points[-1]))
    undo, redo = timed(application, document.undo.undo), timed(application, document.undo.redo)
    _settle(application, document)
    document.undo.undo()  # so that the result is the first layer over the picture
    result = _result(document, side)
    application.processEvents()
    accepted = timed(application, lambda: document.undo.push(InsertResult(document, result)))
    away, again = timed(application, document.undo.undo), timed(application, document.undo.redo)
    cells = (
        f"{side}²", f"{pressed:.1f} ms", f"{let_go:.1f} ms", f"{undo:.1f} / {redo:.1f} ms", f"{accepted:.1f} ms",
        f"{away:.1f} / {again:.1f} ms",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def timed(application: QApplication, act: Callable[[], object]) -> float:
    """Milliseconds of the thread's processor time until it is done and on the screen."""
    began = time.thread_time()
    act()
    application.processEvents()
    return 1000 * (time.thread_time() - began)


def _settle(application: QApplication, document: Document) -> None:
    while not document.packer.idle:
        application.processEvents()


def _result(document: Document, side: int) -> Result:
    """A part was repainted, with a ring of 16 pixels."""
    image = document.pixels().copy()
    box = Rect((side - _FRAME) // 2, (side - _FRAME) // 2, _FRAME, _FRAME)
    image[box.slices] = 255 - image[box.slices]
    blend = np.zeros((_FRAME, _FRAME), np.uint8)
    for step in range(16):
        blend[128 + step : -128 - step, 128 + step : -128 - step] = 16 * step + 15
    mask = np.zeros((side, side), np.uint8)
    mask[box.slices] = np.where(blend > 0, 255, 0)
    task = Inpaint(image=document.pixels(), mask=mask)
    request = Request(prompt="a boat", model="-", size=Size(side, side), task=task)
    return Result(
        image=image, request=request, mode=Mode.INPAINT_BLEND, box=box, frame=box, working=box.size, steps=1,
        seconds=1.0, seconds_per_step=1.0, model_name="-", device="cpu", blend=blend,
    )  # fmt: skip


def opened(side: int) -> CanvasView:
    """A view of a picture of that size."""
    document = Document(Size(64, 64))
    rows = np.arange(side, dtype=np.uint16)
    pixels = np.stack(np.broadcast_arrays(rows[None, :] % 256, rows[:, None] % 256, 128), axis=-1).astype(np.uint8)
    document.undo.push(OpenPicture(document, pixels))
    return CanvasView(document)

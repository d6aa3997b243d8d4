"""The mask can be read on any picture, whatever its look, and tells how strong it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.geometry import Size
from app.document.commands import OpenPicture, PaintMask
from app.document.document import Document
from app.document.mask_edits import replaced
from app.document.strokes import Brush
from app.ui.canvas.mask_look import MaskLook, MaskStyle, hatched, heat_table, outlined
from app.ui.canvas.overlay import TINTS
from app.ui.canvas.view import CanvasView
from app.ui.looks import MaskLooks
from tests.ui.canvas.gestures import move, press, release
from tests.ui.canvas.test_view import _gradient, _seen
from tests.ui.conftest import Open


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    view = CanvasView(Document(Size(64, 64)))
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    view.document.undo.push(OpenPicture(view.document, _gradient(200, 150)))
    return view


def _mark(canvas: CanvasView, values: np.ndarray) -> None:
    canvas.document.undo.push(PaintMask(canvas.document, list(replaced(canvas.document.mask, values))))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))


def _box(value: int = 255) -> np.ndarray:
    values = np.zeros((150, 200), np.uint8)
    values[50:100, 60:140] = value
    return values


COLOURS = [(255, 92, 28), (0, 168, 255), (128, 128, 128), (255, 255, 255), (0, 0, 0), (0, 255, 0)]


@pytest.mark.parametrize("style", MaskStyle)
@pytest.mark.parametrize("colour", COLOURS)
def test_the_mask_reads_on_any_colour(canvas: CanvasView, style: MaskStyle, colour: tuple[int, int, int]) -> None:
    flat = np.empty((150, 200, 3), np.uint8)
    flat[:] = colour
    canvas.document.undo.push(OpenPicture(canvas.document, flat))
    canvas.set_mask_look(MaskLook(style=style))
    _mark(canvas, _box())
    top, middle = canvas.to_view(QPointF(100, 40)).toPoint(), canvas.to_view(QPointF(100, 75)).toPoint()
    line = _seen(canvas)[top.y() : middle.y(), middle.x()].astype(int)  # from the picture into the mask
    assert np.abs(line - colour).sum(axis=1).max() > 100


@pytest.mark.parametrize("style", MaskStyle)
@pytest.mark.parametrize("value", [255, 40])
def test_nothing_that_counts_is_invisible(canvas: CanvasView, style: MaskStyle, value: int) -> None:
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    canvas.set_mask_look(MaskLook(style=style))
    _mark(canvas, _box(value))
    assert not np.array_equal(_seen(canvas), before)
    canvas.document.undo.undo()
    assert np.array_equal(_seen(canvas), before)


def test_a_hidden_mask_leaves_its_outline(canvas: CanvasView) -> None:
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    _mark(canvas, _box())
    canvas.set_mask_visible(False)
    changed = (_seen(canvas) != before).any(axis=2)
    corner, far = canvas.to_view(QPointF(60, 50)), canvas.to_view(QPointF(140, 100))
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert rows[0] == pytest.approx(corner.y(), abs=2)
    assert rows[-1] == pytest.approx(far.y(), abs=2)
    assert columns[0] == pytest.approx(corner.x(), abs=2)
    assert columns[-1] == pytest.approx(far.x(), abs=2)
    assert not changed[rows[0] + 6 : rows[-1] - 6, columns[0] + 6 : columns[-1] - 6].any()


@pytest.mark.parametrize("style", MaskStyle)
@pytest.mark.parametrize("zoom", [0.37, 1.0, 4.0])
def test_painting_in_pieces_looks_like_painting_at_once(canvas: CanvasView, style: MaskStyle, zoom: float) -> None:
    canvas.document.undo.push(OpenPicture(canvas.document, _gradient(1031, 777)))
    canvas.zoom_to(zoom)
    canvas.set_mask_look(MaskLook(style=style))
    canvas.set_brush(Brush(size=60 / zoom, hardness=0.4))
    canvas.grab()
    press(canvas, QPointF(100, 100))
    for x in range(110, 500, 30):
        move(canvas, QPointF(x, 100 + x / 3))
        QApplication.processEvents()
    release(canvas, QPointF(500, 260))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    worked, tint = _seen(canvas), canvas._scene.mask._tint
    canvas._scene.reset()
    canvas._scene.mask._tint = tint
    away = np.abs(worked.astype(int) - _seen(canvas).astype(int)).max()
    assert away <= (12 if style is MaskStyle.HEAT else 1)  # at its rim a rounding of the halvings is a step of colour


def test_strength_is_told_by_ever_lighter_colours() -> None:
    table = heat_table(1.0)
    assert table[0] == 0
    light = [0.299 * (c >> 16 & 255) + 0.587 * (c >> 8 & 255) + 0.114 * (c & 255) for c in map(int, table[1:])]
    assert (np.diff(light) > -0.5).all()
    assert light[-1] - light[0] > 150


def test_the_hatch_does_not_depend_on_where_a_part_begins() -> None:
    values = np.full((60, 80), 200, np.uint8)
    whole = hatched(values, 5, 7, TINTS[0], 0.5, 1.25)
    assert np.array_equal(hatched(values[11:, 23:], 28, 18, TINTS[0], 0.5, 1.25), whole[11:, 23:])
    assert len(np.unique(whole)) == 2


def test_the_outline_is_light_inside_and_dark_outside() -> None:
    values = np.zeros((20, 20), np.uint8)
    values[5:15, 5:15] = 255
    line = outlined(values, 2)[10]
    assert (line[3:5] == 0xC8000000).all()
    assert (line[5:7] == 0xFFFFFFFF).all()
    assert not line[:3].any()
    assert not line[7:13].any()


@pytest.mark.parametrize("junk", [{}, {"style": ["colour"]}, {"style": "zap", "opacity": "x"}, {"opacity": 7}])
def test_a_damaged_look_is_passed_over(qapp: object, junk: dict[str, Any]) -> None:
    looks = MaskLooks()
    looks.restore(junk)
    assert looks.look == MaskLook()


def test_the_look_is_chosen_in_the_panel_or_by_key_and_remembered(open_studio: Open) -> None:
    studio = open_studio()
    looks = studio.desk.mask_looks
    for style in (*list(MaskStyle)[1:], MaskStyle.COLOUR, MaskStyle.HATCH):
        studio.window.actions_by_id["mask_look"].trigger()
        assert looks.look.style is style
    studio.find("segmentStrength").click()
    studio.find("maskOpacitySpin").setValue(0.8)
    assert looks.look == MaskLook(style=MaskStyle.HEAT, opacity=0.8)
    assert studio.window.canvas._scene.mask.look == looks.look
    studio.window.close()
    assert open_studio().desk.mask_looks.look == MaskLook(style=MaskStyle.HEAT, opacity=0.8)

"""Colour on the canvas: brush, eraser, fill and picker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt

from app.core.params import Intent
from app.core.request import ImageToImage, Inpaint
from app.document.layers import LayerKind
from app.document.strokes import Brush
from tests.fakes import FakeBackend
from tests.ui.canvas.gestures import CTRL, drag, key, mouse, move, pen, press, release
from tests.ui.canvas.test_view import _seen
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture

ALT = Qt.KeyboardModifier.AltModifier
GREEN = (20, 200, 60)


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 320, 240)
    studio.open(tmp_path / "photo.png")
    studio.window.canvas.toolbox.colours.choose(GREEN)
    studio.window.canvas.set_tool("paint")
    studio.window.canvas.set_brush(Brush(size=40, hardness=1.0))
    return studio


def _at(studio: Studio, x: float, y: float) -> QPointF:
    return studio.window.canvas.to_view(QPointF(x, y))


def _stroke(studio: Studio, *points: tuple[float, float]) -> None:
    drag(studio.window.canvas, *(_at(studio, *point) for point in points))


def test_a_stroke_is_a_hint_for_the_model_on_a_layer_of_its_own(opened: Studio, backend: FakeBackend) -> None:
    document, old = opened.document, opened.document.pixels()
    _stroke(opened, (100, 100), (200, 110))
    assert document.undo.undoText() == "Paint"
    assert [layer.kind for layer in document.layers] == [LayerKind.PICTURE, LayerKind.PAINT]
    assert document.pixels()[105, 150].tolist() == list(GREEN)
    assert document.mask_empty
    _stroke(opened, (100, 180), (200, 180))
    assert len(document.layers) == 2
    opened.store.update(intent=Intent.REFINE)
    opened.click("generateButton")
    opened.wait_idle()
    task = backend.requests[0].task
    assert isinstance(task, ImageToImage)
    assert task.image[105, 150].tolist() == list(GREEN)
    for _ in range(3):
        document.undo.undo()
    assert np.array_equal(document.pixels(), old)


def test_a_hint_under_the_mask_is_what_inpainting_starts_from(opened: Studio, backend: FakeBackend) -> None:
    _stroke(opened, (100, 100), (200, 110))
    opened.window.canvas.set_tool("rectangle")
    _stroke(opened, (80, 60), (220, 160))
    opened.click("generateButton")
    opened.wait_idle()
    task = backend.requests[0].task
    assert isinstance(task, Inpaint)
    assert task.image[105, 150].tolist() == list(GREEN)
    assert task.mask[105, 150] == 255


@pytest.mark.parametrize("zoom", [None, 1.0, 3.0, 0.31])
def test_the_stroke_is_seen_as_it_is_painted_and_escape_drops_it(opened: Studio, zoom: float | None) -> None:
    canvas, document = opened.window.canvas, opened.document
    if zoom is not None:
        canvas.zoom_to(zoom)
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    press(canvas, _at(opened, 150, 110))
    move(canvas, _at(opened, 180, 110))
    spot = _at(opened, 165, 110).toPoint()
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    painting = _seen(canvas)
    assert painting[spot.y(), spot.x()].tolist() == list(GREEN)
    assert np.array_equal(document.pixels()[110, 165], _picture(opened)[110, 165])  # a draft is not the document
    assert key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_Escape)
    release(canvas, _at(opened, 180, 110))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    assert np.array_equal(_seen(canvas), before)
    assert len(document.layers) == 1
    press(canvas, _at(opened, 150, 110))
    move(canvas, _at(opened, 180, 110))
    release(canvas, _at(opened, 180, 110))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    apart = np.abs(_seen(canvas).astype(int) - painting).max(axis=2)
    assert apart[spot.y() - 3 : spot.y() + 4, spot.x() - 3 : spot.x() + 4].max() <= 2
    assert (apart > 40).sum() == 0  # its edge is drawn by the tile meanwhile: a shade off where pixels are enlarged


def _picture(studio: Studio) -> np.ndarray:
    from app.document import images

    return images.to_pixels(studio.document.layers[0].image)


def test_zooming_out_in_the_middle_of_a_stroke_keeps_it_in_sight(opened: Studio) -> None:
    canvas = opened.window.canvas
    canvas.zoom_to(2.0)
    press(canvas, _at(opened, 150, 110))
    move(canvas, _at(opened, 170, 110))
    canvas.zoom_to(0.3)
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    spot = _at(opened, 160, 110).toPoint()
    assert _seen(canvas)[spot.y(), spot.x()].tolist() == pytest.approx(list(GREEN), abs=3)


def test_x_swaps_to_the_layer_eraser_and_it_leaves_the_picture(opened: Studio) -> None:
    canvas, document, old = opened.window.canvas, opened.document, opened.document.pixels()
    _stroke(opened, (100, 100), (200, 100))
    key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_X)
    assert canvas.tool == "paint_eraser"
    canvas.set_brush(Brush(size=60, hardness=1.0))
    _stroke(opened, (90, 100), (150, 100))
    assert document.undo.undoText() == "Erase"
    assert np.array_equal(document.pixels()[100, 100:140], old[100, 100:140])
    assert document.pixels()[100, 200].tolist() == list(GREEN)


def test_the_picture_is_not_erased_and_it_is_said(opened: Studio) -> None:
    opened.window.canvas.set_tool("paint_eraser")
    steps = opened.document.undo.count()
    _stroke(opened, (90, 100), (150, 100))
    assert opened.document.undo.count() == steps
    assert "choose a paint or result layer" in opened.find("hintLabel").text()


def test_the_pens_other_end_erases_paint(opened: Studio) -> None:
    canvas, document, old = opened.window.canvas, opened.document, opened.document.pixels()
    _stroke(opened, (100, 100), (200, 100))
    for kind, x in ((QEvent.Type.TabletPress, 100), (QEvent.Type.TabletMove, 200), (QEvent.Type.TabletRelease, 200)):
        pen(canvas, kind, _at(opened, x, 100), 1.0, eraser=True)
    assert np.array_equal(document.pixels()[100, 110:190], old[100, 110:190])


def test_alt_picks_in_the_middle_of_painting(opened: Studio) -> None:
    canvas, steps = opened.window.canvas, opened.document.undo.count()
    expected = tuple(int(part) for part in opened.document.pixels()[60, 40])
    press(canvas, _at(opened, 40.5, 60.5), modifiers=ALT)
    mouse(canvas, QEvent.Type.MouseMove, _at(opened, 40.5, 60.5), modifiers=ALT)
    release(canvas, _at(opened, 40.5, 60.5))
    assert canvas.toolbox.colours.current == expected
    assert canvas.tool == "paint"
    assert opened.document.undo.count() == steps


def test_the_picker_follows_the_pointer(opened: Studio) -> None:
    canvas = opened.window.canvas
    canvas.setFocus()
    opened.key(Qt.Key.Key_I)
    assert canvas.tool == "picker"
    press(canvas, _at(opened, 10.5, 10.5))
    first = canvas.toolbox.colours.current
    move(canvas, _at(opened, 300.5, 200.5))
    assert canvas.toolbox.colours.current == tuple(int(part) for part in opened.document.pixels()[200, 300]) != first
    move(canvas, _at(opened, -30, 200))  # off the picture there is no colour
    release(canvas, _at(opened, -30, 200))
    assert canvas.toolbox.colours.current == tuple(int(part) for part in opened.document.pixels()[200, 300])


def test_fill_takes_what_looks_alike_and_ctrl_takes_it_back(opened: Studio) -> None:
    canvas, document = opened.window.canvas, opened.document
    _stroke(opened, (100, 100), (200, 100))
    canvas.toolbox.colours.choose((250, 240, 10))
    canvas.set_tool("fill")
    press(canvas, _at(opened, 150, 100))
    release(canvas, _at(opened, 150, 100))
    assert document.undo.undoText() == "Fill"
    assert document.pixels()[100, 120:180].tolist() == [[250, 240, 10]] * 60
    assert len(document.layers) == 2
    assert canvas.toolbox.colours.recent[0] == (250, 240, 10)
    press(canvas, _at(opened, 150, 100), modifiers=CTRL)
    release(canvas, _at(opened, 150, 100))
    assert document.undo.undoText() == "Erase area"
    assert np.array_equal(document.pixels()[100, 130:170], _picture(opened)[100, 130:170])


def test_digits_brackets_and_right_drag_are_the_paint_brushs_own(opened: Studio) -> None:
    canvas = opened.window.canvas
    key(canvas, QEvent.Type.KeyPress, Qt.Key.Key_3, "3")
    assert canvas.brush.opacity == pytest.approx(0.3)
    _stroke(opened, (100, 100), (200, 100))
    part = _picture(opened)[100, 150] * 0.7 + np.array(GREEN) * 0.3
    assert opened.document.pixels()[100, 150].tolist() == pytest.approx(list(part), abs=2)
    canvas.set_tool("brush")
    assert canvas.brush.opacity == 1.0


def test_a_result_that_arrives_in_the_middle_of_a_stroke_leaves_it_right(opened: Studio) -> None:
    canvas, document = opened.window.canvas, opened.document
    opened.store.update(intent=Intent.REFINE)
    press(canvas, _at(opened, 100, 100))
    move(canvas, _at(opened, 150, 100))
    opened.window.painting.submit()
    opened.wait_idle()
    assert len(document.layers) == 2
    move(canvas, _at(opened, 200, 100))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    spot = _at(opened, 140, 100).toPoint()
    assert _seen(canvas)[spot.y(), spot.x()].tolist() == list(GREEN)
    release(canvas, _at(opened, 200, 100))
    assert [layer.kind for layer in document.layers] == [LayerKind.PICTURE, LayerKind.RESULT, LayerKind.PAINT]
    assert document.pixels()[100, 150].tolist() == list(GREEN)


def test_recent_colours_are_in_the_swatchs_menu_and_outlive_the_window(opened: Studio, open_studio: Open) -> None:
    colours = opened.window.canvas.toolbox.colours
    _stroke(opened, (100, 100), (200, 100))
    assert colours.recent[0] == GREEN
    colours.choose((1, 2, 3))
    opened.find("paintColourRecent0").click()
    assert colours.current == GREEN
    opened.window.close()
    again = open_studio().window.canvas.toolbox.colours
    assert again.current == GREEN
    assert again.recent == colours.recent


def test_settings_that_are_no_colours_are_passed_over(opened: Studio) -> None:
    colours = opened.window.canvas.toolbox.colours
    recent = colours.recent
    colours.restore({"current": [1, 2], "recent": [[300, 0, 0], "red", None]})
    assert colours.current == GREEN
    assert colours.recent == recent
    colours.restore({"current": [1, 2, 3], "recent": [[4, 5, 6], "red"]})
    assert colours.current == (1, 2, 3)
    assert colours.recent == ((4, 5, 6),)

"""Looking at the picture in every way there is: turned, mirrored, very near, through the navigator, alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.geometry import Rect, Size
from app.core.job import Preview
from app.document.commands import OpenPicture
from app.document.document import Document
from app.document.strokes import Brush
from app.ui.canvas.camera import Camera
from app.ui.canvas.mask_look import MaskLook, MaskStyle
from app.ui.canvas.navigator import thumbnail_size
from app.ui.canvas.view import CanvasView
from tests.ui.canvas.gestures import drag, move, press, release
from tests.ui.canvas.test_view import _at, _gradient, _seen
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture

TURNS = [(0.0, False), (30.0, False), (90.0, False), (200.0, True), (0.0, True)]


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    view = CanvasView(Document(Size(64, 64)))
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    view.document.undo.push(OpenPicture(view.document, _gradient(200, 150)))
    view.set_brush(Brush(size=12, hardness=1.0))
    return view


def _turn(canvas: CanvasView, angle: float, mirrored: bool) -> None:
    canvas.viewport.rotate_by(angle)
    if mirrored:
        canvas.viewport.mirror()


@pytest.mark.parametrize(("angle", "mirrored"), TURNS)
@pytest.mark.parametrize("size", [Size(100, 80), Size(4000, 300)])
def test_fit_shows_all_of_a_turned_picture(angle: float, mirrored: bool, size: Size) -> None:
    camera = Camera(zoom=1, centre=QPointF(), view=QSizeF(801, 603), angle=angle, mirrored=mirrored).fitted(size)
    assert QRectF(0, 0, 801, 603).contains(camera.transform().mapRect(QRectF(0, 0, size.width, size.height)))


@pytest.mark.parametrize(("angle", "mirrored"), TURNS)
def test_the_point_under_the_pointer_stays(angle: float, mirrored: bool) -> None:
    view, anchor = QSizeF(801, 603), QPointF(123, 456)
    camera = Camera(zoom=0.8, centre=QPointF(50, 40), view=view, angle=angle, mirrored=mirrored)
    point = camera.transform().inverted()[0].map(anchor)
    for other in (camera.zoomed(5.0, anchor), camera.rotated(47.0, anchor)):
        away = other.transform().map(point) - anchor
        assert max(abs(away.x()), abs(away.y())) < 4.0  # both roundings to device pixels, the first one enlarged
    moved = camera.panned(QPointF(30, -12)).transform().map(point) - anchor
    assert (moved.x(), moved.y()) == pytest.approx((30, -12), abs=1.1)


def test_mirrored_twice_and_turned_all_round_is_as_before() -> None:
    camera = Camera(zoom=1.7, centre=QPointF(50, 40), view=QSizeF(801, 603), angle=30.0)
    assert camera.flipped().flipped() == camera
    for _ in range(24):
        camera = camera.rotated(15.0, QPointF(400, 300))
    assert camera.angle == 30.0


@pytest.mark.parametrize(("angle", "mirrored"), TURNS)
def test_a_stroke_lands_where_it_is_drawn(canvas: CanvasView, angle: float, mirrored: bool) -> None:
    _turn(canvas, angle, mirrored)
    drag(canvas, _at(canvas, 60, 50), _at(canvas, 120, 90))
    mask = canvas.document.mask_pixels()
    assert mask[50, 60] == mask[70, 90] == mask[90, 120] == 255
    assert mask[90, 60] == mask[50, 120] == 0
    before = canvas.to_picture(QPointF(200, 200))
    canvas.viewport.mirror()
    after = canvas.to_picture(QPointF(640 - 200, 200))  # left and right of the view have changed places
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()), abs=1.1)


@pytest.mark.parametrize("style", [MaskStyle.COLOUR, MaskStyle.HATCH])
@pytest.mark.parametrize(("angle", "mirrored"), TURNS)
def test_painting_in_pieces_looks_like_painting_at_once(
    canvas: CanvasView, angle: float, mirrored: bool, style: MaskStyle
) -> None:
    canvas.document.undo.push(OpenPicture(canvas.document, _gradient(1031, 777)))
    canvas.set_mask_look(MaskLook(style=style))
    canvas.set_brush(Brush(size=80, hardness=0.5))
    _turn(canvas, angle, mirrored)
    canvas.zoom_to(0.6)
    canvas.grab()
    press(canvas, QPointF(150, 150))
    for x in range(160, 450, 30):
        move(canvas, QPointF(x, 100 + x / 3))
        QApplication.processEvents()
    release(canvas, QPointF(450, 250))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    worked, tint = _seen(canvas), canvas._scene.mask._tint
    canvas._scene.reset()
    canvas._scene.mask._tint = tint
    assert np.abs(worked.astype(int) - _seen(canvas).astype(int)).max() <= 1


@pytest.mark.parametrize(("angle", "mirrored"), TURNS)
def test_the_forming_picture_lies_where_it_belongs(canvas: CanvasView, angle: float, mirrored: bool) -> None:
    _turn(canvas, angle, mirrored)
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    before = _seen(canvas)
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 2:] = 255  # opaque blue
    canvas.show_preview(Preview(pixels, Rect(50, 40, 80, 60)), 0.5)
    inside, outside = (_at(canvas, *at).toPoint() for at in ((90, 70), (30, 70)))
    seen = _seen(canvas)
    assert seen[inside.y(), inside.x()].tolist() == [0, 0, 255]
    assert np.array_equal(seen[outside.y(), outside.x()], before[outside.y(), outside.x()])
    canvas.show_preview(None)
    assert np.array_equal(_seen(canvas), before)


def test_a_grid_parts_the_pixels_when_they_are_large(canvas: CanvasView) -> None:
    canvas.document.undo.push(OpenPicture(canvas.document, np.full((150, 200, 3), 90, np.uint8)))
    canvas.leaveEvent(QEvent(QEvent.Type.Leave))
    for zoom, lines in ((6.0, False), (8.0, True), (64.0, True)):
        canvas.zoom_to(zoom)
        at = canvas.to_view(QPointF(100, 75)).toPoint()
        row = _seen(canvas)[at.y() + 3, at.x() - 2 : at.x() + 3]
        assert (row != 90).any() == lines, zoom
        middle = canvas.to_view(QPointF(100.5, 75.5)).toPoint()
        assert (_seen(canvas)[middle.y(), middle.x()] == 90).all()
    canvas.set_pixel_grid(False)
    assert (_seen(canvas)[200:210, 200:400] == 90).all()


@pytest.mark.parametrize("size", [Size(4000, 3000), Size(64, 64), Size(16000, 20), Size(3, 9000)])
def test_the_navigator_keeps_to_its_room(size: Size) -> None:
    small = thumbnail_size(size)
    assert 8 <= min(small.width(), small.height()) <= max(small.width(), small.height()) == 168


@pytest.fixture
def opened(studio: Studio, tmp_path: Path) -> Studio:
    make_picture(tmp_path / "photo.png", 640, 480)
    studio.open(tmp_path / "photo.png")
    return studio


def test_the_navigator_comes_when_a_part_is_out_of_sight_and_moves_the_view(opened: Studio) -> None:
    canvas, navigator = opened.window.canvas, opened.window.navigator
    assert not navigator.isVisible()
    canvas.zoom_to(4.0)
    assert navigator.isVisible()
    assert opened.window.canvas_area.rect().contains(navigator.geometry())
    at = QPoint(navigator.width() // 4, navigator.height() // 2)
    opened.qtbot.mousePress(navigator, Qt.MouseButton.LeftButton, pos=at)
    middle = canvas.to_picture(QPointF(canvas.rect().center()))
    assert (middle.x(), middle.y()) == pytest.approx((160, 240), abs=4)
    opened.qtbot.mouseRelease(navigator, Qt.MouseButton.LeftButton, pos=at)
    assert opened.document.mask_empty
    canvas.fit()
    assert not navigator.isVisible()
    canvas.zoom_to(4.0)
    opened.window.actions_by_id["navigator"].trigger()
    assert not navigator.isVisible()


def test_the_navigator_shows_the_picture_and_what_is_seen_of_it(opened: Studio) -> None:
    from app.document import images

    canvas, navigator = opened.window.canvas, opened.window.navigator
    canvas.zoom_to(4.0)
    canvas.viewport.centre_on(QPointF(320, 240))
    shown = images.to_pixels(navigator.grab().toImage()).astype(int)
    height, width = shown.shape[:2]
    picture = opened.document.pixels().astype(int)
    assert shown[height // 2, width // 2] == pytest.approx(picture[240, 320], abs=12)
    corner = picture[24, 32]
    assert shown[height // 20, width // 20].sum() < 0.7 * corner.sum() + 20  # in shade: out of sight


def test_only_the_canvas_and_back(opened: Studio) -> None:
    window = opened.window
    around = [
        window.menuBar(),
        *(opened.find(name) for name in ("toolOptions", "panelColumn", "toolRail", "statusLine")),
    ]
    window.actions_by_id["full_screen"].trigger()
    assert window.isFullScreen()
    assert not any(widget.isVisible() for widget in around)
    opened.wait(lambda: window.canvas.size() == window.centralWidget().size())
    opened.key(Qt.Key.Key_E)
    assert window.canvas.tool == "eraser"  # keys go on working
    window.actions_by_id["full_screen"].trigger()
    assert not window.isFullScreen()
    assert all(widget.isVisible() for widget in around)


def test_view_switches_are_remembered_and_full_screen_is_not(open_studio: Open) -> None:
    one = open_studio()
    one.window.actions_by_id["pixel_grid"].trigger()
    one.window.actions_by_id["full_screen"].trigger()
    one.window.close()
    two = open_studio()
    assert not two.window.actions_by_id["pixel_grid"].isChecked()
    assert not two.window.canvas._scene.pixel_grid
    assert two.window.actions_by_id["navigator"].isChecked()
    assert not two.window.isFullScreen()
    assert two.find("panelColumn").isVisible()

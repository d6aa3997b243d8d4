"""Where the picture lies in the view: arithmetic in tables."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF, QSizeF

from app.core.geometry import Size
from app.ui.canvas.camera import LEAST_ZOOM, MOST_ZOOM, Camera, step_in, step_out

SCALES = (1.0, 1.25, 1.5, 1.75, 2.0)


def _camera(zoom: float = 1.0, dpr: float = 1.0, x: float = 50.0, y: float = 40.0) -> Camera:
    return Camera(zoom=zoom, centre=QPointF(x, y), view=QSizeF(801, 603), dpr=dpr, corner=QPointF(7, 13) * dpr)


@pytest.mark.parametrize("dpr", SCALES)
def test_a_hundred_percent_is_one_device_pixel_each(dpr: float) -> None:
    box = _camera(1.0, dpr).transform().mapRect(QRectF(0, 0, 100, 100))
    assert box.width() * dpr == pytest.approx(100)


@pytest.mark.parametrize("dpr", SCALES)
@pytest.mark.parametrize("zoom", [0.37, 1.0, 3.0])
def test_the_picture_starts_on_a_whole_device_pixel(dpr: float, zoom: float) -> None:
    camera = _camera(zoom, dpr, x=33.3, y=17.9)
    on_screen = camera.corner + camera.transform().map(QPointF()) * dpr
    assert on_screen.x() == pytest.approx(round(on_screen.x()), abs=1e-6)
    assert on_screen.y() == pytest.approx(round(on_screen.y()), abs=1e-6)


@pytest.mark.parametrize("dpr", SCALES)
@pytest.mark.parametrize("to", [0.05, 0.9, 1.0, 5.0, 64.0])
def test_the_point_under_the_anchor_stays(dpr: float, to: float) -> None:
    camera, anchor = _camera(0.8, dpr), QPointF(123.0, 456.0)
    before = camera.transform().inverted()[0].map(anchor)
    zoomed = camera.zoomed(to, anchor)
    after = zoomed.transform().map(before) - anchor
    assert max(abs(after.x()), abs(after.y())) * dpr <= 0.5 / 0.8 * to + 0.51  # both roundings to device pixels


def test_many_small_zooms_do_not_drift() -> None:
    camera, anchor = _camera(1.0), QPointF(10, 10)
    start = camera.centre
    for factor in (1.1, 1 / 1.1) * 200:
        camera = camera.zoomed(camera.zoom * factor, anchor)
    assert camera.centre.x() == pytest.approx(start.x(), abs=1e-6)
    assert camera.zoom == pytest.approx(1.0)


@pytest.mark.parametrize(("asked", "given"), [(1e-9, LEAST_ZOOM), (1e9, MOST_ZOOM), (2.5, 2.5)])
def test_limits(asked: float, given: float) -> None:
    assert _camera().zoomed(asked, QPointF()).zoom == given


@pytest.mark.parametrize("dpr", SCALES)
@pytest.mark.parametrize("size", [Size(1, 1), Size(256, 256), Size(4000, 300), Size(300, 4000), Size(16384, 16384)])
def test_fit_shows_all_of_it(dpr: float, size: Size) -> None:
    camera = _camera(dpr=dpr).fitted(size)
    box = camera.transform().mapRect(QRectF(0, 0, size.width, size.height))
    assert QRectF(0, 0, 801, 603).contains(box)
    assert camera.zoom < 2.0 or camera.zoom == int(camera.zoom)


def test_the_picture_cannot_be_lost() -> None:
    camera = _camera().panned(QPointF(1e6, -1e6)).kept_near(Size(100, 80))
    assert (camera.centre.x(), camera.centre.y()) == (0.0, 80.0)


def test_steps_lead_from_end_to_end() -> None:
    zoom, steps = LEAST_ZOOM, 0
    while zoom < MOST_ZOOM:
        zoom, steps = step_in(zoom), steps + 1
    for _ in range(steps):
        zoom = step_out(zoom)
    assert zoom == LEAST_ZOOM
    assert steps < 30
    assert step_in(0.9) == step_out(1.2) == 1.0

"""Strokes of colour on layers: where they go, how they look, there and back again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect

from app.core.geometry import Size
from app.document import images
from app.document.areas import Area
from app.document.blend import erased, painted
from app.document.commands import OpenPicture
from app.document.document import Document
from app.document.layer_commands import ChangeLayers, added, changed, paint_layer
from app.document.layers import Layer, LayerKind
from app.document.paint_draft import PaintDraft, Target, filled
from app.document.raster import Raster
from app.document.strokes import Brush
from app.document.surfaces import Colour

SIZE = Size(300, 280)
RED = (220, 30, 40)


def _noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, channels), np.uint8)


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(SIZE)
    document.undo.push(OpenPicture(document, _noise(SIZE.height, SIZE.width)))
    return document


def _draw(target: Target, colour: Colour | None, *points: tuple[float, float], size: float = 30) -> PaintDraft:
    draft = PaintDraft(target, Brush(size=size, hardness=0.5, opacity=0.8), colour)
    for point in points:
        draft.line_to(QPointF(*point), 1.0)
    return draft


def _add(document: Document, layer: Layer) -> None:
    document.undo.push(ChangeLayers(document, added(document, layer), layer.id, "Add"))


def _result(document: Document, image: np.ndarray, x: int, y: int) -> Layer:
    layer = Layer(name="boat", kind=LayerKind.RESULT, image=Raster.of(images.to_qimage(image)), x=x, y=y)
    _add(document, layer)
    return layer


def test_the_first_stroke_makes_a_layer_in_one_step_and_leaves_the_picture(document: Document) -> None:
    picture, before, steps = document.layers[0], document.pixels(), document.undo.count()
    step = _draw(Target.to_paint(document), RED, (50, 50), (200, 60)).step("Paint")
    assert step is not None
    document.undo.push(step)
    assert document.undo.count() == steps + 1
    assert [layer.kind for layer in document.layers] == [LayerKind.PICTURE, LayerKind.PAINT]
    assert document.active is document.layers[1]
    assert np.array_equal(images.to_pixels(picture.image), before)
    assert document.pixels()[52, 100].tolist() == pytest.approx(_mixed(before[52, 100], 0.8), abs=1)
    after = document.pixels()
    document.undo.undo()
    assert document.layers == (picture,)
    assert np.array_equal(document.pixels(), before)
    document.undo.redo()
    assert np.array_equal(document.pixels(), after)


def _mixed(under: np.ndarray, part: float) -> list[float]:
    return list(under * (1 - part) + np.array(RED) * part)


def test_it_looks_meanwhile_as_it_does_in_the_end(document: Document) -> None:
    draft = _draw(Target.to_paint(document), RED, (10, 10), (280, 250))
    seen = images.to_pixels(draft.look(document.box))
    assert not np.array_equal(seen, document.pixels())
    part = QRect(100, 90, 70, 60)
    assert np.array_equal(images.to_pixels(draft.look(part)), seen[90:150, 100:170])
    step = draft.step("Paint")
    assert step is not None
    document.undo.push(step)
    assert np.array_equal(document.pixels(), seen)


def test_it_looks_right_under_other_layers(document: Document) -> None:
    paint = paint_layer(document)
    _add(document, paint)
    _result(document, _noise(100, 120, 4), 40, 30)
    document.undo.push(ChangeLayers(document, changed(document.layers, paint.id, opacity=0.5), paint.id, "Half"))
    target = Target.to_paint(document)
    assert target.layer.id == paint.id
    draft = _draw(target, RED, (20, 60), (200, 70))
    seen = images.to_pixels(draft.look(document.box))
    step = draft.step("Paint")
    assert step is not None
    document.undo.push(step)
    assert np.array_equal(document.pixels(), seen)
    assert document.active is document.layer(paint.id)


def test_strokes_go_to_the_layer_above_a_picture_or_result_that_is_chosen(document: Document) -> None:
    paint = paint_layer(document)
    _add(document, paint)
    picture = document.layers[0]
    document.undo.push(ChangeLayers(document, document.layers, picture.id, "Choose"))
    step = _draw(Target.to_paint(document), RED, (50, 50)).step("Paint")
    assert step is not None
    document.undo.push(step)
    assert len(document.layers) == 2
    assert document.active is document.layer(paint.id)
    document.undo.undo()
    assert document.active is picture


def test_a_result_is_erased_back_to_the_picture_under_it(document: Document) -> None:
    before = document.pixels()
    layer = _result(document, np.full((100, 120, 3), 9, np.uint8), 40, 30)  # opaque all over
    assert layer.image.format() == images.Format.Format_RGB32
    target = Target.to_erase(document)
    assert target is not None
    draft = PaintDraft(target, Brush(size=40, hardness=1.0), None)
    draft.line_to(QPointF(90, 80), 1.0)
    step = draft.step("Erase")
    assert step is not None
    with_it = document.pixels()
    document.undo.push(step)
    assert np.array_equal(document.pixels()[70:90, 80:100], before[70:90, 80:100])
    assert (document.pixels()[35, 45] == 9).all()
    document.undo.undo()
    assert np.array_equal(document.pixels(), with_it)
    document.undo.redo()
    assert np.array_equal(document.pixels()[70:90, 80:100], before[70:90, 80:100])


def test_the_picture_is_not_erased(document: Document) -> None:
    assert Target.to_erase(document) is None
    assert Target.to_erase(Document(SIZE)) is None


def test_on_a_blank_canvas_a_stroke_begins_a_picture(qapp: object) -> None:
    document = Document(SIZE)
    step = _draw(Target.to_paint(document), RED, (50, 50)).step("Paint")
    assert step is not None
    document.undo.push(step)
    assert document.has_picture
    assert (document.pixels()[200, 200] == 255).all()
    document.undo.undo()
    assert not document.has_picture


def test_a_stroke_beside_the_layer_changes_nothing(document: Document) -> None:
    layer = replace(paint_layer(document), image=Raster.blank(50, 50), x=10, y=10)
    _add(document, layer)
    draft = _draw(Target.to_paint(document), RED, (200, 200))
    assert draft.step("Paint") is None


def test_an_area_is_filled_on_a_layer_that_lies_elsewhere(document: Document) -> None:
    layer = replace(paint_layer(document), image=Raster.blank(100, 90), x=20, y=30)
    _add(document, layer)
    before = document.pixels()
    cover = np.zeros((60, 60), np.uint8)
    cover[10:50, 10:50] = 255
    target = Target.to_paint(document)
    edits = filled(target, Area(QRect(0, 10, 60, 60), cover), RED, 0.5)
    document.undo.push(target.step(edits, "Fill"))
    inside = document.pixels()[35, 25].tolist()
    assert inside == pytest.approx(_mixed(before[35, 25], 0.5), abs=2)
    untouched = np.ones(before.shape[:2], np.bool_)
    untouched[30:60, 20:50] = False
    assert np.array_equal(document.pixels()[untouched], before[untouched])


# The two formulas


def test_colour_over_colour() -> None:
    pixels = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [10, 20, 30, 100], [1, 2, 3, 77]]], np.uint8)
    result = painted(pixels, np.array([[128, 128, 255, 0]], np.uint8), (200, 100, 0))
    assert result[0, 0].tolist() == [200, 100, 0, 128]  # nothing of the colour of what cannot be seen
    assert result[0, 1, :3].tolist() == pytest.approx([105, 60, 15], abs=1)
    assert result[0, 1, 3] == 255
    assert result[0, 2].tolist() == [200, 100, 0, 255]
    assert result[0, 3].tolist() == [1, 2, 3, 77]


def test_erasing_keeps_colours_and_takes_alpha() -> None:
    pixels = np.array([[[10, 20, 30, 200], [10, 20, 30, 200]]], np.uint8)
    result = erased(pixels, np.array([[255, 128]], np.uint8))
    assert result[0, 0].tolist() == [10, 20, 30, 0]
    assert result[0, 1].tolist() == [10, 20, 30, 100]

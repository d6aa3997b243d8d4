"""Layers: how a stack looks, every edit of it there and back by the pixel, results that leave what is under them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect

from app.core.geometry import Rect, Size
from app.core.request import Inpaint, Request
from app.document import images
from app.document.commands import InsertResult, OpenPicture
from app.document.document import Document
from app.document.layer_commands import (
    ChangeLayers,
    PaintLayer,
    added,
    changed,
    duplicated,
    merged_down,
    moved,
    paint_layer,
    renamed,
    result_layer,
    without,
)
from app.document.layers import Layer, LayerKind, composed, is_flat, laid_over, seen_through
from app.document.raster import Raster
from app.document.tiles import TileEdit
from tests.fakes import result_of

SIZE = Size(300, 280)  # of four tiles
WHOLE = QRect(0, 0, SIZE.width, SIZE.height)


def _noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def _layer(width: int = 90, height: int = 70, seed: int = 2, **values: object) -> Layer:
    image = Raster.of(images.to_qimage(_noise(height, width, 4, seed=seed)))
    return Layer(**{"name": "a", "kind": LayerKind.PAINT, "image": image} | values)


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(Size(40, 30))
    document.undo.push(OpenPicture(document, _noise(SIZE.height, SIZE.width, 3)))
    return document


@pytest.fixture
def stacked(document: Document) -> Document:
    """A picture, a layer that leaves it at two sides, and one that is half there."""
    for layer in (_layer(x=-20, y=240), _layer(x=200, y=100, seed=3, opacity=0.5, name="b")):
        document.undo.push(ChangeLayers(document, added(document, layer), layer.id, "Add layer"))
    return document


def _seen(document: Document) -> np.ndarray:
    """The look of the layers by the definition, drawn anew and in floating point."""
    pixels = np.full((SIZE.height, SIZE.width, 3), 255.0)
    for layer in document.layers:
        if layer.visible:
            place = layer.box.intersected(WHOLE)
            part = images.layer_part(layer.image, place.translated(-layer.x, -layer.y)).astype(float)
            alpha = np.rint(part[..., 3:] * layer.opacity) / 255
            where = np.s_[place.top() : place.bottom() + 1, place.left() : place.right() + 1]
            pixels[where] = np.floor(pixels[where] * (1 - alpha) + part[..., :3] * alpha + 0.5)
    return pixels.astype(np.uint8)


def _everything(document: Document) -> tuple[object, ...]:
    facts = [(la.id, la.name, la.kind, la.x, la.y, la.opacity, la.visible) for la in document.layers]
    pixels = [images.layer_part(la.image, la.image.rect()).tobytes() for la in document.layers]
    return facts, pixels, document.pixels().tobytes(), document.active.id if document.active else None


def test_one_opaque_layer_is_the_picture_itself(document: Document) -> None:
    assert is_flat(document.layers, document.size)
    assert document.layers[0].image is document.picture


def test_the_picture_is_what_the_stack_looks_like(stacked: Document) -> None:
    np.testing.assert_array_equal(stacked.pixels(), _seen(stacked))
    assert len(stacked.layers) == 3


def _change(document: Document, stack: tuple[Layer, ...], active: int | None) -> ChangeLayers:
    return ChangeLayers(document, stack, active, "Edit")


def _top(document: Document) -> Layer:
    return document.layers[-1]


def _paint(document: Document) -> PaintLayer:
    layer = _top(document)
    box = QRect(5, 6, 40, 30)
    before = images.layer_part(layer.image, box)
    return PaintLayer(document, layer, [TileEdit(box, before, _noise(30, 40, 4, seed=9))])


EDITS: dict[str, Callable[[Document], object]] = {
    "add": lambda d: _change(d, added(d, layer := paint_layer(d)), layer.id),
    "remove": lambda d: _change(d, *without(d, _top(d).id)),
    "remove the lowest": lambda d: _change(d, *without(d, d.layers[0].id)),
    "reorder": lambda d: _change(d, moved(d.layers, _top(d).id, 0), _top(d).id),
    "rename": lambda d: _change(d, renamed(d.layers, _top(d).id, "  Sky \n 2 "), _top(d).id),
    "opacity": lambda d: _change(d, changed(d.layers, _top(d).id, opacity=0.25), _top(d).id),
    "hide": lambda d: _change(d, changed(d.layers, _top(d).id, visible=False), _top(d).id),
    "hide the lowest": lambda d: _change(d, changed(d.layers, d.layers[0].id, visible=False), _top(d).id),
    "shift": lambda d: _change(d, changed(d.layers, _top(d).id, x=-30, y=265), _top(d).id),
    "duplicate": lambda d: _change(d, added(d, layer := duplicated(d, _top(d))), layer.id),
    "merge": lambda d: _change(d, *merged_down(d, _top(d).id)),
    "paint": _paint,
    "inpaint": lambda d: InsertResult(d, _result(d)),
}


def _result(document: Document, blend: np.ndarray | None = None):
    mask = np.zeros((SIZE.height, SIZE.width), np.uint8)
    mask[50:90, 60:160] = 255
    request = Request(prompt="a calm lake", model="m", size=SIZE, task=Inpaint(image=document.pixels(), mask=mask))
    image, box = document.pixels().copy(), Rect(60, 50, 100, 40)
    blend = np.full((40, 100), 255, np.uint8) if blend is None else blend
    image[box.slices] = laid_over(image[box.slices], _noise(40, 100, 3, seed=7), blend)
    return replace(result_of(request, image=image, box=box), blend=blend)


@pytest.mark.parametrize("name", EDITS)
def test_undo_and_redo_are_exact(stacked: Document, name: str) -> None:
    before = _everything(stacked)
    stacked.undo.push(EDITS[name](stacked))
    after = _everything(stacked)
    assert after != before
    np.testing.assert_array_equal(stacked.pixels(), _seen(stacked))
    stacked.undo.push(_paint(stacked))  # writing on must not reach what the command keeps
    stacked.undo.undo()
    assert _everything(stacked) == after
    stacked.undo.undo()
    assert _everything(stacked) == before
    stacked.undo.redo()
    assert _everything(stacked) == after


def test_all_the_way_back_and_forth(stacked: Document) -> None:
    for edit in EDITS.values():
        stacked.undo.push(edit(stacked))
    end = _everything(stacked)
    stacked.undo.setIndex(0)
    assert not stacked.has_picture
    assert stacked.layers == ()
    stacked.undo.setIndex(stacked.undo.count())
    assert _everything(stacked) == end
    np.testing.assert_array_equal(stacked.pixels(), _seen(stacked))


def test_a_change_tells_where_it_is_seen(stacked: Document) -> None:
    said: list[QRect] = []
    stacked.picture_changed.connect(lambda region: said.append(region.boundingRect()))
    top = _top(stacked)
    stacked.undo.push(_change(stacked, renamed(stacked.layers, top.id, "c"), top.id))
    assert said == []
    stacked.undo.push(_change(stacked, changed(stacked.layers, top.id, x=210), top.id))
    assert said == [QRect(200, 100, 100, 70)]


def test_merging_looks_the_same(stacked: Document) -> None:
    opaque = stacked.pixels()
    stacked.undo.push(_change(stacked, *merged_down(stacked, stacked.layers[1].id)))  # onto the opaque picture
    assert stacked.layers[0].opaque
    np.testing.assert_allclose(stacked.pixels().astype(int), opaque.astype(int), atol=1)
    stacked.undo.undo()
    stacked.undo.push(_change(stacked, *merged_down(stacked, _top(stacked).id)))  # one with holes onto another
    assert len(stacked.layers) == 2
    np.testing.assert_allclose(stacked.pixels().astype(int), opaque.astype(int), atol=2)


def test_the_lowest_has_nothing_to_merge_into(stacked: Document) -> None:
    with pytest.raises(ValueError, match="nothing below"):
        merged_down(stacked, stacked.layers[0].id)


# Results


@pytest.mark.parametrize("seed", range(4))
def test_an_accepted_result_looks_as_it_was_shown_and_leaves_what_is_under_it(document: Document, seed: int) -> None:
    source = document.pixels()
    result = _result(document, blend=_noise(40, 100, seed=seed))
    document.undo.push(InsertResult(document, result))
    np.testing.assert_array_equal(document.pixels(), result.image)
    layer = _top(document)
    assert (layer.kind, layer.name) == (LayerKind.RESULT, "a calm lake")
    assert layer.box == QRect(60, 50, 100, 40)
    np.testing.assert_array_equal(images.layer_part(layer.image, layer.image.rect())[..., 3], result.blend)
    document.undo.push(_change(document, changed(document.layers, layer.id, visible=False), layer.id))
    np.testing.assert_array_equal(document.pixels(), source)


def test_a_part_of_a_result_is_erased_back_to_what_was_there(document: Document) -> None:
    source = document.pixels()
    document.undo.push(InsertResult(document, _result(document)))
    layer = _top(document)
    box = QRect(0, 0, 30, 40)
    before = images.layer_part(layer.image, box)
    edit = TileEdit(box, before, before * np.array([1, 1, 1, 0], np.uint8))
    document.undo.push(PaintLayer(document, layer, [edit], "Erase"))
    np.testing.assert_array_equal(document.pixels()[50:90, 60:90], source[50:90, 60:90])
    assert not np.array_equal(document.pixels()[50:90, 90:160], source[50:90, 90:160])


def test_a_result_without_a_blend_is_wholly_there(document: Document) -> None:
    layer = result_layer(document, replace(_result(document), blend=None))
    assert layer.opaque


@pytest.mark.parametrize("alpha", [0, 1, 2, 3, 17, 128, 254, 255])
def test_seeing_through_is_the_inverse_of_laying_over(alpha: int) -> None:
    under, colours = _noise(64, 64, 3, seed=1), _noise(64, 64, 3, seed=2)
    weights = np.full((64, 64), alpha, np.uint8)
    result = laid_over(under, colours, weights)
    np.testing.assert_array_equal(laid_over(under, seen_through(result, under, weights), weights), result)


def test_a_stack_alone_keeps_its_transparency(stacked: Document) -> None:
    pixels = composed(stacked.layers[1:], WHOLE)
    assert (pixels[0, 0] == 0).all()
    assert pixels[110, 210, 3] == np.rint(np.rint(_noise(70, 90, 4, seed=3)[10, 10, 3] * 0.5))


def test_what_undo_keeps_is_counted_once_and_only_while_it_is_away(stacked: Document) -> None:
    step = _change(stacked, *without(stacked, _top(stacked).id))
    assert step.stored_bytes == 0
    stacked.undo.push(step)
    assert step.stored_bytes == 90 * 70 * 4
    stacked.undo.undo()
    assert step.stored_bytes == 0

"""Growing and cropping the canvas, compared by the pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from app.core.errors import RequestError
from app.core.geometry import Rect, Size
from app.core.job import Result
from app.core.params import Intent, Params
from app.core.request import ImageToImage, Inpaint, Request
from app.document import images
from app.document.commands import InsertResult, OpenPicture, PaintMask, SetFrame
from app.document.document import Document
from app.document.extent import ChangeExtent
from app.document.layer_commands import ChangeLayers, added, paint_layer
from app.document.mask_commands import add_mask
from app.document.masks import image_of
from app.document.paint_draft import PaintDraft, Target
from app.document.snapshot import snapshot
from app.document.strokes import Brush, Stroke
from tests.fakes import result_of

SIZE = Size(300, 200)


def _noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def _paint(document: Document, *points: tuple[float, float]) -> None:
    stroke = Stroke(Brush(size=40, hardness=0.4), document.mask)
    for point in points:
        stroke.line_to(QPointF(*point))
    document.undo.push(PaintMask(document, stroke.finished()))


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(Size(40, 30))
    document.undo.push(OpenPicture(document, _noise(SIZE.height, SIZE.width)))
    _paint(document, (20, 20), (150, 90))
    document.undo.push(SetFrame(document, Rect(64, 32, 128, 96)))
    return document


def _all(document: Document) -> tuple[object, ...]:
    return (
        document.pixels().tobytes(),
        document.mask_pixels().tobytes(),
        document.size,
        document.frame,
        document.mask_empty,
        document.origin,
        [(layer.id, layer.box, layer.name) for layer in document.layers],
    )


AREAS = {
    "right": Rect(0, 0, 428, 200),
    "left and above": Rect(-64, -24, 364, 224),
    "all around": Rect(-300, -8, 900, 216),
    "inside": Rect(96, 40, 120, 100),
    "up and cut below": Rect(-16, -32, 300, 150),
}


@pytest.mark.parametrize("name", AREAS)
def test_there_and_back_again(document: Document, name: str) -> None:
    before = _all(document)
    document.undo.push(ChangeExtent(document, AREAS[name], "Change"))
    after = _all(document)
    assert document.size == AREAS[name].size
    _paint(document, (5, 5), (90, 60))  # writing on must not reach what the step keeps
    document.undo.undo()
    document.undo.undo()
    assert _all(document) == before
    document.undo.redo()
    assert _all(document) == after


@pytest.mark.parametrize("name", AREAS)
def test_what_stays_keeps_every_bit_and_what_is_new_is_marked(document: Document, name: str) -> None:
    area, pixels, mask = AREAS[name], document.pixels(), document.mask_pixels()
    document.undo.push(ChangeExtent(document, area, "Change"))
    old = np.zeros((area.height, area.width), np.bool_)
    kept = Rect(0, 0, 300, 200)
    top, left = max(0, -area.y), max(0, -area.x)
    y, x = max(0, area.y), max(0, area.x)
    height, width = min(kept.height, area.bottom) - y, min(kept.width, area.right) - x
    there = np.s_[top : top + height, left : left + width]
    old[there] = True
    assert np.array_equal(document.pixels()[there], pixels[y : y + height, x : x + width])
    assert np.array_equal(document.mask_pixels()[there], mask[y : y + height, x : x + width])
    assert (document.mask_pixels()[~old] == 255).all()
    assert (document.pixels()[~old] == 255).all()


def test_the_frame_moves_along_while_it_fits(document: Document) -> None:
    document.undo.push(ChangeExtent(document, Rect(-40, 16, 340, 184), "Change"))
    assert document.frame == Rect(104, 16, 128, 96)
    document.undo.push(ChangeExtent(document, Rect(200, 0, 100, 100), "Change"))
    assert document.frame is None
    document.undo.push(ChangeExtent(document, Rect(0, 0, 400, 300), "Change", frame=Rect(8, 8, 200, 200)))
    assert document.frame == Rect(8, 8, 200, 200)
    document.undo.undo()
    document.undo.undo()
    assert document.frame == Rect(104, 16, 128, 96)


def test_growing_brings_back_what_was_cropped_and_marks_only_what_is_empty(document: Document) -> None:
    pixels, mask = document.pixels(), document.mask_pixels()
    document.undo.push(ChangeExtent(document, Rect(100, 50, 100, 100), "Crop"))
    document.undo.push(ChangeExtent(document, Rect(-100, -50, 350, 200), "Grow"))
    assert np.array_equal(document.pixels()[:, :300], pixels)
    assert (document.mask_pixels()[:, 300:] == 255).all()
    beside = np.ones((200, 300), np.bool_)
    beside[50:150, 100:200] = False
    assert not document.mask_pixels()[:, :300][beside].any()  # there is a picture again: nothing to fill
    assert np.array_equal(document.mask_pixels()[50:150, 100:200], mask[50:150, 100:200])


def test_without_marking_the_new_part_stays_free(document: Document) -> None:
    document.undo.push(ChangeExtent(document, Rect(0, 0, 400, 200), "Resize", mark=False))
    assert not document.mask_pixels()[:, 300:].any()


def test_a_layer_to_paint_on_covers_the_new_part(document: Document) -> None:
    layer = paint_layer(document)
    document.undo.push(ChangeLayers(document, added(document, layer), layer.id, "Add"))
    pixels = np.full((10, 10, 4), (9, 8, 7, 255), np.uint8)
    document.write_layer(layer.id, [(document.box.intersected(document.box).adjusted(0, 0, -290, -190), pixels)])
    document.undo.push(ChangeExtent(document, Rect(-50, 0, 400, 200), "Grow"))
    grown = document.layer(layer.id)
    assert grown is not None
    assert grown.box == document.box
    assert document.pixels()[5, 55].tolist() == [9, 8, 7]
    document.undo.undo()
    assert document.layer(layer.id) is layer


def test_masks_that_wait_move_along(document: Document) -> None:
    waiting = document.mask_pixels()
    document.undo.push(add_mask(document))
    assert document.mask_empty
    document.undo.push(ChangeExtent(document, Rect(-37, 11, 400, 180), "Change"))
    [kept, _] = document.masks.items
    moved = images.to_mask(image_of(kept.content, document.size))
    assert np.array_equal(moved[:, 37:337], waiting[11:191])
    assert not moved[:, 337:].any()
    document.undo.undo()
    assert np.array_equal(images.to_mask(image_of(document.masks.items[0].content, document.size)), waiting)


def test_a_step_keeps_little(document: Document) -> None:
    document.undo.push(ChangeExtent(document, Rect(-256, 0, 812, 200), "Grow"))
    while not document.packer.idle:
        document.packer.timerEvent(None)  # type: ignore[arg-type]
    step = document.undo._steps[-1]
    assert isinstance(step, ChangeExtent)
    assert step.stored_bytes < 5_000  # of 487 kB that the new picture has


def test_nothing_is_done_for_an_area_that_cannot_be(document: Document) -> None:
    before = _all(document)
    with pytest.raises(RequestError, match="Nothing of the picture"):
        ChangeExtent(document, Rect(300, 0, 10, 10), "Crop")
    assert _all(document) == before


def _params() -> Params:
    return Params(model="m", intent=Intent.INPAINT)


def test_the_model_is_given_the_colours_around_where_there_is_nothing(document: Document) -> None:
    split = np.zeros((200, 300, 3), np.uint8)
    split[:100], split[100:] = (200, 40, 40), (20, 60, 180)
    document.undo.push(OpenPicture(document, split))
    document.undo.push(ChangeExtent(document, Rect(0, 0, 428, 200), "Grow"))
    request = snapshot(document, _params())
    assert isinstance(request.task, Inpaint)
    image = request.task.image.astype(int)
    assert np.array_equal(image[:, :300], split)
    assert abs(image[20, 300:320] - (200, 40, 40)).max() < 25
    assert abs(image[180, 300:320] - (20, 60, 180)).max() < 25
    assert image[:, 300:].min() >= 20  # and nothing of the white or the black of an empty canvas
    assert image[:, 300:].max() <= 200
    assert abs(np.diff(image[20, 290:310], axis=0)).max() < 12  # no line where it goes on


def test_a_result_in_the_new_part_looks_as_it_was_made(document: Document) -> None:
    old = document.pixels()
    document.undo.push(OpenPicture(document, old))
    document.undo.push(ChangeExtent(document, Rect(-96, 0, 396, 200), "Grow"))
    request = snapshot(document, _params())
    result = _mixed(request)
    document.undo.push(InsertResult(document, result))
    assert np.array_equal(document.pixels()[:, 96:], old)
    assert np.array_equal(document.pixels()[:, :96], result.image[:, :96])
    document.undo.undo()
    assert (document.pixels()[:, :96] == 255).all()


def _soft_colour(document: Document) -> None:
    """A stroke that fades away over nothing, beyond the left edge."""
    document.undo.push(OpenPicture(document, np.full((200, 300, 3), (20, 60, 180), np.uint8)))
    document.undo.push(ChangeExtent(document, Rect(-96, 0, 396, 200), "Grow"))
    draft = PaintDraft(Target.to_paint(document), Brush(size=90, hardness=0.0), (20, 60, 180))
    draft.line_to(QPointF(48, 100), 1.0)
    step = draft.step("Paint")
    assert step is not None
    document.undo.push(step)


def test_no_white_shines_through_soft_colour_beyond_the_edge(document: Document) -> None:
    _soft_colour(document)
    assert (document.pixels()[80:120, 10:86] > (20, 60, 180)).any()  # on white it does
    for intent in (Intent.INPAINT, Intent.REFINE):
        task = snapshot(document, replace(_params(), intent=intent)).task
        assert isinstance(task, Inpaint | ImageToImage)
        assert abs(task.image.astype(int) - (20, 60, 180)).max() <= 1


def test_a_result_over_soft_colour_looks_as_it_was_made(document: Document) -> None:
    _soft_colour(document)
    before = document.pixels()
    result = _mixed(snapshot(document, _params()))
    document.undo.push(InsertResult(document, result))
    assert np.array_equal(document.pixels()[:, :96], result.image[:, :96])
    assert np.array_equal(document.pixels()[:, 96:], before[:, 96:])


def _mixed(request: Request) -> Result:
    """As the engine gives it: mixed in over a ring within the mask."""
    assert isinstance(request.task, Inpaint)
    source, mask = request.task.image, request.task.mask
    blend = np.zeros(mask.shape, np.uint8)
    blend[:, :96] = np.clip(np.arange(96)[::-1] * 16, 0, 255)
    blend[mask == 0] = 0
    weight = blend[..., None] / 255
    image = np.rint(source * (1 - weight) + np.array((10, 200, 30)) * weight).astype(np.uint8)
    plain = result_of(request, image)
    box = plain.box
    return result_of(request, image, blend=blend[box.slices])

"""The Raster: pixels as written, copies that stay as they were, and memory for no more than what was touched."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage, QRegion

from app.core.geometry import Size
from app.document import images
from app.document.commands import OpenPicture
from app.document.document import Document
from app.document.layer_commands import ChangeLayers, added, changed, paint_layer
from app.document.layers import Layer, LayerKind
from app.document.paint_draft import PaintDraft, Target
from app.document.raster import Format, Raster, bytes_of
from app.document.strokes import Brush
from app.document.tiles import rects

WIDTH, HEIGHT = 700, 530  # six tiles, those at the edge cut off
FORMATS = (Format.Format_RGB32, Format.Format_ARGB32, Format.Format_ARGB32_Premultiplied)


def _noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 256, (height, width, 4), np.uint8)


def _image(pixels: np.ndarray, format: QImage.Format) -> QImage:
    return images.native(pixels, format)


def _seen(raster: Raster) -> np.ndarray:
    return raster.pixels(raster.rect())


@pytest.mark.parametrize(
    ("format", "blank"), [*((format, False) for format in FORMATS), *((format, True) for format in FORMATS[1:])]
)
def test_it_holds_what_was_written(format: QImage.Format, blank: bool) -> None:
    expected = np.zeros((HEIGHT, WIDTH, 4), np.uint8) if blank else _noise(HEIGHT, WIDTH)
    raster = Raster.blank(WIDTH, HEIGHT, format) if blank else Raster.of(_image(expected, format))
    random = np.random.default_rng(2)
    for step in range(25):
        x, y = int(random.integers(0, WIDTH - 1)), int(random.integers(0, HEIGHT - 1))
        box = QRect(x, y, int(random.integers(1, WIDTH - x)), int(random.integers(1, HEIGHT - y)))
        part = _noise(box.height(), box.width(), step)
        key = raster.cacheKey()
        raster.write(box, _image(part, format))
        assert raster.cacheKey() != key
        expected[y : y + box.height(), x : x + box.width()] = part
    assert np.array_equal(_seen(raster), expected)
    box = QRect(200, 100, 333, 300)
    assert np.array_equal(raster.pixels(box), expected[100:400, 200:533])
    assert raster.copy(box) == _image(np.ascontiguousarray(expected[100:400, 200:533]), format)
    numbers = expected.view(np.uint32)[..., 0]
    for step in (1, 7, 64, 300):
        assert np.array_equal(raster.sampled(step), numbers[::step, ::step])


def test_what_is_shared_stays_as_it_was() -> None:
    raster = Raster.of(_image(_noise(HEIGHT, WIDTH), Format.Format_ARGB32))
    raster.write(QRect(10, 10, 5, 5), _image(_noise(5, 5, 3), Format.Format_ARGB32))
    before, twin = _seen(raster), raster.share()
    assert twin.cacheKey() == raster.cacheKey()
    raster.write(QRect(12, 12, 300, 9), _image(_noise(9, 300, 4), Format.Format_ARGB32))
    after = _seen(raster)
    assert np.array_equal(_seen(twin), before)
    twin.write(QRect(0, 0, 20, 20), _image(_noise(20, 20, 5), Format.Format_ARGB32))
    assert np.array_equal(_seen(raster), after)
    third = raster.share()  # and once more, when some tiles are its own again
    raster.write(QRect(12, 12, 1, 1), _image(_noise(1, 1, 6), Format.Format_ARGB32))
    assert np.array_equal(_seen(third), after)


def test_a_tile_that_is_taken_costs_nothing_and_belongs_to_nobody() -> None:
    lower = Raster.of(_image(_noise(HEIGHT, WIDTH), Format.Format_RGB32))
    upper, tile = lower.share(), QRect(256, 0, 256, 256)
    upper.write(tile, _image(_noise(256, 256, 2), Format.Format_RGB32))
    upper.take(tile, lower)
    assert np.array_equal(_seen(upper), _seen(lower))
    assert dict(upper.held()) == dict(lower.held())
    lower.write(QRect(300, 9, 9, 9), _image(_noise(9, 9, 3), Format.Format_RGB32))
    upper.take(tile, lower)
    assert bytes_of([upper, lower]) == bytes_of([lower])
    before = _seen(upper)
    lower.write(QRect(300, 9, 9, 9), _image(_noise(9, 9, 4), Format.Format_RGB32))
    assert np.array_equal(_seen(upper), before)
    upper.write(QRect(301, 9, 1, 1), _image(_noise(1, 1, 5), Format.Format_RGB32))
    assert not np.array_equal(_seen(upper)[9, 301], _seen(lower)[9, 301])


def test_nothing_takes_no_memory_and_erasing_gives_it_back() -> None:
    raster = Raster.blank(16384, 16384)
    assert bytes_of([raster]) == 0
    assert raster.filled.isEmpty()
    box = QRect(9000, 9000, 3, 3)
    raster.write(box, _image(_noise(3, 3), Format.Format_ARGB32))
    assert bytes_of([raster]) == 256 * 256 * 4
    assert raster.filled.contains(box)
    assert not raster.blank_in(box)
    assert raster.blank_in(QRect(0, 0, 256, 256))
    raster.write(box, _image(np.zeros((3, 3, 4), np.uint8), Format.Format_ARGB32))
    assert bytes_of([raster]) == 0


def test_another_extent_and_an_alpha_of_its_own() -> None:
    pixels = _noise(HEIGHT, WIDTH)
    raster = Raster.of(_image(pixels, Format.Format_ARGB32))
    raster.write(QRect(0, 0, 9, 9), _image(pixels[:9, :9], Format.Format_ARGB32))
    grown = raster.resized(QRect(-30, 20, 800, 400))
    expected = np.zeros((400, 800, 4), np.uint8)
    expected[:, 30 : 30 + WIDTH] = pixels[20:420]
    assert np.array_equal(_seen(grown), expected)
    opaque = Raster.of(images.to_qimage(pixels[..., :3]))
    opaque.write(QRect(5, 5, 2, 2), images.to_qimage(pixels[:2, :2, :3]))
    seen = images.to_pixels(opaque)
    through = opaque.with_alpha()
    assert not through.opaque
    assert np.array_equal(images.layer_part(through, through.rect())[..., :3], seen)
    images.write_layer(through, QRect(0, 0, 700, 1), np.zeros((1, 700, 4), np.uint8))
    assert np.array_equal(images.to_pixels(opaque), seen)
    assert not images.layer_part(through, through.rect())[0, :, 3].any()


def test_its_thumbnail_shows_what_was_written() -> None:
    raster = Raster.of(images.to_qimage(np.full((HEIGHT, WIDTH, 3), 40, np.uint8)))
    raster.write(QRect(256, 256, 256, 256), images.to_qimage(np.full((256, 256, 3), 200, np.uint8)))
    small = images.to_pixels(raster.small(70))
    assert small.shape == (53, 70, 3)
    assert small[38, 38].tolist() == [200] * 3
    assert small[5, 5].tolist() == [40] * 3


# In the document


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(Size(64, 64))
    document.undo.push(OpenPicture(document, _noise(1500, 1500)[..., :3]))
    return document


def _stroke(document: Document) -> None:
    draft = PaintDraft(Target.to_paint(document), Brush(size=30), (220, 30, 40))
    draft.line_to(document.box.center().toPointF(), 1.0)
    step = draft.step("Paint")
    assert step is not None
    document.undo.push(step)


def test_the_first_stroke_of_colour_takes_what_it_touches_and_nothing_more(document: Document) -> None:
    """Pain: a blank layer and a second look of the picture, both as large as the picture."""
    whole = bytes_of([document.picture])
    said: list[QRect] = []
    document.picture_changed.connect(lambda region: said.append(region.boundingRect()))
    for act in (lambda: _stroke(document), document.undo.undo, document.undo.redo):
        act()
        together = bytes_of([document.picture, *(layer.image for layer in document.layers)])
        assert together <= whole + 2 * 4 * 256 * 256 * 4
        assert all(box.width() <= 512 and box.height() <= 512 for box in said)
    assert said


def test_no_more_than_the_tiles_of_a_stroke_is_told_to_be_drawn_again(document: Document) -> None:
    draft = PaintDraft(Target.to_paint(document), Brush(size=8), (220, 30, 40))
    for at in (20.0, 1480.0):
        draft.line_to(QPointF(at, at), 1.0)
    step = draft.step("Paint")
    assert step is not None
    said: list[QRegion] = []
    document.picture_changed.connect(lambda region: said.append(QRegion(region)))
    document.undo.push(step)
    document.undo.undo()
    for region in said:
        tiles = sum(part.width() * part.height() for part in rects(region)) / 256**2
        assert tiles <= 16  # of the 36 that there are: the diagonal and what it brushes
    assert said


def test_a_layer_with_nothing_on_it_changes_nothing_to_be_drawn_again(document: Document) -> None:
    said: list[QRect] = []
    document.picture_changed.connect(lambda region: said.append(region.boundingRect()))
    layer = paint_layer(document)
    document.undo.push(ChangeLayers(document, added(document, layer), layer.id, "Add"))
    document.undo.undo()
    assert said == []


def test_one_sees_through_where_no_layer_lies(document: Document) -> None:
    """Nothing is transparent, and white only where somebody needs pixels without an alpha."""
    picture = document.layers[0]
    soft = np.zeros((300, 300, 4), np.uint8)
    soft[..., 0], soft[..., 3] = 200, 100
    layer = Layer(name="soft", kind=LayerKind.PAINT, image=Raster.of(images.to_qimage(soft)), x=1300, y=100)
    document.undo.push(ChangeLayers(document, added(document, layer), layer.id, "Add"))
    opaque = document.pixels()
    assert document.picture.opaque
    stack = changed(document.layers, picture.id, x=-100)
    document.undo.push(ChangeLayers(document, stack, picture.id, "Move"))
    look = images.native_part(document.picture, document.box)[..., images.ALPHA]
    assert not document.picture.opaque
    assert (look[:, :1400] == 255).all()
    assert (look[100:400, 1400:] == 100).all()
    assert not look[401:, 1400:].any()
    pixels = document.pixels()
    assert (pixels[401:, 1400:] == 255).all()
    assert pixels[200, 1450].tolist() == [round((200 * 100 + 255 * 155) / 255), 155, 155]
    assert np.array_equal(pixels[:, :1200], opaque[:, 100:1300])
    document.undo.undo()
    assert document.picture.opaque
    assert np.array_equal(document.pixels(), opaque)

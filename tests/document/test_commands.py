"""Each command there and back again, compared by the pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QImage, QRegion, QUndoCommand
from pytestqt.qtbot import QtBot

from app.core.geometry import Rect, Size
from app.core.request import ImageToImage, Inpaint, Request, TextToImage
from app.document.commands import ClearMask, InsertResult, InvertMask, OpenPicture, PaintMask
from app.document.document import Document
from app.document.strokes import Brush, Stroke
from tests.fakes import result_of

SIZE = Size(77, 53)


def _noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def _paint(document: Document, *points: tuple[float, float], size: float = 20, erase: bool = False) -> None:
    stroke = Stroke(Brush(size=size, erase=erase), document.mask)
    for point in points:
        stroke.line_to(QPointF(*point))
    document.undo.push(PaintMask(document, stroke.finished()))


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(Size(40, 30))
    document.undo.push(OpenPicture(document, _noise(SIZE.height, SIZE.width, 3)))
    _paint(document, (20, 20), (50, 30))
    return document


def _all(document: Document) -> tuple[bytes, bytes, Size, bool, bool]:
    return (
        document.pixels().tobytes(),
        document.mask_pixels().tobytes(),
        document.size,
        document.has_picture,
        document.mask_empty,
    )


def _request(document: Document, kind: type, size: Size | None = None) -> Request:
    tasks = {
        TextToImage: TextToImage,
        ImageToImage: lambda: ImageToImage(image=document.pixels(), strength=0.5),
        Inpaint: lambda: Inpaint(image=document.pixels(), mask=document.mask_pixels()),
    }
    return Request(prompt="", model="m", size=size or document.size, task=tasks[kind]())


EDITS: dict[str, Callable[[Document], QUndoCommand]] = {
    "clear": ClearMask,
    "invert": InvertMask,
    "open": lambda d: OpenPicture(d, _noise(31, 13, 3, seed=2)),
    "open, same size": lambda d: OpenPicture(d, _noise(SIZE.height, SIZE.width, 3, seed=2)),
    "generate, same size": lambda d: InsertResult(d, result_of(_request(d, TextToImage))),
    "generate, other size": lambda d: InsertResult(d, result_of(_request(d, TextToImage, Size(16, 24)))),
    "refine": lambda d: InsertResult(d, result_of(_request(d, ImageToImage))),
    "inpaint": lambda d: InsertResult(d, result_of(_request(d, Inpaint))),
}


@pytest.mark.parametrize("name", EDITS)
def test_undo_and_redo_are_exact(document: Document, name: str) -> None:
    before = _all(document)
    document.undo.push(EDITS[name](document))
    after = _all(document)
    assert after != before
    _paint(document, (3, 3), (12, 9))  # writing on must not reach what the commands keep
    document.undo.undo()
    assert _all(document) == after
    document.undo.undo()
    assert _all(document) == before
    document.undo.redo()
    assert _all(document) == after


def test_everything_back_to_the_blank_canvas_and_forth(document: Document) -> None:
    for edit in EDITS.values():
        document.undo.push(edit(document)) if not document.mask_empty else _paint(document, (5, 5), (9, 9))
    end = _all(document)
    while document.undo.canUndo():
        document.undo.undo()
    assert not document.has_picture
    assert document.mask_empty
    assert document.size == Size(40, 30)
    while document.undo.canRedo():
        document.undo.redo()
    assert _all(document) == end


def test_inpaint_writes_its_box_only(document: Document) -> None:
    source = document.pixels()
    request = _request(document, Inpaint)
    result = result_of(request, image=255 - source, box=Rect(10, 5, 20, 30))
    document.undo.push(InsertResult(document, result))
    expected = source.copy()
    expected[5:35, 10:30] = 255 - source[5:35, 10:30]
    assert np.array_equal(document.pixels(), expected)


def test_the_mask_stays_after_a_result(document: Document) -> None:
    mask = document.mask_pixels()
    for kind in (Inpaint, ImageToImage, TextToImage):
        document.undo.push(InsertResult(document, result_of(_request(document, kind))))
        assert np.array_equal(document.mask_pixels(), mask)


def test_a_mask_painted_on_the_blank_canvas_survives_the_first_picture(qapp: object) -> None:
    document = Document(Size(40, 30))
    _paint(document, (10, 10), (20, 20))
    mask = document.mask_pixels()
    document.undo.push(InsertResult(document, result_of(_request(document, TextToImage))))
    assert document.has_picture
    assert np.array_equal(document.mask_pixels(), mask)


def test_a_result_for_a_picture_that_has_gone_takes_the_whole_place(document: Document) -> None:
    result = result_of(_request(document, ImageToImage))
    document.undo.push(OpenPicture(document, _noise(20, 20, 3)))
    document.undo.push(InsertResult(document, result))
    assert document.size == SIZE
    assert document.mask_empty
    document.undo.undo()
    assert document.size == Size(20, 20)


def test_signals(document: Document, qtbot: QtBot) -> None:
    said: list[object] = []
    document.changed.connect(lambda box: said.append(QRect(box)))
    document.reset.connect(lambda: said.append("reset"))
    document.mask_emptied.connect(lambda empty: said.append(empty))

    def after(action: Callable[[], object]) -> list[object]:
        said.clear()
        action()
        return list(said)

    whole = QRect(0, 0, SIZE.width, SIZE.height)
    _, empty = after(lambda: document.undo.push(ClearMask(document)))
    assert empty is True
    assert after(document.undo.undo)[-1] is False
    box = Rect(1, 2, 3, 4)
    inpainted = result_of(_request(document, Inpaint), box=box)
    assert after(lambda: document.undo.push(InsertResult(document, inpainted))) == [QRect(1, 2, 3, 4)]
    generated = result_of(_request(document, TextToImage))
    assert after(lambda: document.undo.push(InsertResult(document, generated))) == [whole]
    opened = OpenPicture(document, _noise(SIZE.height, SIZE.width, 3))
    assert after(lambda: document.undo.push(opened)) == ["reset", True]


def test_a_stroke_stores_only_what_it_touched(qtbot: QtBot) -> None:
    document = Document(Size(4096, 4096))
    stroke = Stroke(Brush(size=16, hardness=1.0), document.mask)
    stroke.line_to(QPointF(10, 10))
    stroke.line_to(QPointF(4000, 4000))
    command = PaintMask(document, stroke.finished())
    assert command.stored_bytes <= 46 * 2 * 256 * 256  # the tiles along the diagonal, before and after
    document.undo.push(command)
    qtbot.waitUntil(lambda: document.packer.idle)
    assert command.stored_bytes < 100_000
    assert document.mask_pixels()[2000, 2000] == 255
    document.undo.undo()
    assert not document.mask_pixels().any()


LARGE = Size(700, 530)
STROKES: dict[str, list[tuple[float, float]]] = {
    "over tile borders": [(250, 100), (300, 400), (600, 257)],
    "along a tile border": [(256, 20), (256, 500)],
    "from corner to corner": [(0, 0), (700, 530)],
    "out and in again": [(50, 50), (-300, 200), (100, 900), (800, 400), (650, 300)],
    "a dab on the edge": [(699.9, 529.9)],
    "a dab in four tiles": [(512, 256)],
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("erase", [False, True])
@pytest.mark.parametrize("name", STROKES)
def test_a_stroke_over_tiles_is_exact(qtbot: QtBot, name: str, erase: bool, packed: bool) -> None:
    document = Document(LARGE)
    before = _noise(LARGE.height, LARGE.width)
    document.write_mask([(document.box, before)])
    stroke = Stroke(Brush(size=70, hardness=0.5, opacity=0.6, erase=erase), document.mask)
    for point in STROKES[name]:
        stroke.line_to(QPointF(*point))
    after = stroke.preview(document.box)
    assert not np.array_equal(before, after)
    document.undo.push(PaintMask(document, stroke.finished()))
    if packed:
        qtbot.waitUntil(lambda: document.packer.idle)
    for _ in range(2):
        assert np.array_equal(document.mask_pixels(), after)
        document.undo.undo()
        assert np.array_equal(document.mask_pixels(), before)
        document.undo.redo()


def test_a_stroke_off_the_picture_changes_nothing(document: Document) -> None:
    stroke = Stroke(Brush(size=20), document.mask)
    stroke.line_to(QPointF(-100, -100))
    stroke.line_to(QPointF(300, -50))
    assert stroke.finished() == []


@pytest.mark.parametrize("edit", [ClearMask, InvertMask])
def test_the_whole_mask_in_many_tiles(qapp: object, edit: type[QUndoCommand]) -> None:
    document = Document(LARGE)
    before = _noise(LARGE.height, LARGE.width)
    before[:, 300:] = 0
    before[:256] = 255
    document.write_mask([(document.box, before)])
    after = np.zeros_like(before) if edit is ClearMask else 255 - before
    document.undo.push(edit(document))
    for _ in range(2):
        assert np.array_equal(document.mask_pixels(), after)
        assert document.mask_empty == (edit is ClearMask)
        document.undo.undo()
        assert np.array_equal(document.mask_pixels(), before)
        assert not document.mask_empty
        document.undo.redo()


def test_inverting_a_full_mask_empties_it(qapp: object) -> None:
    document = Document(SIZE)
    document.undo.push(InvertMask(document))
    assert (document.mask_pixels() == 255).all()
    document.undo.push(InvertMask(document))
    assert document.mask_empty


def _address(image: QImage) -> int:
    return int(np.frombuffer(image.constBits(), np.uint8).ctypes.data)


def test_nothing_copies_the_whole_mask_or_picture_later(document: Document) -> None:
    """A mask that an undo step shared with the document would be copied in the middle of the next stroke; of a picture
    no more than the tiles that change is ever new."""
    for name in ("open", "generate, same size", "generate, other size"):
        document.undo.push(EDITS[name](document))
        document.undo.undo()
        document.undo.redo()
        mask, lowest = _address(document.mask), dict(document.layers[0].image.held())
        _paint(document, (3, 3), (9, 9))
        document.undo.push(EDITS["inpaint"](document))
        document.undo.push(InvertMask(document))
        document.undo.push(EDITS["inpaint"](document))
        assert _address(document.mask) == mask
        assert dict(document.layers[0].image.held()) == lowest
        assert lowest.items() <= dict(document.picture.held()).items()


def test_the_mask_tells_its_tiles(qapp: object) -> None:
    document = Document(LARGE)
    said: list[QRegion] = []
    document.mask_changed.connect(lambda region: said.append(QRegion(region)))
    _paint(document, (20, 20), (30, 30))
    _paint(document, (250, 250), (260, 260))
    tile, four = QRegion(QRect(0, 0, 256, 256)), QRegion(QRect(0, 0, 512, 512))
    assert said == [tile, four]


def test_invert_keeps_strengths(document: Document) -> None:
    mask = document.mask_pixels()
    document.undo.push(InvertMask(document))
    assert np.array_equal(document.mask_pixels(), 255 - mask)


def test_erasing_all_tells_that_the_mask_is_empty(document: Document) -> None:
    _paint(document, (0, 0), (77, 53), size=300, erase=True)
    assert not document.mask_pixels().any()
    assert document.mask_empty
    document.undo.undo()
    assert not document.mask_empty


def test_blank_canvas_takes_a_size_until_there_is_history(qapp: object) -> None:
    document = Document(Size(40, 30))
    assert document.resize_blank(Size(64, 64))
    assert document.size == Size(64, 64)
    assert not document.has_picture
    assert document.mask_empty
    _paint(document, (10, 10), (20, 20))
    document.undo.undo()
    assert not document.resize_blank(Size(32, 32))  # the stroke can still come back
    document.undo.redo()
    assert document.size == Size(64, 64)


def test_the_mask_stays_the_same_image_while_its_size_does(document: Document) -> None:
    """A stroke that is being drawn reads it on."""
    mask = document.mask
    document.undo.push(InsertResult(document, result_of(_request(document, TextToImage))))
    assert document.mask is mask
    document.undo.undo()
    assert document.mask is mask


@pytest.mark.parametrize("name", EDITS)
def test_the_origin_says_which_picture_is_open(document: Document, name: str) -> None:
    before = document.origin
    document.undo.push(EDITS[name](document))
    after = document.origin
    assert (after.opened == before.opened) == ("open" not in name)
    assert (after.made == before.made) == ("open" not in name and "generate" not in name)
    document.undo.undo()
    assert document.origin == before
    document.undo.redo()
    assert document.origin == after


def test_another_size_of_the_blank_canvas_is_the_same_place(qapp: object) -> None:
    document = Document(Size(40, 30))
    before = document.origin
    document.resize_blank(Size(64, 64))
    assert document.origin == before

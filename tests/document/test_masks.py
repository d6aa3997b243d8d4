"""Several named masks: each edit undone and redone to the pixel, and what waiting ones take in memory."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.geometry import Size
from app.document.commands import OpenPicture, PaintMask
from app.document.document import Document
from app.document.mask_commands import (
    ChangeMasks,
    add_mask,
    choose_mask,
    combine_mask,
    delete_mask,
    duplicate_mask,
    rename_mask,
)
from app.document.mask_edits import replaced
from app.document.masks import MOST_NAME, Combine, content_of

HEIGHT, WIDTH = 300, 520


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(Size(64, 64))
    document.undo.push(OpenPicture(document, np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    return document


def _paint(document: Document, seed: int) -> np.ndarray:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[20 * seed : 20 * seed + 60, 40:300] = np.random.default_rng(seed).integers(1, 256, (60, 260), np.uint8)
    document.undo.push(PaintMask(document, list(replaced(document.mask, values))))
    return values


def _names(document: Document) -> list[str]:
    return [mask.name for mask in document.masks.items]


def _look(document: Document) -> tuple[object, ...]:
    """Everything about the masks."""
    masks = document.masks
    contents = tuple(tuple((tile.box, tile.pixels().tobytes()) for tile in mask.content) for mask in masks.items)
    return tuple(_names(document)), masks.active, contents, document.mask_pixels().tobytes()


def test_every_edit_of_the_list_is_undone_and_redone_to_the_pixel(document: Document) -> None:
    looks = [_look(document)]
    steps = (
        lambda: _paint(document, 1),
        lambda: document.undo.push(add_mask(document)),
        lambda: _paint(document, 2),
        lambda: document.undo.push(duplicate_mask(document)),
        lambda: document.undo.push(rename_mask(document, 2, "  the   sky ")),
        lambda: _paint(document, 3),
        lambda: document.undo.push(choose_mask(document, 0)),
        lambda: document.undo.push(combine_mask(document, 2, Combine.ADD)),
        lambda: document.undo.push(delete_mask(document)),
    )
    for step in steps:
        step()
        looks.append(_look(document))
    assert _names(document) == ["Mask 2", "the sky"]
    for look in reversed(looks[:-1]):
        document.undo.undo()
        assert _look(document) == look
    for look in looks[1:]:
        document.undo.redo()
        assert _look(document) == look


def test_each_mask_keeps_what_was_painted_on_it(document: Document) -> None:
    first = _paint(document, 1)
    document.undo.push(add_mask(document))
    assert document.mask_empty
    second = _paint(document, 2)
    document.undo.push(choose_mask(document, 0))
    assert np.array_equal(document.mask_pixels(), first)
    document.undo.push(choose_mask(document, 1))
    assert np.array_equal(document.mask_pixels(), second)


@pytest.mark.parametrize("how", list(Combine))
def test_masks_are_combined(document: Document, how: Combine) -> None:
    other = _paint(document, 1)
    document.undo.push(add_mask(document))
    own = _paint(document, 2)
    document.undo.push(combine_mask(document, 0, how))
    expected = {
        Combine.ADD: np.maximum(own, other),
        Combine.SUBTRACT: np.minimum(own, 255 - other),
        Combine.INTERSECT: np.minimum(own, other),
    }[how]
    assert np.array_equal(document.mask_pixels(), expected)
    document.undo.undo()
    assert np.array_equal(document.mask_pixels(), own)


def test_combining_with_an_empty_mask_makes_no_step(document: Document) -> None:
    document.undo.push(add_mask(document))
    _paint(document, 1)
    assert combine_mask(document, 0, Combine.ADD) is None


def test_the_last_mask_is_emptied_and_stays(document: Document) -> None:
    values = _paint(document, 1)
    document.undo.push(delete_mask(document))
    assert len(document.masks.items) == 1
    assert document.mask_empty
    document.undo.undo()
    assert np.array_equal(document.mask_pixels(), values)


def test_names_are_made_plain_and_told_apart(document: Document) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        rename_mask(document, 0, "  ")
    document.undo.push(rename_mask(document, 0, "x" * 200))
    assert len(_names(document)[0]) == MOST_NAME
    for _ in range(3):
        document.undo.push(add_mask(document))
        document.undo.push(duplicate_mask(document))
    assert len(set(_names(document))) == 7


def test_another_picture_begins_with_one_mask_and_undo_brings_all_back(document: Document) -> None:
    _paint(document, 1)
    document.undo.push(add_mask(document))
    said: list[int] = []
    document.masks_changed.connect(lambda: said.append(len(document.masks.items)))
    document.undo.push(OpenPicture(document, np.zeros((40, 50, 3), np.uint8)))
    assert _names(document) == ["Mask 1"]
    document.undo.undo()
    assert _names(document) == ["Mask 1", "Mask 2"]
    assert said == [1, 2]


def test_a_waiting_mask_takes_the_memory_of_what_is_painted_and_no_more(document: Document) -> None:
    document.undo.push(OpenPicture(document, np.zeros((4096, 4096, 3), np.uint8)))
    values = np.zeros((4096, 4096), np.uint8)
    values[100:200, 100:700] = 255
    document.undo.push(PaintMask(document, list(replaced(document.mask, values))))
    step = add_mask(document)
    document.undo.push(step)
    assert isinstance(step, ChangeMasks)
    assert step.stored_bytes < 10_000
    whole = np.full((4096, 4096), 128, np.uint8)
    document.undo.push(PaintMask(document, list(replaced(document.mask, whole))))
    assert sum(tile.stored_bytes for tile in content_of(document.mask)) < 1000

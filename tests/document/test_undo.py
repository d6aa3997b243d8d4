"""Undo is unlimited in steps and limited in bytes: the oldest go first, the newest never."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from app.core.geometry import Size
from app.document.commands import InvertMask, OpenPicture, PaintMask
from app.document.document import Document
from app.document.strokes import Brush, Stroke
from app.document.undo import LEAST_BUDGET, MOST_BUDGET, Step


class Heavy(Step):
    """A step of a given weight."""

    def __init__(self, megabytes: int) -> None:
        super().__init__(f"{megabytes} MB")
        self.megabytes = megabytes

    @property
    def stored_bytes(self) -> int:
        return self.megabytes * 1_000_000

    def forget(self) -> None:
        self.megabytes = 0


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document(Size(700, 530))
    document.undo.set_budget(LEAST_BUDGET)  # 50 MB
    return document


def _stroke(document: Document, x: float) -> None:
    stroke = Stroke(Brush(size=20), document.mask)
    stroke.line_to(QPointF(x, 100))
    document.undo.push(PaintMask(document, stroke.finished()))


def test_the_oldest_are_forgotten_when_the_budget_is_full(document: Document) -> None:
    said: list[int] = []
    document.undo.trimmed.connect(said.append)
    for megabytes in (10, 20, 15):
        document.undo.push(Heavy(megabytes))
    assert said == []
    document.undo.push(Heavy(12))
    assert said == [1]
    assert document.undo.stored_bytes == 47_000_000
    assert document.undo.floor == 1
    document.undo.push(Heavy(40))
    assert said == [1, 3]
    for _ in range(9):
        document.undo.undo()
    assert document.undo.index() == document.undo.floor == 4
    assert not document.undo.canUndo()
    document.undo.redo()
    assert document.undo.index() == 5
    document.undo.setIndex(0)
    assert document.undo.index() == 4


def test_the_newest_step_is_kept_however_large_it_is(document: Document) -> None:
    document.undo.push(Heavy(5))
    document.undo.push(Heavy(500))
    assert document.undo.canUndo()
    assert document.undo.floor == 1


def test_steps_that_could_still_be_redone_are_not_forgotten_first(document: Document) -> None:
    for _ in range(4):
        document.undo.push(Heavy(10))
    for _ in range(3):
        document.undo.undo()
    document.undo.push(Heavy(45))  # three are thrown away by that, as always
    assert document.undo.count() == 2
    assert document.undo.stored_bytes == 45_000_000


def test_what_is_kept_stays_exact(document: Document, qtbot: QtBot) -> None:
    document.undo.push(OpenPicture(document, np.zeros((2500, 2500, 3), np.uint8)))  # holds the small blank one
    _stroke(document, 100)
    document.undo.push(OpenPicture(document, np.full((2500, 2500, 3), 9, np.uint8)))  # holds 31 MB
    _stroke(document, 300)
    document.undo.push(InvertMask(document))
    before = document.mask_pixels().tobytes()
    document.undo.push(OpenPicture(document, np.full((2500, 2500, 3), 77, np.uint8)))  # 31 MB more: one has to go
    qtbot.waitUntil(lambda: document.packer.idle)
    assert document.undo.floor == 3
    while document.undo.canUndo():
        document.undo.undo()
    assert (document.pixels() == 9).all()
    assert document.mask_empty
    document.undo.setIndex(5)
    assert document.mask_pixels().tobytes() == before
    document.undo.redo()
    assert (document.pixels() == 77).all()


def test_a_smaller_budget_counts_at_once_and_is_brought_into_range(document: Document) -> None:
    document.undo.set_budget(100_000_000)
    for _ in range(4):
        document.undo.push(Heavy(20))
    document.undo.set_budget(60_000_000)
    assert document.undo.floor == 1
    document.undo.set_budget(0)
    assert document.undo.budget == LEAST_BUDGET
    document.undo.set_budget(10**15)
    assert document.undo.budget == MOST_BUDGET


def test_undo_is_unlimited_by_count_and_every_stroke_is_one_step(document: Document, qtbot: QtBot) -> None:
    """Undo eats strokes elsewhere: here each of five hundred quick ones comes back alone."""
    counts = []
    for number in range(500):
        _stroke(document, 10 + number)
        counts.append(np.count_nonzero(document.mask_pixels()))
    qtbot.waitUntil(lambda: document.packer.idle, timeout=20_000)
    assert document.undo.floor == 0
    assert document.undo.stored_bytes < 2_000_000
    for count in reversed(counts):
        assert np.count_nonzero(document.mask_pixels()) == count
        document.undo.undo()
    assert document.mask_empty


def test_a_new_step_after_undo_throws_away_what_could_be_redone(document: Document) -> None:
    _stroke(document, 100)
    _stroke(document, 200)
    document.undo.undo()
    _stroke(document, 300)
    assert document.undo.count() == 2
    assert not document.undo.canRedo()
    document.undo.undo()
    document.undo.undo()
    assert document.mask_empty

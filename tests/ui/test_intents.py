"""What the button offers follows from what the person does, and a click on a segment always wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt

from app.core.params import Intent
from app.ui.intents import why_not
from tests.ui.conftest import Studio
from tests.ui.studio import make_picture


@pytest.mark.parametrize(
    ("intent", "has_picture", "mask_empty", "possible"),
    [
        (Intent.GENERATE, False, True, True),
        (Intent.GENERATE, True, False, True),
        (Intent.REFINE, False, True, False),
        (Intent.REFINE, True, True, True),
        (Intent.INPAINT, False, False, False),
        (Intent.INPAINT, True, True, False),
        (Intent.INPAINT, True, False, True),
    ],
)
def test_what_is_possible(intent: Intent, has_picture: bool, mask_empty: bool, possible: bool) -> None:
    reason = why_not(intent, has_picture=has_picture, mask_empty=mask_empty)
    assert (reason == "") is possible


def test_segments_that_cannot_work_say_why(studio: Studio, tmp_path: Path) -> None:
    refine, inpaint = studio.find("segmentRefine"), studio.find("segmentInpaint")
    assert not refine.isEnabled()
    assert "picture first" in refine.toolTip()
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    assert refine.isEnabled()
    assert not inpaint.isEnabled()
    assert "Paint over" in inpaint.toolTip()
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    assert inpaint.isEnabled()


def test_the_intent_follows_the_person(studio: Studio, tmp_path: Path) -> None:
    intent = lambda: studio.store.params.intent  # noqa: E731
    assert intent() is Intent.GENERATE
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    assert intent() is Intent.REFINE
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    assert intent() is Intent.INPAINT
    studio.window.canvas.setFocus()
    studio.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert studio.document.mask_empty
    assert intent() is Intent.REFINE
    studio.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # the mask is back
    assert intent() is Intent.INPAINT
    studio.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # the stroke is undone
    assert intent() is Intent.REFINE
    studio.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # and the picture
    assert not studio.document.has_picture
    assert intent() is Intent.GENERATE


def test_a_click_on_a_segment_wins(studio: Studio, tmp_path: Path) -> None:
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    studio.click("segmentGenerate")
    assert studio.generate_button.text() == "Generate"
    studio.drag(QPoint(60, 40), QPoint(70, 40))  # a further stroke does not take the choice back
    assert studio.generate_button.text() == "Generate"
    studio.click("segmentRefine")
    assert studio.generate_button.text() == "Refine"


def test_strength_is_shown_where_it_matters_and_kept_for_each(studio: Studio, tmp_path: Path) -> None:
    field, slider = studio.find("strengthField"), studio.find("strengthSlider")
    assert not field.isVisible()
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    assert field.isVisible()
    assert slider.value() == 65
    slider.setValue(40)
    studio.drag(QPoint(30, 30), QPoint(50, 30))
    assert slider.value() == 100  # an inpaint has its own
    slider.setValue(80)
    studio.click("segmentRefine")
    assert slider.value() == 40
    params = studio.store.params
    assert (params.strength, params.inpaint_strength) == (0.4, 0.8)
    studio.click("segmentGenerate")
    assert not field.isVisible()


def test_a_finished_picture_leaves_generate_and_allows_refine(studio: Studio) -> None:
    studio.click("generateButton")
    studio.wait(lambda: studio.document.has_picture)
    assert studio.store.params.intent is Intent.GENERATE
    assert studio.find("segmentRefine").isEnabled()

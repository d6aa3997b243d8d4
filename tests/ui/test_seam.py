"""How a mask joins the picture, set in the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QColorDialog, QComboBox

from app.core.params import Intent
from app.core.request import FrameChoice, Inpaint
from app.core.seam import Fill, Seam
from app.ui.planned import PlannedSpin
from tests.fakes import FakeBackend
from tests.ui.conftest import Open, Studio
from tests.ui.studio import make_picture

FIELDS = ("frameCombo", "fillCombo", "growSpin", "featherSpin", "ringSpin", "colourMatchCheck")


@pytest.fixture
def studio(open_studio: Open, tmp_path: Path) -> Studio:
    studio = open_studio()
    make_picture(tmp_path / "photo.png")
    studio.open(tmp_path / "photo.png")
    studio.click("moreButton")
    return studio


def _mask(studio: Studio) -> None:
    studio.drag(QPoint(20, 20), QPoint(60, 40))


def _shown(studio: Studio) -> set[bool]:
    return {studio.find(name).isVisible() for name in FIELDS}


def test_it_is_shown_only_while_a_part_is_repainted(studio: Studio) -> None:
    assert _shown(studio) == {False}
    _mask(studio)
    assert studio.store.params.intent is Intent.INPAINT
    assert _shown(studio) == {True}
    studio.store.update(intent=Intent.REFINE)
    assert _shown(studio) == {False}


def test_what_is_set_reaches_the_request(studio: Studio, backend: FakeBackend) -> None:
    _mask(studio)
    fill, frame = studio.window.findChild(QComboBox, "fillCombo"), studio.window.findChild(QComboBox, "frameCombo")
    fill.setCurrentIndex(2)
    frame.setCurrentIndex(2)
    grow = studio.window.findChild(PlannedSpin, "growSpin")
    assert grow.text() == "Auto"
    grow.setValue(3)
    studio.window.findChild(PlannedSpin, "ringSpin").setValue(0)
    studio.window.findChild(QCheckBox, "colourMatchCheck").setChecked(False)
    studio.window.painting.submit()
    studio.wait(lambda: len(backend.requests) == 1)
    request = backend.requests[0]
    assert isinstance(request.task, Inpaint)
    assert request.task.seam == Seam(grow=3, ring=0, fill=Fill.EDGES, colour_match=False)
    assert request.frame is FrameChoice.WHOLE
    grow.setValue(-1)
    assert studio.store.params.seam.grow is None


def test_the_fields_follow_the_parameters(studio: Studio) -> None:
    studio.store.update(seam=Seam(feather=7, fill=Fill.NOISE, colour_match=False), frame=FrameChoice.WHOLE)
    assert studio.find("featherSpin").value() == 7
    assert studio.find("growSpin").text() == "Auto"
    assert studio.find("fillCombo").currentData() is Fill.NOISE
    assert studio.find("frameCombo").currentData() is FrameChoice.WHOLE
    assert not studio.find("colourMatchCheck").isChecked()


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen platform cannot
def test_one_colour_to_start_from_is_chosen_beside_it(studio: Studio) -> None:
    _mask(studio)
    fill, swatch = studio.find("fillCombo"), studio.find("fillColour")
    assert not swatch.isVisible()
    fill.setCurrentIndex(fill.findData(Fill.COLOUR))
    assert swatch.isVisible()
    swatch.click()
    dialog = studio.window.findChild(QColorDialog)
    dialog.setCurrentColor(QColor(10, 200, 30))
    dialog.accept()
    assert studio.store.params.seam == Seam(fill=Fill.COLOUR, colour=(10, 200, 30))
    studio.store.update(seam=Seam(fill=Fill.COLOUR, colour=(1, 2, 3)))
    assert swatch.colour == (1, 2, 3)


def test_how_a_mask_joins_is_remembered(open_studio: Open) -> None:
    first = open_studio()
    first.store.update(seam=Seam(grow=5, fill=Fill.EDGES), frame=FrameChoice.WHOLE)
    first.window.close()
    params = open_studio().store.params
    assert (params.seam, params.frame) == (Seam(grow=5, fill=Fill.EDGES), FrameChoice.WHOLE)

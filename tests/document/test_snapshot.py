"""What is frozen when the button is pressed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from app.core.errors import RequestError
from app.core.geometry import Size
from app.core.params import Intent, Params
from app.core.request import FrameChoice, ImageToImage, Inpaint, TextToImage
from app.document.commands import ClearMask, OpenPicture, PaintMask
from app.document.document import Document
from app.document.snapshot import snapshot
from app.document.strokes import Brush, Stroke

PARAMS = Params(
    prompt="a lake",
    negative="fog",
    model="/models/m",
    seed=5,
    steps=7,
    guidance=3.0,
    strength=0.4,
    inpaint_strength=0.8,
    size=Size(64, 128),
)


@pytest.fixture
def document(qapp: object) -> Document:
    document = Document(Size(40, 30))
    document.undo.push(OpenPicture(document, np.random.default_rng(1).integers(0, 256, (21, 33, 3), np.uint8)))
    stroke = Stroke(Brush(size=8), document.mask)
    stroke.line_to(QPointF(10, 10))
    document.undo.push(PaintMask(document, stroke.finished()))
    return document


def test_generate(document: Document) -> None:
    request = snapshot(document, PARAMS)
    assert isinstance(request.task, TextToImage)
    assert request.size == Size(64, 128)
    assert (request.prompt, request.negative, request.model) == ("a lake", "fog", "/models/m")
    assert (request.seed, request.steps, request.guidance, request.sampler) == (5, 7, 3.0, PARAMS.sampler)


def test_refine(document: Document) -> None:
    request = snapshot(document, replace(PARAMS, intent=Intent.REFINE))
    assert isinstance(request.task, ImageToImage)
    assert request.task.strength == 0.4
    assert request.size == Size(33, 21)
    assert request.frame is FrameChoice.AUTO
    assert np.array_equal(request.task.image, document.pixels())


def test_inpaint_takes_what_is_painted_and_keeps_it(document: Document) -> None:
    request = snapshot(document, replace(PARAMS, intent=Intent.INPAINT))
    assert isinstance(request.task, Inpaint)
    assert request.task.strength == 0.8
    assert request.frame is FrameChoice.AUTO
    mask = document.mask_pixels()
    assert np.array_equal(request.task.mask, mask)
    assert not request.task.mask.flags.writeable
    assert not request.task.image.flags.writeable
    document.undo.push(ClearMask(document))
    assert np.array_equal(request.task.mask, mask)


@pytest.mark.parametrize("intent", [Intent.REFINE, Intent.INPAINT])
def test_a_picture_is_needed(qapp: object, intent: Intent) -> None:
    with pytest.raises(RequestError, match="There is no picture to"):
        snapshot(Document(Size(8, 8)), replace(PARAMS, intent=intent))


def test_a_mask_is_needed(document: Document) -> None:
    document.undo.push(ClearMask(document))
    with pytest.raises(RequestError, match="The mask is empty"):
        snapshot(document, replace(PARAMS, intent=Intent.INPAINT))


def test_a_model_is_needed(document: Document) -> None:
    with pytest.raises(RequestError, match="no model"):
        snapshot(document, replace(PARAMS, model=""))

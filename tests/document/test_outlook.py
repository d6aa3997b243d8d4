"""What is told in advance is what the engine will do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.edges import mixing
from app.core.geometry import Rect, Size, group_parts
from app.core.mask_parts import mask_parts
from app.core.params import Intent, Params
from app.core.request import FrameChoice
from app.core.seam import Seam, plan_reach
from app.diffusion.frame import WorkingFrame, plan_frame, resized
from app.document.commands import OpenPicture, PaintMask, SetFrame
from app.document.document import Document
from app.document.mask_edits import replaced
from app.document.outlook import Ground, Outlook, outlooks
from app.document.snapshot import snapshot


def _document(width: int, height: int, marked: Rect | None) -> Document:
    document = Document(Size(64, 64))
    document.undo.push(OpenPicture(document, np.zeros((height, width, 3), np.uint8)))
    if marked is not None:
        mask = np.zeros((height, width), np.uint8)
        mask[marked.slices] = 40
        document.undo.push(PaintMask(document, list(replaced(document.mask, mask))))
    return document


def _foreseen(document: Document, params: Params, native: int) -> Outlook | None:
    found = outlooks(Ground.of(document), params, native)
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize("native", [128, 512])
@pytest.mark.parametrize("frame", [None, Rect(16, 8, 320, 240), Rect(0, 0, 64, 64)])
@pytest.mark.parametrize("intent", [Intent.REFINE, Intent.INPAINT])
@pytest.mark.parametrize(
    ("size", "marked"),
    [((640, 480), Rect(30, 20, 50, 60)), ((1700, 1300), Rect(10, 10, 900, 700)), ((400, 3000), Rect(3, 40, 390, 20))],
)
def test_the_frame_is_the_engine_s(
    qapp: object, size: tuple[int, int], marked: Rect, intent: Intent, frame: Rect | None, native: int
) -> None:
    document = _document(*size, marked)
    if frame is not None:
        document.undo.push(SetFrame(document, frame))
    params = Params(model="m", intent=intent)
    foreseen = _foreseen(document, params, native)
    assert foreseen is not None
    assert foreseen.plan == plan_frame(snapshot(document, params), native)
    assert (foreseen.reach is not None) == (intent is Intent.INPAINT)


@pytest.mark.parametrize("seam", [Seam(), Seam(grow=60, feather=30)])
@pytest.mark.parametrize("choice", [FrameChoice.AUTO, FrameChoice.WHOLE])
def test_what_is_asked_of_frame_and_seam_counts(qapp: object, choice: FrameChoice, seam: Seam) -> None:
    document = _document(1700, 1300, Rect(200, 300, 500, 700))
    params = Params(model="m", intent=Intent.INPAINT, frame=choice, seam=seam)
    foreseen = _foreseen(document, params, 512)
    assert foreseen is not None
    assert foreseen.plan == plan_frame(snapshot(document, params), 512)
    assert foreseen.reach == plan_reach(seam, params.inpaint_strength, foreseen.plan, 8)


def test_each_far_part_of_the_mask_has_its_frame_as_the_engine_finds_it(qapp: object) -> None:
    document = _document(2000, 900, Rect(30, 20, 50, 60))
    mask = document.mask_pixels().copy()
    mask[600:700, 1700:1800] = 255
    document.undo.push(PaintMask(document, list(replaced(document.mask, mask))))
    params = Params(model="m", intent=Intent.INPAINT, frame=FrameChoice.PARTS)
    found = outlooks(Ground.of(document), params, 128)
    request = snapshot(document, params)
    parts = group_parts(mask_parts(mask), document.size, 128)
    assert len(found) == len(parts) == 2
    for outlook, part in zip(found, parts, strict=True):
        own = np.zeros_like(mask)
        own[part.slices] = mask[part.slices]
        alone = replace(request, frame=FrameChoice.AUTO, task=replace(request.task, mask=own))
        assert outlook.plan == plan_frame(alone, 128)
        assert outlook.zones is not None
        assert outlook.zones.box == outlook.plan.box
    document.undo.push(SetFrame(document, Rect(0, 0, 128, 128)))
    assert len(outlooks(Ground.of(document), params, 128)) == 1  # a frame by hand counts for all of it


@pytest.mark.parametrize(("native", "strength"), [(512, 1.0), (512, 0.4), (256, 1.0)])
def test_the_zones_are_where_the_engine_paints_and_mixes(qapp: object, native: int, strength: float) -> None:
    document = _document(700, 560, Rect(200, 180, 240, 160))
    mask = document.mask_pixels()
    params = Params(model="m", intent=Intent.INPAINT, inpaint_strength=strength)
    foreseen = _foreseen(document, params, native)
    assert foreseen is not None
    zones = foreseen.zones
    assert zones is not None
    frame = WorkingFrame(foreseen.plan, foreseen.plan.working, foreseen.reach)
    denoised = resized(frame.trim(frame.cut_denoise_mask(mask)), Size(zones.painted.shape[1], zones.painted.shape[0]))
    assert np.abs(zones.denoised.astype(int) - denoised).mean() < 2
    assert (zones.denoised[zones.painted == 0] > 0).any()  # beyond the mask
    exact = mixing(mask[foreseen.plan.box.slices], foreseen.reach.ring, (False,) * 4)
    shown = resized(zones.mixed, foreseen.plan.box.size)
    assert np.abs(shown.astype(int) - exact)[exact > 0].mean() < 4
    assert not zones.mixed[zones.painted == 0].any()


def test_zones_of_a_huge_frame_are_worked_out_small(qapp: object) -> None:
    document = _document(3000, 2400, Rect(200, 180, 2400, 1600))
    foreseen = _foreseen(document, Params(intent=Intent.INPAINT, frame=FrameChoice.WHOLE), 512)
    assert foreseen is not None
    assert foreseen.zones is not None
    assert foreseen.plan.working == Size(3000, 2400)
    assert foreseen.zones.painted.size <= 1.01 * 640 * 640


def test_nothing_is_foreseen_where_there_is_nothing(qapp: object) -> None:
    assert _foreseen(Document(Size(64, 64)), Params(intent=Intent.INPAINT), 512) is None
    document = _document(300, 200, None)
    assert _foreseen(document, Params(intent=Intent.INPAINT), 512) is None
    assert _foreseen(document, Params(intent=Intent.GENERATE), 512) is None
    assert _foreseen(document, Params(intent=Intent.REFINE), 512) is not None


def test_the_sentence_tells_both_sizes(qapp: object) -> None:
    document = _document(1700, 1300, Rect(10, 10, 900, 700))
    foreseen = _foreseen(document, Params(intent=Intent.INPAINT), 512)
    assert foreseen is not None
    box, working = foreseen.plan.box, foreseen.plan.working
    expected = f"{working.width} × {working.height}, pasted back at {box.width} × {box.height}"
    assert foreseen.sentence == expected


def test_a_frame_is_one_step_and_goes_with_its_picture(qapp: object) -> None:
    document = _document(640, 480, None)
    said: list[Rect | None] = []
    document.frame_changed.connect(lambda: said.append(document.frame))
    frame = Rect(8, 16, 256, 256)
    document.undo.push(SetFrame(document, frame))
    document.undo.push(OpenPicture(document, np.zeros((50, 50, 3), np.uint8)))
    assert document.frame is None
    document.undo.undo()
    assert document.frame == frame
    document.undo.push(SetFrame(document, None))
    document.undo.undo()
    document.undo.undo()
    assert document.frame is None
    assert said == [frame, None, frame, None, frame, None]


@pytest.mark.parametrize("frame", [Rect(600, 0, 64, 64), Rect(0, 0, 0, 64), Rect(-8, 0, 64, 64)])
def test_a_frame_beside_the_picture_is_refused(qapp: object, frame: Rect) -> None:
    document = _document(640, 480, None)
    with pytest.raises(ValueError, match="does not lie"):
        document.set_frame(frame)

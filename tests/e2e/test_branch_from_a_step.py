"""Somebody walks back along the steps of a candidate, and goes on from one with another prompt."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt

from app.core.geometry import Size
from app.core.trail import Branch
from tests.e2e.conftest import Artist

ALT, SHIFT, NONE = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier


def test_a_step_is_looked_at_and_gone_on_from(artist: Artist) -> None:
    artist.store.update(size=Size(64, 64))
    artist.find("stepsSpin").setValue(6)
    artist.find("countSpin").setValue(2)
    artist.write("promptEdit", "night, a lake")
    artist.paint()
    candidates = artist.desk.candidates
    assert len(candidates.waiting) == 2
    first = candidates.waiting[0].result
    assert candidates.preview is not None
    finished = candidates.preview.pixels
    artist.press(Qt.Key.Key_T, NONE)
    for _ in range(4):
        artist.press(Qt.Key.Key_Left, ALT)
    artist.wait(lambda: artist.window.kept_steps.takable)
    assert artist.find("stepTold").text().startswith("step 2 of 6")
    assert candidates.preview is not None
    assert not np.array_equal(candidates.preview.pixels, finished), "the step is shown in its place"
    artist.write("promptEdit", "snowy mountains")
    artist.press(Qt.Key.Key_N, SHIFT)
    artist.wait(lambda: len(candidates.waiting) == 3)
    branched = candidates.waiting[2].result
    assert isinstance(branched.request.resume, Branch)
    assert (branched.request.prompt, branched.steps) == ("snowy mountains", 4)
    assert not np.array_equal(branched.image, first.image)
    assert branched.trail is not None
    assert first.trail is not None
    np.testing.assert_array_equal(branched.trail.latents[2], first.trail.latents[2])
    assert artist.document.undo.count() == 0
    assert not artist.titles

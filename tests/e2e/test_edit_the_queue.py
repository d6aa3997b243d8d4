"""Somebody lines up several pictures, thinks again about their order, and gets them in that."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.core.geometry import Size
from tests.e2e.conftest import Artist


def test_pictures_come_in_the_order_that_was_made_of_them(artist: Artist) -> None:
    artist.store.update(size=Size(64, 64))
    artist.find("stepsSpin").setValue(60)
    artist.write("promptEdit", "night, a lake")
    artist.click("generateButton")
    artist.wait(lambda: artist.queue.running is not None and artist.queue.running.step >= 1)
    artist.find("stepsSpin").setValue(2)
    for prompt in ("a red house", "snowy mountains", "a yellow balloon"):
        artist.write("promptEdit", prompt)
        artist.click("generateButton")
    artist.click("queueButton")
    artist.find("queueList").setCurrentRow(2)
    artist.find("queueList").setFocus()
    artist.key(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    artist.find("queueList").setCurrentRow(0)
    artist.key(Qt.Key.Key_Delete)
    artist.wait(lambda: artist.queue.current is None)
    told = [(result.request.prompt, result.request.steps) for result in artist.results]
    assert told == [("night, a lake", 60), ("a yellow balloon", 2), ("snowy mountains", 2)]
    assert artist.document.undo.count() == 3
    assert not artist.titles

"""A screen reader is told how far the painting is, what arrived and what went wrong."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from tests.fakes import FakeBackend
from tests.ui.conftest import Studio


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was announced, and whether at once."""
    heard: list[tuple[str, bool]] = []

    def hear(event: QAccessibleAnnouncementEvent) -> None:
        heard.append((event.message(), event.politeness() is QAccessible.AnnouncementPoliteness.Assertive))

    monkeypatch.setattr("app.ui.screen_reader.QAccessible.updateAccessibility", hear)
    return heard


def test_a_job_is_told_from_its_beginning_to_its_end(
    studio: Studio, backend: FakeBackend, said: list[tuple[str, bool]]
) -> None:
    studio.store.update(steps=8, prompt="a lake")
    backend.gated = True
    studio.window.painting.submit()
    for number in range(1, 8):
        backend.release()
        studio.wait(lambda number=number: studio.queue.current.step >= number)
    backend.release()
    studio.wait_idle()
    studio.wait(lambda: studio.document.has_picture)
    words = [text for text, _ in said]
    assert words[0] == "Painting has begun."
    assert [text for text in words if "percent" in text] == [
        "25 percent painted.",
        "50 percent painted.",
        "75 percent painted.",
    ]
    assert words[-1] == "The picture is finished."


@pytest.mark.expects_log
def test_cancelling_and_failing_are_told(studio: Studio, backend: FakeBackend, said: list[tuple[str, bool]]) -> None:
    backend.gated = True
    studio.window.painting.submit()
    studio.wait(lambda: studio.queue.running is not None)
    studio.window.painting.stop()
    studio.wait_idle()
    assert ("Cancelled. The picture is as it was.", False) in said
    backend.gated, backend.error = False, RuntimeError("boom")
    studio.window.painting.submit()
    studio.wait_idle()
    studio.wait(lambda: bool(studio.titles))
    text, urgent = said[-1]
    assert studio.titles[0] in text
    assert urgent

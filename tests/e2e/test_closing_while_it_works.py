"""Somebody closes the window while the engine starts or paints: the program ends at once, and the engine with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.closing import MOST_SECONDS, close_once


@pytest.mark.parametrize("moment", ["starting", "painting", "painted"])
def test_the_program_ends_at_once_and_in_order(moment: str, data_dir: Path) -> None:
    closed = close_once(moment, 0.2, data_dir)
    assert closed.status == 0, closed.said
    assert closed.seconds < MOST_SECONDS
    assert closed.engine_gone
    assert closed.settings_kept
    assert closed.waited == (0 if moment == "painted" else 3)
    assert closed.queue_kept
    assert not closed.torch_in_window, "the window's process has imported torch"
    assert "QThread" not in closed.said
    assert "Traceback" not in closed.said

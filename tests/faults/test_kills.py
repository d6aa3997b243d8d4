"""A few kills of the real window; ``python -m tests.faults.kills`` does hundreds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.kills import KillTest
from tests.faults.witness import seconds_lost


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and a clock that all processes share")
def test_nothing_older_than_a_second_is_lost(tmp_path: Path) -> None:
    test = KillTest(tmp_path, seed=11)
    for _ in range(5):
        test.kill()
    figures = test.figures
    assert figures.wrong == []
    assert figures.damaged == 0
    assert figures.kills == 5
    assert figures.restored == figures.offered >= 2
    assert figures.lost <= 1.0
    assert figures.files > 0


def test_what_is_missing_is_counted_from_the_first_change() -> None:
    seen = [{"at": float(at), "thing": "document", "value": value} for at, value in enumerate("abcbd")]
    assert seconds_lost(seen, "document", "d", 9.0) == 0.0
    assert seconds_lost(seen, "document", "b", 9.0) == 5.0  # the second b: only d is missing
    assert seconds_lost(seen, "document", "a", 9.0) == 8.0
    assert seconds_lost(seen, "document", "x", 9.0) is None

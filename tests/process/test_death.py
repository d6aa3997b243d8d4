"""Why the engine went away is said in words, and what can be done about it."""

from __future__ import annotations

import sys

import pytest

from app.process.death import lost, too_often

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


@posix
@pytest.mark.parametrize(
    ("status", "fault", "happened", "advice"),
    [
        (-9, "", "was ended from outside, most often because the system ran out of memory.", "smaller size"),
        (-7, "", "ended because a file of the model changed or went away while it was in use.", "disk is connected"),
        (-6, "", "ended unexpectedly (SIGABRT).", ""),
        (3, "", "ended unexpectedly (status 3).", ""),
        (-6, "stood still for 240 seconds", "stood still for 240 seconds and was ended.", ""),
    ],
)
def test_once_it_is_told_and_made_good(status: int, fault: str, happened: str, advice: str) -> None:
    error = lost(status, fault, "words")
    assert error.message == f"The painting engine {happened}"
    assert error.remedy.startswith("A new engine is getting ready.")
    assert advice in error.remedy
    assert error.details == "words"
    often = too_often(3, status, fault, "words")
    assert "3 times in a row" in often.message
    assert often.remedy.startswith(f"The last time it {happened} ")
    assert (advice or "limner doctor") in often.remedy
    assert "getting ready" not in often.remedy
    assert "save first" in often.remedy

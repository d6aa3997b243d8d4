"""The real engine in a process of its own dies in the middle of a picture."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import numpy as np
import psutil
import pytest
from PySide6.QtWidgets import QPushButton

from app.core.request import Request
from app.diffusion.engine import Engine
from tests.e2e.conftest import Artist

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


class Nobody:
    """Hooks of somebody who only wants the picture."""

    def cancelled(self) -> bool:
        return False

    def entered(self, phase: object) -> None: ...

    def stepped(self, step: int, total: int, preview: object) -> None: ...

    def made(self, candidate: object) -> None: ...


def engine_of(artist: Artist) -> psutil.Process:
    def children() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if child.cmdline()[-1] == "engine"]

    artist.wait(lambda: bool(children()))
    return children()[0]


def offers(artist: Artist) -> list[str]:
    return [button.text() for button in artist.window.notices.findChildren(QPushButton)]


def test_the_same_picture_comes_from_the_engine_after_it(open_studio: Callable[..., Artist]) -> None:
    artist = open_studio(apart=True)
    artist.write("promptEdit", "a red house")
    artist.store.update(steps=6)
    requests: list[Request] = []
    artist.queue.changed.connect(lambda job: requests.append(job.request))
    artist.click("generateButton")
    artist.wait(lambda: artist.queue.running is not None and artist.queue.running.step >= 2)
    os.kill(engine_of(artist).pid, signal.SIGKILL)
    artist.wait(lambda: "Paint it again" in offers(artist))
    artist.choose("Paint it again")
    artist.wait(lambda: bool(artist.results))
    assert requests[0] == artist.results[0].request
    inside = Engine().run(requests[0], Nobody())
    np.testing.assert_array_equal(artist.results[0].image, inside.image)
    assert artist.results[0].trail == inside.trail

"""Somebody opens the studio for the first time, types a prompt and gets a picture."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, Qt

from app.core.geometry import Rect
from app.core.job import Backend, Mode
from tests.e2e.conftest import Artist

CTRL = Qt.KeyboardModifier.ControlModifier


def test_a_prompt_becomes_a_picture(artist: Artist) -> None:
    assert artist.desk.shelf.current is not None
    assert artist.desk.shelf.current.starter
    artist.write("promptEdit", "snowy mountains at sunset, a lake")
    artist.find("stepsSpin").setValue(12)
    artist.store.update(seed_locked=True, seed=3)
    artist.qtbot.keyClick(artist.find("promptEdit"), Qt.Key.Key_Return, CTRL)
    artist.wait(lambda: len(artist.results) == 1)
    result = artist.results[0]
    assert result.mode is Mode.TEXT_TO_IMAGE
    assert result.steps == 12
    assert artist.document.has_picture
    np.testing.assert_array_equal(artist.document.pixels(), result.image)
    native = artist.desk.shelf.current.native_size
    assert result.image.shape == (native, native, 3)
    assert _is_a_picture(result.image)
    assert artist.previews
    assert all(preview.box == Rect(0, 0, native, native) for preview in artist.previews)
    last = np.asarray(artist.previews[-1].pixels[..., :3], float)
    blocks = result.image.reshape(last.shape[0], 8, last.shape[1], 8, 3).mean(axis=(1, 3))
    alike = np.corrcoef(last.ravel(), blocks.ravel())[0, 1]
    assert alike > 0.35, "the last preview resembles the picture, as far as a linear map can tell"
    artist.press(Qt.Key.Key_Z, CTRL)
    assert not artist.document.has_picture


def _is_a_picture(image: np.ndarray) -> bool:
    """Neither flat nor noise: colours differ across the picture and neighbours are alike."""
    spread = image.std(axis=(0, 1)).mean()
    neighbours = np.abs(np.diff(image.astype(int), axis=1)).mean()
    return bool(spread > 15 and neighbours < spread / 2)


def test_a_locked_seed_gives_the_same_picture_again(artist: Artist) -> None:
    artist.write("promptEdit", "night, a lake")
    artist.find("stepsSpin").setValue(4)
    artist.store.update(seed_locked=True, seed=77)
    first, second = artist.paint().image, artist.paint().image
    np.testing.assert_array_equal(first, second)
    artist.find("seedSpin").setValue(78)
    assert (artist.paint().image != first).any()


def test_one_can_paint_and_ask_before_the_engine_is_there(open_studio: Callable[..., Artist]) -> None:
    """The engine is held back until a stroke is painted and a job waits; both are then as they were."""
    may_load = threading.Event()

    def engine() -> Backend:
        from app.diffusion.engine import Engine

        assert may_load.wait(60)
        return Engine()

    artist = open_studio(engine)
    artist.write("promptEdit", "hills at noon")
    artist.find("stepsSpin").setValue(3)
    artist.click("generateButton")
    assert artist.queue.current is not None
    artist.drag(QPoint(30, 30), QPoint(60, 30))
    assert not artist.document.mask_empty
    mask = artist.document.mask_pixels()
    assert not artist.results
    may_load.set()
    artist.wait(lambda: len(artist.results) == 1)
    np.testing.assert_array_equal(artist.document.mask_pixels(), mask)
    assert artist.document.has_picture

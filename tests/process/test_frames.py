"""What crosses to the engine's process and back: values, whole, once, and nothing but values."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.core.geometry import Size
from app.core.job import Finished, Made
from app.core.request import Inpaint, Request
from app.core.samplers import Sampler
from app.core.trail import Branch
from app.process.frames import VERSION, CutShortError, FrameError, read_frame, write_frame
from app.process.messages import Known, Run, trouble_of
from tests.core.test_pickling import VALUES, same
from tests.fakes import result_of, some_trail

IMAGE = np.random.default_rng(0).integers(0, 256, (80, 160, 3), np.uint8)


def inpaint(**changes: object) -> Request:
    mask = np.full((80, 160), 9, np.uint8)
    task = Inpaint(image=IMAGE, mask=mask)
    return Request(prompt="a", model="/m", size=Size(160, 80), task=task, **changes)  # type: ignore[arg-type]


def framed(value: object, known: Known | None = None) -> bytes:
    pipe = io.BytesIO()
    write_frame(pipe, value, known)
    return pipe.getvalue()


def crossed(value: object) -> object:
    return read_frame(io.BytesIO(framed(value)))


@pytest.mark.parametrize(
    "value", [value for value in VALUES if not isinstance(value, Sampler)], ids=lambda value: type(value).__name__
)
def test_values_come_back_the_same(value: object) -> None:
    assert same(crossed(value), value)


def test_several_values_follow_one_another_until_the_pipe_ends() -> None:
    pipe = io.BytesIO(framed(Run(1, inpaint())) + framed("last"))
    assert isinstance(read_frame(pipe), Run)
    assert read_frame(pipe) == "last"
    assert read_frame(pipe) is None


def test_a_request_that_crossed_is_still_read_only() -> None:
    back = crossed(inpaint())
    assert isinstance(back, Request)
    assert isinstance(back.task, Inpaint)
    assert not back.task.image.flags.writeable
    assert not back.task.mask.flags.writeable


def test_what_both_sides_hold_is_named_and_not_sent() -> None:
    request = inpaint(count=2, seed=3)
    here, there = Known(request), Known(crossed(request))  # type: ignore[arg-type]
    candidates = [result_of(request.alone(n), IMAGE // (n + 1), trail=some_trail()) for n in range(2)]
    for candidate in candidates:
        frame = framed(Made(1, candidate), here)
        assert len(frame) < IMAGE.nbytes + 2 * some_trail().latents.nbytes + 4000, "source or mask were sent back"
        back = read_frame(io.BytesIO(frame), lambda: there)
        assert same(back.candidate, candidate)
        assert back.candidate.request.task is there.thing("task")
        here.made(candidate)
        there.made(back.candidate)
    last = framed(Finished(1, candidates[0]), here)
    assert len(last) < 4000, "pictures and steps were sent twice"
    assert same(read_frame(io.BytesIO(last), lambda: there).result, candidates[0])


def test_kept_steps_that_a_request_came_with_do_not_come_back() -> None:
    trail = some_trail(Request(prompt="", model="m", size=Size(160, 80), steps=3))
    request = Request(prompt="", model="m", size=Size(160, 80), steps=3, seed=0, resume=Branch(trail, 1))
    known = Known(request)
    back = read_frame(io.BytesIO(framed(Made(1, result_of(request, IMAGE, trail=trail)), known)), lambda: known)
    assert back.candidate.trail is trail
    assert back.candidate.request is request


def test_nothing_but_values_of_ours_crosses(tmp_path: Path) -> None:
    class Mine:
        def __reduce__(self) -> object:
            return os.mkdir, (str(tmp_path / "made"),)

    for thing in (Mine(), tmp_path, ValueError("x"), trouble_of):
        with pytest.raises(FrameError):
            crossed(thing)
    assert not (tmp_path / "made").exists()


def test_a_function_of_ours_does_not_cross_either() -> None:
    with pytest.raises(FrameError):
        crossed(same)
    text = b"capp.core.settings\nload_settings\n."
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(framed(0).replace(pickle.dumps(0, 5), text)))


def test_a_small_frame_is_written_at_once_and_a_large_one_is_not_copied() -> None:
    class Pipe(io.BytesIO):
        writes = 0

        def write(self, data: object) -> int:
            self.writes += 1
            return super().write(data)  # type: ignore[arg-type]

    small, large = Pipe(), Pipe()
    write_frame(small, np.zeros((16, 16, 4), np.uint8))
    write_frame(large, np.zeros((300, 300, 4), np.uint8))
    assert (small.writes, large.writes) == (1, 3)
    for pipe in (small, large):
        pipe.seek(0)
        assert not read_frame(pipe).any()


@pytest.mark.parametrize("length", [1, 7, 8, 15, 20, 60])
def test_a_pipe_that_ends_within_a_frame_is_told(length: int) -> None:
    with pytest.raises(CutShortError):
        read_frame(io.BytesIO(framed(Run(1, inpaint()))[:length]))


def test_another_version_is_told() -> None:
    frame = bytearray(framed("x"))
    frame[4] = VERSION + 1
    with pytest.raises(FrameError, match="version"):
        read_frame(io.BytesIO(frame))


AFEW = settings(max_examples=200, deadline=None, derandomize=True, phases=[Phase.generate])


@AFEW
@given(st.binary(max_size=200))
def test_noise_is_no_frame_and_nothing_worse(noise: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert noise == b"" or read_frame(io.BytesIO(noise)) is not None


@AFEW
@given(st.data())
def test_a_damaged_frame_is_told_or_read(data: st.DataObject) -> None:
    frame = bytearray(framed(some_trail()))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, min(400, len(frame) - 1)))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FrameError):
        read_frame(io.BytesIO(frame))

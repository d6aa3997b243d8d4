"""A damaged journal gives what is whole in it, or a sentence; never a crash, never pixels that were not there."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.library.journal.log import Kind, LogFile, framed, records
from app.library.journal.reader import Fetcher, JournalError, read_session
from app.library.journal.tiles import chunks_from, digest, joined_array, packed, unpacked
from app.library.journal.timeline import Timeline
from tests.library.journal.test_writer import Session
from tests.library.journal.writing import Planes, only_session, pixels

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Planes]]:
    """A journal of some steps, and what each of them looked like."""
    root = tmp_path_factory.mktemp("journal")
    session = Session(root)
    for _ in range(4):
        session.step()
    session.settle()
    data = (only_session(root) / "1.log").read_bytes()
    session.writer.close(remove=True)
    return data, session.states


def check(folder: Path, data: bytes, states: list[Planes]) -> int:
    """How many states are there; all of them as they were."""
    path = folder / "1.log"
    path.write_bytes(data)
    try:
        recovered = read_session(folder)
    except JournalError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert said.endswith(".")
        return 0
    with Fetcher(recovered) as fetch:
        for state, planes in zip(recovered.timeline.states, states, strict=False):
            found = pixels(state, fetch)
            assert all(np.array_equal(found[name], planes[name]) for name in planes)
    assert path.read_bytes() == data
    assert [entry.name for entry in folder.iterdir()] == ["1.log"]
    return len(recovered.timeline.states)


@QUICK
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3))
def test_bytes_that_flipped(flips: list[tuple[float, int]], whole: tuple[bytes, list[Planes]], tmp_path: Path) -> None:
    data = bytearray(whole[0])
    for place, by in flips:
        data[int(place * len(data))] ^= by
    check(tmp_path, bytes(data), whole[1])


@QUICK
@given(place=st.floats(0, 1))
def test_cut_off_anywhere(place: float, whole: tuple[bytes, list[Planes]], tmp_path: Path) -> None:
    check(tmp_path, whole[0][: int(place * len(whole[0]))], whole[1])


def test_cut_off_in_the_last_record_only_the_last_step_is_missing(
    whole: tuple[bytes, list[Planes]], tmp_path: Path
) -> None:
    data, states = whole
    assert check(tmp_path, data, states) == len(states)
    for missing in (1, 5, 40):
        assert check(tmp_path, data[:-missing], states) == len(states) - 1
    assert check(tmp_path, data + bytes(4096), states) == len(states)  # what a power cut leaves of a file that grew


@QUICK
@given(data=st.binary(max_size=300))
def test_noise(data: bytes, tmp_path: Path) -> None:
    check(tmp_path, data, [])
    check(tmp_path, b"LmJ1" + data, [])


_PLACES = ["at", "text", "values", "planes", "gone", "change", "shape", "tiles", "index", "below"]
_WORDS = st.sampled_from(
    [*_PLACES, "name", "value", "arrays", "dtype", "pieces", "version", "picture", "mask", "0", "7"]
)
_LEAVES = st.none() | st.booleans() | st.integers(-3, 400) | st.integers() | st.floats() | st.text(max_size=5)
_HEX = st.integers(0, 3).map(lambda count: digest(b"x").hex() * count)
_TREES = st.recursive(
    _LEAVES | _HEX | st.just("uint8"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=15,
)
_RECORDS = st.lists(st.tuples(st.sampled_from(Kind), st.dictionaries(_WORDS, _TREES, max_size=7)), max_size=6)


@QUICK
@given(told=_RECORDS)
def test_records_that_are_whole_and_say_nonsense(told: list[tuple[Kind, dict[str, Any]]], tmp_path: Path) -> None:
    payloads = [(kind, json.dumps(plain).encode()) for kind, plain in told]
    good = framed(Kind.TILE, packed(digest(b"x"), b"x")) + framed(
        Kind.BASE, json.dumps({"at": 0, "values": {}, "planes": {}, "gone": []}).encode()
    )
    check(tmp_path, good + b"".join(framed(kind, payload) for kind, payload in payloads), [])
    timeline = Timeline()
    for kind, payload in payloads:
        before = (list(timeline.states), timeline.index, list(timeline.texts))
        try:
            timeline.apply(kind, payload, {digest(b"x")})
        except ValueError:
            assert before == (timeline.states, timeline.index, timeline.texts)
        assert len(timeline.states) == len(timeline.texts) + 1
        assert timeline.first <= timeline.index <= timeline.last


@QUICK
@given(plain=_TREES)
def test_arrays_that_are_none(plain: Any) -> None:
    try:
        chunks = chunks_from(plain)
    except ValueError:
        return
    try:
        joined_array(chunks, lambda name, size: bytes(size))
    except ValueError:
        return


@pytest.mark.parametrize("payload", [b"", b"short", digest(b"") + b"\x07" + bytes(4), packed(digest(b"a"), b"a" * 9)])
def test_tiles_that_are_none(payload: bytes) -> None:
    with pytest.raises(ValueError, match="tile"):
        unpacked(payload, 4)


def test_a_tile_that_would_fill_the_memory_is_refused() -> None:
    bomb = packed(digest(b""), bytes(100_000_000))
    assert len(bomb) < 1_000_000
    with pytest.raises(ValueError, match="another size"):
        unpacked(bomb, 65_536)


def test_deep_nesting(tmp_path: Path) -> None:
    check(tmp_path, framed(Kind.BASE, b"[" * 200_000), [])
    check(tmp_path, framed(Kind.BASE, b'{"a":' * 200_000), [])


def test_a_length_that_damage_made_is_not_believed() -> None:
    assert list(records(io.BytesIO(b"LmJ1\x02\xff\xff\xff\xff" + bytes(100)))) == []


def test_a_file_is_cut_back_to_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "1.log"
    good = framed(Kind.SEAL, b"{}")
    path.write_bytes(good + b"rubbish")
    file = LogFile(path, len(good))
    file.append(framed(Kind.MOVE, b"{}"))
    file.close()
    with path.open("rb") as reading:
        assert [record.kind for record in records(reading)] == [Kind.SEAL, Kind.MOVE]

"""The index of the history: finding, numbering, and databases of every earlier version."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.library.history_index import MIGRATIONS, Entry, HistoryIndex, Search, Usage


def entry(id: int, **changes: object) -> Entry:
    values: dict[str, object] = {"made": float(id), "width": 64, "height": 48, "bytes": 100, "prompt": "a calm lake"}
    values |= {"negative": "fog", "model": "Landscapes", "seed": 2**63 - 1, "mode": "text-to-image", "seconds": 1.5}
    return Entry(id=id, **(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def index(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = HistoryIndex(tmp_path / "index.db")
    yield made
    made.close()


def test_entries_come_back_the_same(index: HistoryIndex) -> None:
    entries = [entry(1), entry(2, prompt="猫", starred=True)]
    index.add(entries)
    assert sorted(index.entries([1, 2, 3]), key=lambda each: each.id) == entries


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(), [4, 3, 2, 1]),
        (Search(words="lake"), [4, 1]),
        (Search(words="LAK cal"), [1]),
        (Search(words="lake -calm"), [1]),
        (Search(words="hills"), [3, 2]),
        (Search(words="other"), [3]),  # the model's name
        (Search(words="nowhere"), []),
        (Search(words='"; DROP TABLE entries; --'), []),
        (Search(words="* AND OR NEAR("), []),
        (Search(words="  \n"), [4, 3, 2, 1]),
        (Search(starred=True), [3, 1]),
        (Search(since=2.5), [4, 3]),
        (Search(words="hills", starred=True, since=2.5), [3]),
        (Search(words="Ete"), [4]),  # accents do not matter
    ],
)
def test_searching(index: HistoryIndex, search: Search, found: list[int]) -> None:
    index.add([entry(1, starred=True), entry(2, prompt="red hills, dusk"), entry(4, prompt="Été, a lake")])
    index.add([entry(3, prompt="green hills", model="Other One", starred=True)])
    assert list(index.find(search)) == found


@settings(max_examples=100, deadline=None)
@given(words=st.text(max_size=60))
def test_any_words_may_be_looked_for(words: str) -> None:
    index = HistoryIndex(Path(":memory:"))
    index.add([entry(1, prompt=words.encode("utf-8", "replace").decode())])
    index.find(Search(words=words))
    index.close()


def test_what_is_removed_is_found_no_more(index: HistoryIndex) -> None:
    index.add([entry(1), entry(2)])
    index.remove([1])
    assert list(index.find(Search(words="lake"))) == [2]
    assert index.usage() == Usage(1, 100)


def test_stars(index: HistoryIndex) -> None:
    index.add([entry(1), entry(2)])
    index.star(2, True)
    assert list(index.find(Search(starred=True))) == [2]
    index.star(2, False)
    assert list(index.find(Search(starred=True))) == []


def test_the_oldest_without_a_star_go_first(index: HistoryIndex) -> None:
    index.add([entry(1, starred=True), entry(2, bytes=50), entry(3), entry(4)])
    assert index.oldest(0) == []
    assert index.oldest(60) == [2, 3]
    assert index.oldest(10**9) == [2, 3, 4]


def test_numbers_are_given_once_whoever_asks(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    HistoryIndex(path).close()
    given: list[int] = []

    def ask() -> None:
        own = HistoryIndex(path)
        given.extend([own.next_id() for _ in range(25)])
        own.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 101))


def test_numbers_are_never_given_again(index: HistoryIndex) -> None:
    index.add([entry(7)])
    index.remove([7])
    assert index.next_id() == 8


def at_version(path: Path, version: int) -> None:
    """A database as a Limner of that version left it, with one entry if it could hold any."""
    base = sqlite3.connect(path)
    for step in MIGRATIONS[:version]:
        base.executescript(step)
    if version:
        base.execute(
            "INSERT INTO entries VALUES (5, 9.5, 8, 8, 77, 'a calm lake', 'fog', 'Old', 3, 'text-to-image', 2.0, 1)"
        )
        base.execute("UPDATE counter SET last = 5")
    base.execute(f"PRAGMA user_version = {version}")
    base.commit()
    base.close()


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_databases_of_every_earlier_version_are_brought_up_to_date(tmp_path: Path, version: int) -> None:
    at_version(tmp_path / "index.db", version)
    index = HistoryIndex(tmp_path / "index.db")
    index.add([entry(6)])
    assert list(index.find(Search(words="calm"))) == ([6, 5] if version else [6])
    assert list(index.find(Search(starred=True))) == ([5] if version else [])
    assert index.next_id() == 7
    index.close()
    again = HistoryIndex(tmp_path / "index.db")
    assert again.usage().count == (2 if version else 1)
    again.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_version(tmp_path / "index.db", 1)
    broken = (MIGRATIONS[0], "CREATE TABLE half (a); SELECT no_such_function();")
    with monkeypatch.context() as patched:
        patched.setattr("app.library.history_index.MIGRATIONS", broken)
        with pytest.raises(sqlite3.OperationalError):
            HistoryIndex(tmp_path / "index.db")
    index = HistoryIndex(tmp_path / "index.db")
    assert list(index.find(Search(words="calm"))) == [5]
    index.close()


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    at_version(tmp_path / "index.db", len(MIGRATIONS))
    base = sqlite3.connect(tmp_path / "index.db")
    base.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    base.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer"):
        HistoryIndex(tmp_path / "index.db")

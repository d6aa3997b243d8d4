"""The index of the history: an SQLite database that can be thrown away and made anew from the pictures' files."""

from __future__ import annotations

import array
import contextlib
import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

log = logging.getLogger(__name__)

_PATIENCE_MS = 5000
"""How long one writer waits for another: two windows may share a history."""
_MOST_WORDS = 32

MIGRATIONS = (
    """
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY, made REAL NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
        bytes INTEGER NOT NULL, prompt TEXT NOT NULL, negative TEXT NOT NULL, model TEXT NOT NULL,
        seed INTEGER NOT NULL, mode TEXT NOT NULL, seconds REAL NOT NULL, starred INTEGER NOT NULL);
    CREATE TABLE counter (last INTEGER NOT NULL);
    INSERT INTO counter SELECT 0;
    """,
    """
    CREATE VIRTUAL TABLE words USING fts5 (
        prompt, negative, model, content='entries', content_rowid='id', prefix='2 3',
        tokenize='unicode61 remove_diacritics 2');
    CREATE TRIGGER entries_added AFTER INSERT ON entries BEGIN
        INSERT INTO words (rowid, prompt, negative, model) VALUES (new.id, new.prompt, new.negative, new.model);
    END;
    CREATE TRIGGER entries_removed AFTER DELETE ON entries BEGIN
        INSERT INTO words (words, rowid, prompt, negative, model)
        VALUES ('delete', old.id, old.prompt, old.negative, old.model);
    END;
    INSERT INTO words (words) VALUES ('rebuild');
    """,
    """
    CREATE INDEX entries_in_short ON entries (id, starred, made, bytes);
    """,
)
"""From each version of the database to the next; its version is how many were run. In the last one: the rows are long,
and reading all of them for their ids would take too long."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One kept picture, as much of it as is looked for. ``made``: seconds since 1970. ``mode``: the value of a Mode."""

    id: int
    made: float
    width: int
    height: int
    bytes: int
    prompt: str
    negative: str
    model: str
    seed: int
    mode: str
    seconds: float
    starred: bool = False


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for: beginnings of words in prompts and model names, all of which must be there; stars; a time."""

    words: str = ""
    starred: bool = False
    since: float | None = None


@dataclass(frozen=True)
class Usage:
    count: int
    bytes: int


class HistoryIndex:
    """One connection. Not for two threads at a time. Methods raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        """Open or make it, and bring it up to date. Raises sqlite3.DatabaseError for a newer one, and for damage that
        shows at once."""
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_PATIENCE_MS / 1000)
        try:
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
        except BaseException:
            self._base.close()
            raise

    def close(self) -> None:
        self._base.close()

    def check(self) -> None:
        """Look at every page, which takes a moment in a large one. Raises sqlite3.DatabaseError for damage."""
        (said,) = self._base.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)

    def next_id(self) -> int:
        """A number that no other entry has or will have, whoever else writes."""
        with self._writing():
            self._base.execute("UPDATE counter SET last = last + 1")
            (last,) = self._base.execute("SELECT last FROM counter").fetchone()
        return int(last)

    def add(self, entries: Iterable[Entry]) -> None:
        """Take them in; one of the same id gives way."""
        with self._writing():
            for entry in entries:
                self._base.execute("DELETE FROM entries WHERE id = ?", (entry.id,))
                self._base.execute(_INSERT, astuple(entry))
                self._base.execute("UPDATE counter SET last = max(last, ?)", (entry.id,))

    def remove(self, ids: Iterable[int]) -> None:
        with self._writing():
            self._base.executemany("DELETE FROM entries WHERE id = ?", ((id,) for id in ids))

    def star(self, id: int, starred: bool) -> None:
        with self._writing():
            self._base.execute("UPDATE entries SET starred = ? WHERE id = ?", (starred, id))

    def find(self, search: Search) -> array.array[int]:
        """The ids that fit, the newest first."""
        words = _words(search.words)
        if not words:
            return array.array("q", self._ids(*_filter(search)))
        named = self._ids("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC", [words])
        if search.starred or search.since is not None:
            # Two answers and their common part: SQLite would look up each id of the one in the other.
            kept = set(self._ids(*_filter(search)))
            named = [id for id in named if id in kept]
        return array.array("q", named)

    def _ids(self, query: str, values: list[object]) -> list[int]:
        return [id for (id,) in self._base.execute(query, values).fetchall()]

    def alike(self, *, prompt: str, seed: int, width: int, height: int, most: int) -> list[int]:
        """The newest that have all of that in common."""
        query = "SELECT id FROM entries WHERE seed = ? AND width = ? AND height = ? AND prompt = ? ORDER BY id DESC"
        return self._ids(f"{query} LIMIT ?", [seed, width, height, prompt, most])

    def entries(self, ids: Sequence[int]) -> list[Entry]:
        """Those of the ids that are there, in any order."""
        marks = ",".join("?" * len(ids))
        rows = self._base.execute(f"SELECT {_COLUMNS} FROM entries WHERE id IN ({marks})", list(ids))
        return [_entry(row) for row in rows]

    def usage(self) -> Usage:
        query = f"SELECT count(*), coalesce(sum(bytes), 0) FROM {_IN_SHORT}"
        count, size = self._base.execute(query).fetchone()
        return Usage(count, size)

    def oldest(self, excess: int) -> list[int]:
        """Entries without a star that hold at least ``excess`` bytes together, or all of them, the oldest first."""
        ids = []
        for id, size in self._base.execute(f"SELECT id, bytes FROM {_IN_SHORT} WHERE NOT starred ORDER BY id"):
            if excess <= 0:
                break
            ids.append(id)
            excess -= size
        return ids

    def _migrate(self) -> None:
        with self._writing():
            (version,) = self._base.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise sqlite3.DatabaseError(f"made by a newer Limner (version {version})")
            for step in MIGRATIONS[version:]:
                for statement in _statements(step):
                    self._base.execute(statement)
            self._base.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._base.execute("ROLLBACK")
            raise


_COLUMNS = ", ".join(field.name for field in fields(Entry))
_IN_SHORT = "entries INDEXED BY entries_in_short"
_INSERT = f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(Entry)))})"


def _entry(row: Sequence[object]) -> Entry:
    values = dict(zip((field.name for field in fields(Entry)), row, strict=True))
    return Entry(**values | {"starred": bool(values["starred"])})  # type: ignore[arg-type]  # as the columns are


def _filter(search: Search) -> tuple[str, list[object]]:
    """The query for everything but the words."""
    limits, values = list[str](), list[object]()
    if search.starred:
        limits.append("starred")
    if search.since is not None:
        limits.append("made >= ?")
        values.append(search.since)
    where = f" WHERE {' AND '.join(limits)}" if limits else ""
    return f"SELECT id FROM {_IN_SHORT}{where} ORDER BY id DESC", values


def _words(text: str) -> str:
    """The beginnings of words as FTS5 wants them; nothing in the text is taken for its operators."""
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", text)[:_MOST_WORDS])


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: ``executescript`` would end the transaction."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""

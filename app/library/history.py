"""What was painted: every result as a PNG that tells all about itself, found again through an index."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from app.core.atomic import atomic_write
from app.core.errors import PictureError
from app.core.job import Result
from app.core.recipe import Recipe
from app.core.request import Pixels
from app.library import webui
from app.library.history_index import Entry, HistoryIndex, Search, Usage
from app.library.metadata import Told, read_head, read_told, recipe_from, told
from app.library.pictures import decode_picture, read_file
from app.library.saving import save_picture

log = logging.getLogger(__name__)

T = TypeVar("T")
THUMB_SIDE = 160
"""Pixels: the longer side of a thumbnail."""
_BLOCK = 1000
"""Entries in one folder: folders of tens of thousands of files are slow in file managers."""
_MOST_ALIKE = 200
"""Entries of one prompt and seed that are looked through for one picture."""
_ROOM_LEFT = 0.95
"""Housekeeping frees down to this part of the budget, so that it has a rest afterwards."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A picture out of the history, what its file says, and what of that is known here."""

    pixels: Pixels
    told: Told | None
    recipe: Recipe | None


class History:
    """The history in one folder. Calls may come from any thread, but one at a time; all of them may touch the disk.

    The files are the truth: ``NNN/NNNNNNNNN.png`` with a star beside it if it was starred, and a thumbnail that can be
    made anew. An index that is damaged, older than a file or gone is made from them.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Raises OSError where the folder or the index cannot be written."""
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        self._base = self._opened()
        self._empty_trash()
        self._adopt(sorted(self._blocks())[-2:])

    def close(self) -> None:
        self._base.close()

    def check(self) -> None:
        """Look for damage in the index, and make it anew if there is any. Raises OSError."""
        self._safely(lambda: self._base.check())

    # Writing

    def add(self, result: Result) -> Entry:
        """Keep the result. Raises PictureError where it cannot be written."""
        try:
            id = self._safely(lambda: self._base.next_id())
            path = self.path(id)
            path.parent.mkdir(exist_ok=True)
            size = save_picture(path, result.image, told(result)).size
            self._make_thumbnail(id, result.image)
            entry = self._entry(id, size, result)
            self._safely(lambda: self._base.add([entry]))
        except (OSError, PictureError) as error:
            reason = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
            raise PictureError(
                f"The new picture could not be kept in the history: {reason}",
                "It is in the window all the same: save it yourself, and look at the disk of the data folder.",
            ) from error
        return entry

    def _entry(self, id: int, size: int, result: Result) -> Entry:
        request = result.request
        return Entry(
            id=id,
            made=self._clock(),
            width=result.image.shape[1],
            height=result.image.shape[0],
            bytes=size,
            prompt=request.prompt,
            negative=request.negative,
            model=result.model_name,
            seed=request.seed,
            mode=result.mode.value,
            seconds=result.seconds,
        )

    def star(self, id: int, starred: bool) -> None:
        """Raises OSError."""
        mark = self._star(id)
        if starred:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)
        self._safely(lambda: self._base.star(id, starred))

    def remove(self, ids: Sequence[int]) -> None:
        """Move them out of sight; ``restore`` brings them back until the history is opened the next time."""
        self._trash.mkdir(exist_ok=True)
        for id in ids:
            for path in (self.path(id), self._star(id)):
                with contextlib.suppress(OSError):
                    path.replace(self._trash / path.name)
            self._thumbnail(id).unlink(missing_ok=True)
        self._safely(lambda: self._base.remove(ids))

    def restore(self, ids: Sequence[int]) -> None:
        for id in ids:
            for path in (self.path(id), self._star(id)):
                with contextlib.suppress(OSError):
                    (self._trash / path.name).replace(path)
        found = [entry for id in ids if (entry := self._read(id)) is not None]
        self._safely(lambda: self._base.add(found))

    def trim(self, budget: int) -> int:
        """Delete the oldest entries without a star until the rest fits into ``budget`` bytes. How many went."""
        usage = self._safely(lambda: self._base.usage())
        if usage.bytes <= budget:
            return 0
        ids = self._safely(lambda: self._base.oldest(round(usage.bytes - budget * _ROOM_LEFT)))
        for id in ids:
            self.path(id).unlink(missing_ok=True)
            self._thumbnail(id).unlink(missing_ok=True)
        self._safely(lambda: self._base.remove(ids))
        return len(ids)

    # Reading; all of it raises OSError where the index cannot be used

    def find(self, search: Search) -> array[int]:
        """The ids of what fits, the newest first."""
        return self._safely(lambda: self._base.find(search))

    def number_of(self, result: Result) -> int | None:
        """The newest entry that is this very picture; None when it is not kept."""
        height, width = result.image.shape[:2]
        request = result.request
        ids = self._safely(
            lambda: self._base.alike(
                prompt=request.prompt, seed=request.seed, width=width, height=height, most=_MOST_ALIKE
            )
        )
        for id in ids:
            with contextlib.suppress(PictureError):
                if np.array_equal(self.picture(id).pixels, result.image):
                    return id
        return None

    def entries(self, ids: Sequence[int]) -> list[Entry]:
        """In the order of the ids; what is gone is left out."""
        known = {entry.id: entry for entry in self._safely(lambda: self._base.entries(ids))}
        return [known[id] for id in ids if id in known]

    def usage(self) -> Usage:
        return self._safely(lambda: self._base.usage())

    def path(self, id: int) -> Path:
        return self._folder / f"{id // _BLOCK:03}" / f"{id:09}.png"

    def picture(self, id: int) -> Kept:
        """The picture and what it tells. Raises PictureError."""
        data = read_file(self.path(id))
        pixels = decode_picture(data, self.path(id).name).pixels
        found = read_told(data)
        return Kept(pixels, found, None if found is None else recipe_from(found, pixels))

    def thumbnail(self, id: int) -> bytes | None:
        """A small JPEG, made anew if it is missing; None when there is no picture to make it from."""
        try:
            return self._thumbnail(id).read_bytes()
        except OSError:
            pass
        try:
            return self._make_thumbnail(id, self.picture(id).pixels)
        except PictureError as error:
            log.info("no thumbnail of %d: %s", id, error)
            return None

    # Files

    @property
    def _trash(self) -> Path:
        return self._folder / "trash"

    def _star(self, id: int) -> Path:
        return self.path(id).with_suffix(".star")

    def _thumbnail(self, id: int) -> Path:
        return self.path(id).with_suffix(".jpg")

    def _make_thumbnail(self, id: int, pixels: Pixels) -> bytes:
        from PIL import Image

        image = Image.fromarray(np.ascontiguousarray(pixels))
        image.thumbnail((THUMB_SIDE, THUMB_SIDE), reducing_gap=2.0)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
        with contextlib.suppress(OSError):  # it is made anew when it is wanted
            atomic_write(self._thumbnail(id), buffer.getvalue())
        return buffer.getvalue()

    def _empty_trash(self) -> None:
        with contextlib.suppress(OSError):
            for path in self._trash.iterdir():
                path.unlink()

    # The index

    @property
    def _index(self) -> Path:
        return self._folder / "index.db"

    def _opened(self) -> HistoryIndex:
        fresh = not self._index.exists()
        try:
            base = HistoryIndex(self._index)
        except sqlite3.OperationalError as error:
            raise OSError(f"the index of the history cannot be opened ({error})") from error  # locked, or read-only
        except sqlite3.DatabaseError as error:
            log.info("the index of the history is made anew: %s", error)
            self._move_aside()
            base, fresh = HistoryIndex(self._index), True
        if fresh:
            base.add(self._all_read(sorted(self._blocks())))
        return base

    def _move_aside(self) -> None:
        for ending in ("", "-wal", "-shm"):
            path = self._index.with_name(self._index.name + ending)
            with contextlib.suppress(OSError):
                path.replace(path.with_name(path.name + ".damaged"))

    def _safely(self, work: Callable[[], T]) -> T:
        """Do it, and once more on an index made anew if this one turns out to be damaged."""
        try:
            return work()
        except sqlite3.OperationalError as error:  # locked, or a full disk: another index would not help
            raise OSError(f"the index of the history cannot be used ({error})") from error
        except sqlite3.DatabaseError as error:
            log.info("the index of the history is damaged: %s", error)
            self._base.close()
            self._move_aside()
            self._base = self._opened()
            return work()

    def _adopt(self, blocks: Iterable[Path]) -> None:
        """Take in files that are newer than the index: the program may have ended between the two."""
        known = set(self._safely(lambda: self._base.find(Search())))
        missing = [id for block in blocks for id in _numbers(block) if id not in known]
        found = [entry for id in missing if (entry := self._read(id)) is not None]
        if found:
            self._safely(lambda: self._base.add(found))

    def _blocks(self) -> Iterator[Path]:
        with os.scandir(self._folder) as found:
            yield from (Path(entry.path) for entry in found if entry.name.isdigit() and entry.is_dir())

    def _all_read(self, blocks: Iterable[Path]) -> Iterator[Entry]:
        for block in blocks:
            for id in _numbers(block):
                if (entry := self._read(id)) is not None:
                    yield entry

    def _read(self, id: int) -> Entry | None:
        """The entry as its file tells it; None for a file that is no picture of ours."""
        path = self.path(id)
        try:
            with path.open("rb") as file:
                head = read_head(file)
                status = os.fstat(file.fileno())
        except OSError as error:
            log.info("%s cannot be read: %s", path, error)
            return None
        if head is None:
            return None
        recipe = webui.parse(head.told.text) or Recipe(values={})
        more = _record(head.told.record)
        seconds = more.get("seconds")
        return Entry(
            id=id,
            made=status.st_mtime,
            width=head.size.width,
            height=head.size.height,
            bytes=status.st_size,
            prompt=recipe.values.get("prompt", ""),
            negative=recipe.values.get("negative", ""),
            model=recipe.model_name,
            seed=recipe.values.get("seed", 0),
            mode=str(more.get("mode", ""))[:40],
            seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
            starred=self._star(id).exists(),
        )


def _numbers(block: Path) -> list[int]:
    """The ids that have a file in a block, in order."""
    with os.scandir(block) as found:
        names = [entry.name for entry in found]
    stems = (name.removesuffix(".png") for name in names if name.endswith(".png"))
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit() and len(stem) < 15)


def _record(text: str) -> dict[str, object]:
    try:
        plain = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}

"""Zip archives from strangers, read within bounds; nothing of them is ever written to the disk."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from types import TracebackType

from app.core.errors import PictureError

MOST_MEMBERS = 5000
MOST_BYTES = 4_000_000_000
"""Of all that is read out of one archive."""
MOST_RATIO = 200
"""How many times larger than packed a file may be; pictures and settings are far below."""
_SMALL = 1_000_000
_AGAIN = "Get the file again, or take an older copy of it."


class Archive:
    """An open zip file. Everything raises PictureError."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._left = MOST_BYTES
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise PictureError(f"There is no file “{path}”.", "Check its name, or whether it was moved.") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise PictureError(f"“{self.name}” cannot be read ({reason}).", "Check the disk that it is on.") from error
        except (zipfile.BadZipFile, NotImplementedError, zlib.error) as error:
            raise self._damaged("it ends early, or is no archive of layers at all") from error
        try:
            self._members = self._checked()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._zip.close()

    def __contains__(self, member: str) -> bool:
        return member in self._members

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    def read(self, member: str, most: int) -> bytes:
        """The file of this name, no more than ``most`` bytes."""
        info = self._members.get(_plain(member))
        if info is None:
            shown = member if len(member) <= 60 else f"{member[:60]}…"
            raise self._damaged(f"“{shown}” is missing in it")
        most = min(most, self._left)
        if info.file_size > most or (
            info.file_size > _SMALL and info.file_size > MOST_RATIO * max(1, info.compress_size)
        ):
            raise self._too_large()
        try:
            with self._zip.open(info) as file:
                content = file.read(most + 1)  # what the archive says of its sizes may be a lie
        except RuntimeError as error:  # what zipfile raises for a password
            raise PictureError(f"“{self.name}” is locked by a password.", "Unlock it first.") from error
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, NotImplementedError, zlib.error) as error:
            raise self._damaged(f"“{member[:60]}” in it cannot be read") from error
        if len(content) > most:
            raise self._too_large()
        self._left -= len(content)
        return content

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        """By plain names. A name that leads out of the archive, or two that are the same, are a trick."""
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise PictureError(f"“{self.name}” holds more than {MOST_MEMBERS:,} files.", _AGAIN)
        members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = _plain(info.filename)
            if ".." in name.split("/") or "\\" in name or ":" in name or "\0" in name:
                raise self._damaged("it names files outside of itself")
            if name in members:
                raise self._damaged("it holds two files of one name")
            members[name] = info
        return members

    def _damaged(self, how: str) -> PictureError:
        return PictureError(f"“{self.name}” is damaged: {how}.", _AGAIN)

    def _too_large(self) -> PictureError:
        return PictureError(f"“{self.name}” unpacks to more than it should.", "It may be a trap: do not use it.")


def _plain(name: str) -> str:
    """Some programs begin the names of their layers with a slash."""
    return name.removeprefix("/").removeprefix("./")

"""The folders of sessions: each is held by the window that writes it, and found by the next start when that is gone."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_LOCK = ".lock"
_DAMAGED = ".damaged"
_GOING = ".going"  # the end of a folder's name while it is deleted


class Held:
    """A session's folder that nobody else can take, until ``release`` or the end of the process, however it comes.

    The lock is a file beside the folder, taken before the folder is made and given back after it is gone: there is no
    moment in which somebody else could take a session that is alive for one that was left.
    """

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor

    @property
    def id(self) -> str:
        return self.folder.name

    def release(self) -> None:
        """Leave the folder where it is, for whoever comes next."""
        if self._descriptor >= 0:
            _unlock(self._descriptor)
            self._descriptor = -1

    def set_aside(self) -> None:
        """Nothing can be made of it: it is not found any more, and left for whoever wants to look."""
        with contextlib.suppress(OSError):
            self.folder.replace(self.folder.with_name(self.folder.name + _DAMAGED))
        self.remove()

    def remove(self) -> None:
        """Delete the folder with all that is in it, as far as the disk allows."""
        going = self.folder.with_name(self.folder.name + _GOING)
        with contextlib.suppress(OSError):
            self.folder.replace(going)  # in one moment: half a session is never found
        shutil.rmtree(going, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        lock = _lock_of(self.folder)
        if sys.platform != "win32" and not self.folder.exists():  # before it is given back, or it might be another's
            with contextlib.suppress(OSError):
                lock.unlink(missing_ok=True)
        self.release()
        if sys.platform == "win32" and not self.folder.exists():
            with contextlib.suppress(OSError):
                lock.unlink(missing_ok=True)


def new_session(root: Path, clock: Callable[[], float] = time.time) -> Held:
    """A folder of one's own. Raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    while True:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(max(0.0, clock())))
        folder = root / f"{stamp}-{os.getpid()}-{secrets.token_hex(4)}"
        held = _hold(folder, make=True)
        if held is None:
            continue
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            held.release()
            continue
        except OSError:
            with contextlib.suppress(OSError):
                _lock_of(folder).unlink(missing_ok=True)
            held.release()
            raise
        return held


def left_behind(root: Path) -> list[Held]:
    """The sessions that nobody writes any more, the newest first, held for the caller; litter is cleared away."""
    found = []
    for path in _listed(root):
        if path.name.endswith(_LOCK):
            _clear_lock(path)
        elif path.name.endswith(_GOING):
            _clear_going(path)
        elif path.name.endswith(_DAMAGED):
            continue
        elif path.is_dir() and not path.is_symlink() and (held := _hold(path)) is not None:
            if path.is_dir():
                found.append(held)
            else:
                held.release()  # somebody else was quicker
    return sorted(found, key=lambda held: (_last_written(held.folder), held.id), reverse=True)


def _last_written(folder: Path) -> float:
    times = [_mtime(folder), *(_mtime(path) for path in _listed(folder))]
    return max(times)


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)


def _clear_lock(lock: Path) -> None:
    """Take away a lock without a folder, unless it is just about to get one."""
    folder = lock.with_name(lock.name.removesuffix(_LOCK))
    if not folder.exists() and (held := _hold(folder)) is not None:
        held.remove()


def _clear_going(folder: Path) -> None:
    held = _hold(folder.with_name(folder.name.removesuffix(_GOING)))
    if held is not None:
        held.remove()


def _hold(folder: Path, *, make: bool = False) -> Held | None:
    """None when somebody else holds it, or where it cannot be told. ``make``: then OSError is raised instead."""
    lock = _lock_of(folder)
    for _ in range(20):
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError:
            if make:
                raise
            return None
        if not _locked(descriptor, folder.name):
            os.close(descriptor)
            return None
        if _still_named(descriptor, lock):
            return Held(folder, descriptor)
        _unlock(descriptor)  # it was taken away between the two: what is held has no name any more
    return None


def _still_named(descriptor: int, lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int, name: str) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        os.close(descriptor)

else:
    import fcntl

    def _locked(descriptor: int, name: str) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            log.info("no locks on this file system (%s): process numbers are trusted instead", error)
            return not _alive(name)
        return True

    def _unlock(descriptor: int) -> None:
        os.close(descriptor)  # gives the lock back as well: nobody inherits it


def _alive(name: str) -> bool:
    """Whether the process that made a session of this name is another one and runs."""
    words = name.split("-")
    number = int(words[2]) if len(words) == 4 and words[2].isdecimal() else 0
    if number in (0, os.getpid()):
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sizes(folder: Path) -> Iterator[int]:
    """Bytes of the files in a session's folder."""
    for path in _listed(folder):
        with contextlib.suppress(OSError):
            yield path.stat().st_size

"""Writing a file so that it is there whole or not at all, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def atomic_write(target: Path, data: bytes) -> None:
    """Write ``data`` as the file ``target``; see ``atomic_file``. Raises OSError."""
    with atomic_file(target) as file:
        file.write(data)


@contextlib.contextmanager
def atomic_file(target: Path) -> Iterator[IO[bytes]]:
    """A file to write into (and to seek in), beside ``target``; flushed to the disk and moved into place at the end.

    An error, a full disk or an interrupt at any moment leaves either the old file or the new one, and no litter; a
    power cut may leave a ``.part`` file beside it. Raises OSError.
    """
    target = target.absolute()
    # Named before it is made, so that an interrupt between the two still finds it to clean up. 40 characters are at
    # most 160 bytes: with the rest they stay under the 255 that file systems allow.
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.part")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            temporary.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    """Make the rename itself last through a power cut, where the system can (Windows cannot open folders).

    Failures are passed over: some network file systems refuse, some folders may be written but not read, and the
    file itself is already safe.
    """
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

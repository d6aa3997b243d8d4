"""A folder of pictures to work through: which they are, and where what comes of them goes."""

from __future__ import annotations

import os
from pathlib import Path

from app.core.errors import PictureError

PICTURE_ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"))
MOST_FILES = 100_000


def pictures_in(folder: Path) -> list[Path]:
    """The pictures that lie in the folder itself, by name. Raises PictureError where there is none."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_file())
    except OSError as error:
        raise PictureError(
            f"The folder “{folder}” cannot be read ({error.strerror}).", "Choose another folder."
        ) from error
    found = [folder / name for name in names if Path(name).suffix.lower() in PICTURE_ENDINGS][:MOST_FILES]
    if not found:
        raise PictureError(f"There are no pictures in “{folder}”.", "Choose a folder with pictures in it.")
    return found

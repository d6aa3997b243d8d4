"""Sample sheets: a grid of pictures as PNG or JPEG, with its captions in a text file beside it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor


def save_sheet(path: Path, pictures: Tensor, *, columns: int, captions: Sequence[str] = ()) -> None:
    """pictures: N x 3 x H x W in -1..1, row by row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = ((pictures.float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    count, height, width, _ = pixels.shape
    rows = -(-count // columns)
    grid = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, picture in enumerate(pixels):
        y, x = i // columns * height, i % columns * width
        grid[y : y + height, x : x + width] = picture
    options = {"quality": 90, "subsampling": 0} if path.suffix == ".jpg" else {"optimize": True}
    Image.fromarray(grid).save(path, **options)
    if captions:
        path.with_suffix(".txt").write_text("\n".join(captions) + "\n")

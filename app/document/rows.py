"""The memory of a QImage as rows of bytes, padding included: the ground that all work on pixels stands on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage


def rows(image: QImage) -> NDArray[np.uint8]:
    """H x bytesPerLine, on the image's own memory: it must not outlive the call that holds the image."""
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())


def writable_rows(image: QImage) -> NDArray[np.uint8]:
    """The same to be written; an implicitly shared copy elsewhere (in an undo step, say) keeps its pixels."""
    return np.frombuffer(image.bits(), np.uint8).reshape(image.height(), image.bytesPerLine())  # bits() detaches


def colours(image: QImage) -> NDArray[np.uint32]:
    """H x W numbers of a 32-bit image, on its own memory."""
    return rows(image).view(np.uint32)


def put(image: QImage, box: QRect, source: QImage, part: QRect) -> None:
    """Write what ``source`` shows in ``part`` into ``box``, of the same size, of an image of the same 32-bit format."""
    writable_rows(image).view(np.uint32)[slices(box)] = colours(source)[slices(part)]


def slices(box: QRect) -> tuple[slice, slice]:
    """Where ``box`` lies in the image's rows."""
    return slice(box.y(), box.y() + box.height()), slice(box.x(), box.x() + box.width())

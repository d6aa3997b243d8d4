"""What a stroke is put on, the mask or a layer: the stroke knows how much it covers, the surface what that means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from app.document import images
from app.document.blend import blended, erased, painted
from app.document.raster import Raster

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


class Surface(Protocol):
    """Pixels that a stroke is drawn over; nobody writes them through this."""

    @property
    def box(self) -> QRect:
        """All that can be painted on, in pixels of the surface."""
        ...

    @property
    def key(self) -> int:
        """Another number as soon as somebody has written the pixels."""
        ...

    def part(self, box: QRect) -> NDArray[np.uint8]:
        """The pixels in ``box``: a writable copy."""
        ...

    def covered(self, pixels: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels with a stroke over them that covers so much of each (H x W, 255 = fully)."""
        ...


@dataclass(frozen=True, eq=False)
class MaskSurface:
    """A Grayscale8 mask that is painted on, or taken away."""

    image: QImage
    erase: bool

    @property
    def box(self) -> QRect:
        return self.image.rect()

    @property
    def key(self) -> int:
        return self.image.cacheKey()

    def part(self, box: QRect) -> NDArray[np.uint8]:
        return images.mask_part(self.image, box)

    def covered(self, pixels: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return blended(pixels, cover, erase=self.erase)


@dataclass(frozen=True, eq=False)
class LayerSurface:
    """A layer's image that is painted on in ``colour``, or becomes transparent (None)."""

    image: Raster
    colour: Colour | None

    @property
    def box(self) -> QRect:
        return self.image.rect()

    @property
    def key(self) -> int:
        return self.image.cacheKey()

    def part(self, box: QRect) -> NDArray[np.uint8]:
        return images.layer_part(self.image, box)

    def covered(self, pixels: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return erased(pixels, cover) if self.colour is None else painted(pixels, cover, self.colour)

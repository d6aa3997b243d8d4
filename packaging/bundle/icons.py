"""The program's icon in the forms that the systems want, drawn from the one SVG."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIDES = (16, 24, 32, 48, 64, 128, 256, 512)


def write_icons(svg: Path, folder: Path) -> None:
    """limner.ico for Windows, limner.icns for macOS, and a PNG of each side for Linux."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {side: _drawn(svg, side) for side in SIDES}
    for side, picture in pictures.items():
        picture.save(folder / f"limner-{side}.png")
    largest = pictures[SIDES[-1]]
    small = [pictures[side] for side in SIDES if side <= 256]
    largest.save(folder / "limner.ico", sizes=[picture.size for picture in small], append_images=small)
    largest.save(folder / "limner.icns", append_images=list(pictures.values()))


def _drawn(svg: Path, side: int) -> Image.Image:
    image = QImage(side, side, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(svg)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return Image.open(BytesIO(bytes(buffer.data().data()))).convert("RGBA")

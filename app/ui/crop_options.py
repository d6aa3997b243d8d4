"""The tool options of crop and extend: how large the picture is, and what it can be cropped to at once."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.ui.canvas.view import CanvasView
from app.ui.extent_work import crop_to_frame, crop_to_mask


class CropPage(QWidget):
    """What is done here is a step that undo takes back."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__()
        self._document = canvas.document
        self._line = QLabel()
        self._line.setObjectName("cropLine")
        self._line.setProperty("quiet", True)
        self._to_frame = _button("cropToFrame", "Crop to the frame", "Keep what lies in the frame set by hand (F).")
        self._to_mask = _button("cropToMask", "Crop to the mask", "Keep the smallest box that holds the mask.")
        self._to_frame.clicked.connect(lambda: crop_to_frame(self._document))
        self._to_mask.clicked.connect(lambda: crop_to_mask(self._document))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for widget in (self._line, self._to_frame, self._to_mask):
            row.addWidget(widget)
        row.addStretch(1)
        document = self._document
        for signal in (document.reset, document.picture_changed, document.frame_changed, document.mask_emptied):
            signal.connect(self._show)
        self._show()

    def _show(self, *_: object) -> None:
        document = self._document
        size = document.size
        self._line.setText(f"{size.width} × {size.height}" if document.has_picture else "There is no picture yet.")
        self._to_frame.setEnabled(document.has_picture and document.frame is not None)
        self._to_mask.setEnabled(document.has_picture and not document.mask_empty)


def _button(name: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    button.setToolTip(tip)
    return button

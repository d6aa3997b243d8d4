"""What an empty canvas says: drop a picture, open one, or try an example."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.ui.desk import Desk
from app.ui.icons import icon
from app.ui.recent import icon_size
from app.ui.theme import GRID

_EXAMPLES = 4
_RECENT = 3
_WIDTH = 360
_FALLBACK = (
    "a quiet lake at dawn, mist over the water",
    "snowy mountains under a clear sky",
    "a path through a forest in autumn",
    "the sea at sunset, small waves",
)
"""For models that bring no examples of their own."""


class EmptyState(QFrame):
    """A card in the middle of its parent while there is no picture and none is being painted."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("emptyState")
        self.setAccessibleName("There is no picture yet")
        self._desk = desk
        self._host = parent
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        self._column.setSpacing(GRID)
        self.setFixedWidth(_WIDTH)
        self._column.addWidget(self._make_title())
        self._column.addWidget(self._make_open())
        self._recent = QHBoxLayout()
        self._recent.setSpacing(GRID)
        self._recent.addStretch(1)
        self._recent.addStretch(1)
        self._column.addLayout(self._recent)
        self._recent_cards: list[QToolButton] = []
        self._or = QLabel("or try:")
        self._or.setProperty("quiet", True)
        self._or.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(self._or)
        self._cards: list[QPushButton] = []
        parent.installEventFilter(self)
        desk.shelf.changed.connect(self._fill)
        desk.recent.changed.connect(self._fill_recent)
        for signal in (desk.document.reset, desk.document.changed, desk.queue.changed, desk.candidates.changed):
            signal.connect(self._refresh)
        self._fill_recent()
        self._fill()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._host:
            self._place()
        return super().eventFilter(watched, event)

    def _make_title(self) -> QLabel:
        title = QLabel("Drop a picture here")
        title.setProperty("heading", True)
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        return title

    def _make_open(self) -> QPushButton:
        button = QPushButton("Open a picture…")
        button.setObjectName("emptyOpen")
        button.setIcon(icon("open"))
        button.setIconSize(QSize(18, 18))
        button.setAccessibleName("Open a picture")
        shortcuts = self._desk.shortcuts
        shortcuts.changed.connect(lambda: button.setToolTip(shortcuts.told("Choose a picture file", "open")))
        button.setToolTip(shortcuts.told("Choose a picture file", "open"))
        button.clicked.connect(self._desk.wishes.open_picture)
        return button

    def _fill_recent(self) -> None:
        for card in self._recent_cards:
            self._recent.removeWidget(card)
            card.hide()
            card.deleteLater()
        paths = self._desk.recent.paths[:_RECENT]
        self._recent_cards = [self._make_recent(number, path) for number, path in enumerate(paths)]
        for number, card in enumerate(self._recent_cards):
            self._recent.insertWidget(number + 1, card)
            card.show()  # Qt would do so later, and until then give it no room
        self._refresh()

    def _make_recent(self, number: int, path: Path) -> QToolButton:
        card = QToolButton()
        card.setObjectName(f"recentCard{number}")
        card.setAccessibleName(f"Open {path.name}")
        card.setToolTip(f"Open {path}")
        card.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        picture = self._desk.recent.icon(path)
        card.setIcon(icon("open") if picture.isNull() else picture)
        card.setIconSize(icon_size())
        width = (_WIDTH - 6 * GRID - (_RECENT - 1) * GRID) // _RECENT
        card.setFixedSize(width, icon_size().height() + 4 * GRID)
        card.setText(card.fontMetrics().elidedText(path.name, Qt.TextElideMode.ElideMiddle, width - GRID))
        card.setCursor(Qt.CursorShape.PointingHandCursor)
        card.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        card.clicked.connect(lambda: self._desk.wishes.open_file.emit(path))
        return card

    def _fill(self) -> None:
        for card in self._cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        model = self._desk.shelf.current
        prompts = (model.example_prompts or _FALLBACK)[:_EXAMPLES] if model else ()
        self._cards = [self._make_card(number, prompt) for number, prompt in enumerate(prompts)]
        for card in self._cards:
            self._column.addWidget(card)
            card.show()
        self._or.setVisible(bool(prompts))
        self._refresh()

    def _make_card(self, number: int, prompt: str) -> QPushButton:
        card = QPushButton()
        card.setText(card.fontMetrics().elidedText(prompt, Qt.TextElideMode.ElideRight, _WIDTH - 10 * GRID))
        card.setObjectName(f"exampleCard{number}")
        card.setProperty("card", True)
        card.setAccessibleName(f"Paint the example: {prompt}")
        card.setToolTip(f"Paint this: {prompt}")
        card.setCursor(Qt.CursorShape.PointingHandCursor)
        card.clicked.connect(lambda: self._desk.wishes.try_prompt.emit(prompt))
        return card

    def _refresh(self, *_: object) -> None:
        document, desk = self._desk.document, self._desk
        # Whoever has begun to paint, or waits for a picture or chooses one, must not look at a card in its place.
        busy = desk.queue.current is not None or bool(desk.candidates.waiting)
        self.setVisible(not document.has_picture and document.mask_empty and not busy)
        self._place()

    def _place(self) -> None:
        host = self._host
        self._column.activate()
        self.adjustSize()
        self.move((host.width() - self.width()) // 2, (host.height() - self.height()) // 2)

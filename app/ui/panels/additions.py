"""What is added to the model: LoRAs with their weights, embeddings with their words, another VAE."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.additions import MOST_WEIGHT, MOST_WORD, EmbeddingUse, LoraUse
from app.core.errors import RequestError
from app.core.kinds import Kind
from app.core.params import Params
from app.ui.desk import Desk
from app.ui.fold import fold_button
from app.ui.icons import icon
from app.ui.slider import named_number
from app.ui.theme import GRID

_HEADINGS = {Kind.LORA: "LoRA", Kind.EMBEDDING: "Embeddings", Kind.VAE: "VAE"}
_TITLE = "LoRA, embeddings, VAE"
_NONE = "Nothing is added to the model."
_FIELD = 76


class AdditionsPanel(QWidget):
    """Folded away until it is wanted; its line says how many there are."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("additionsPanel")
        self._desk = desk
        self._lists = {kind: _Uses(heading) for kind, heading in _HEADINGS.items()}
        self._empty = QLabel(_NONE)
        self._empty.setProperty("quiet", True)
        self._shown: dict[Kind, tuple[object, ...]] = {}
        content = self._make_content()
        tip = "LoRA files, embeddings and another VAE for the model in use."
        self._fold = fold_button(content, name="additionsButton", text=_TITLE, label="Additions", tip=tip)
        self._fold.toggled.connect(lambda unfolded: desk.additions.look_again() if unfolded else None)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(content)
        desk.store.changed.connect(self._on_params)
        self._show(desk.store.params)

    def _make_content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("additionsContent")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._empty)
        for uses in self._lists.values():
            column.addWidget(uses)
        column.addWidget(self._make_add(), 0, Qt.AlignmentFlag.AlignLeft)
        return content

    def _make_add(self) -> QToolButton:
        add = QToolButton()
        add.setObjectName("addAddition")
        add.setText("Add")
        add.setAccessibleName("Add a LoRA, an embedding or a VAE")
        add.setToolTip("Choose from the models folder, or a file from elsewhere; dropping one on the window works too.")
        add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        add.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(add)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        add.setMenu(menu)
        return add

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        in_use = {use.file for uses in self._in_use(self._desk.store.params).values() for use in uses}
        free = [addition for addition in self._desk.additions.known if str(addition.path) not in in_use]
        for kind, heading in _HEADINGS.items():
            rows = [addition for addition in free if addition.kind is kind]
            if rows:
                menu.addSection(heading)
            for addition in rows:
                action = menu.addAction(addition.name)
                action.setToolTip(str(addition.path))
                action.triggered.connect(lambda _=False, path=addition.path: self._desk.wishes.add_addition.emit(path))
        if free:
            menu.addSeparator()
        choose = menu.addAction("Choose a file…")
        choose.setToolTip("A LoRA, an embedding or a VAE in safetensors; what it is, the file tells itself.")
        choose.triggered.connect(lambda: self._desk.wishes.add_model_file.emit())

    def _on_params(self, params: Params, names: set[str]) -> None:
        if names & {"loras", "embeddings", "vae"}:
            self._show(params)

    @staticmethod
    def _in_use(params: Params) -> dict[Kind, tuple[LoraUse | EmbeddingUse, ...]]:
        vae = (LoraUse(file=params.vae),) if params.vae else ()
        return {Kind.LORA: params.loras, Kind.EMBEDDING: params.embeddings, Kind.VAE: vae}

    def _show(self, params: Params) -> None:
        in_use = self._in_use(params)
        for kind, uses in in_use.items():
            files = tuple(use.file for use in uses)
            if self._shown.get(kind) != files:  # a row that is being edited must not be made anew
                self._shown[kind] = files
                self._lists[kind].set_rows([self._row(kind, use, number) for number, use in enumerate(uses)])
            self._lists[kind].follow(uses)
        count = sum(map(len, in_use.values()))
        self._empty.setVisible(count == 0)
        self._fold.setText(f"{_TITLE} ({count})" if count else _TITLE)

    def _row(self, kind: Kind, use: LoraUse | EmbeddingUse, number: int) -> _Row:
        name = f"{kind.name.lower()}{number}"
        remove = partial(self._desk.additions.remove, kind, use.file)
        if kind is Kind.LORA:
            field: QWidget = self._make_weight(name, use.file)
        elif kind is Kind.EMBEDDING:
            field = self._make_word(name, use.file)
        else:
            field = QWidget()
        return _Row(name, use.file, field, remove)

    def _make_weight(self, name: str, file: str) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setRange(-MOST_WEIGHT, MOST_WEIGHT)
        spin.setSingleStep(0.05)
        spin.setDecimals(2)
        tip = "How strongly it counts: 0 not at all, 1 as it was trained; most look best from 0.5 to 1."
        named_number(spin, f"{name}Weight", f"Weight of {Path(file).stem}", tip)
        spin.setFixedWidth(_FIELD)
        spin.valueChanged.connect(lambda weight: self._desk.additions.weigh(file, round(weight, 2)))
        return spin

    def _make_word(self, name: str, file: str) -> QLineEdit:
        edit = QLineEdit()
        edit.setObjectName(f"{name}Word")
        edit.setAccessibleName(f"Word for {Path(file).stem}")
        edit.setMaxLength(MOST_WORD)
        edit.setFixedWidth(2 * _FIELD)
        tip = "The word that calls it in a prompt."
        edit.setToolTip(tip)

        def call() -> None:
            try:
                self._desk.additions.call(file, edit.text())
            except RequestError as error:
                edit.setToolTip(str(error))
                self._desk.wishes.tell.emit(error)
            self._show(self._desk.store.params)

        edit.editingFinished.connect(call)
        return edit


class _Uses(QWidget):
    """A heading and its rows; not there while it has none."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID // 2)
        label = QLabel(heading)
        self._column.addWidget(label)
        self.hide()

    def set_rows(self, rows: list[_Row]) -> None:
        for old in self._rows:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._rows = rows
        for row in rows:
            self._column.addWidget(row)
        self.setVisible(bool(rows))

    def follow(self, uses: tuple[LoraUse | EmbeddingUse, ...]) -> None:
        for row, use in zip(self._rows, uses, strict=True):
            row.follow(use)


class _Row(QWidget):
    """One file: its name, what can be set of it, and a button that takes it away."""

    def __init__(self, name: str, file: str, field: QWidget, remove: partial[None]) -> None:
        super().__init__()
        self._field = field
        label = _Elided(Path(file).stem, file)
        away = QToolButton()
        away.setObjectName(f"{name}Remove")
        away.setIcon(icon("close"))
        away.setIconSize(QSize(14, 14))
        away.setProperty("flat", True)
        away.setAccessibleName(f"Take {Path(file).stem} away")
        away.setToolTip("Take it away from the model; the file stays.")
        away.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        away.clicked.connect(lambda: remove())
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        line.addWidget(label, 1)
        line.addWidget(field)
        line.addWidget(away)

    def follow(self, use: LoraUse | EmbeddingUse) -> None:
        field = self._field
        with QSignalBlocker(field):
            if isinstance(field, QDoubleSpinBox) and isinstance(use, LoraUse):
                if field.value() != use.weight:
                    field.setValue(use.weight)
            elif isinstance(field, QLineEdit) and isinstance(use, EmbeddingUse) and field.text() != use.word:
                field.setText(use.word)


class _Elided(QLabel):
    """As much of a name as there is room for; all of it in the tooltip."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__(name)
        self._name = name
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setToolTip(tip)
        self.setMinimumWidth(48)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.setText(self.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, self.width()))
        super().resizeEvent(event)
